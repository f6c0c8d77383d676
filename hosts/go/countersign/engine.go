package countersign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// An engine is the compiled sealed module. A process compiles it once for each
// engineConfig. Calls have no timeout, because the module bounds its own work.
type engine struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

// An engineConfig says how to compile a module.
type engineConfig struct {
	interpreter bool
	cacheDir    string
}

var engines = struct {
	sync.Mutex
	ready map[engineConfig]*engine
}{ready: map[engineConfig]*engine{}}

// sealedEngine compiles the sealed module, once for each config.
func sealedEngine(config engineConfig) (*engine, error) {
	engines.Lock()
	defer engines.Unlock()
	if ready, ok := engines.ready[config]; ok {
		return ready, nil
	}
	ready, err := load(config, sealed, SHA256())
	if err != nil {
		return nil, fmt.Errorf("countersign: the sealed module does not load: %w", err)
	}
	engines.ready[config] = ready
	return ready, nil
}

// load compiles the module if it has this digest. With another one, the program
// was built from a broken copy of this package.
func load(config engineConfig, module []byte, digest string) (*engine, error) {
	sum := sha256.Sum256(module)
	if actual := hex.EncodeToString(sum[:]); actual != digest {
		return nil, fmt.Errorf("the embedded file has the SHA-256 %s, but its release has %s", actual, digest)
	}
	return compile(config, module)
}

func compile(config engineConfig, module []byte) (_ *engine, err error) {
	ctx := context.Background()
	// The default is the compiler if wazero has one for this platform, else the
	// interpreter.
	settings := wazero.NewRuntimeConfig()
	if config.interpreter {
		settings = wazero.NewRuntimeConfigInterpreter()
	}
	if config.cacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(config.cacheDir)
		if err != nil {
			return nil, err
		}
		settings = settings.WithCompilationCache(cache)
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, settings)
	defer func() {
		if err != nil {
			err = errors.Join(err, runtime.Close(ctx))
		}
	}()
	compiled, err := runtime.CompileModule(ctx, module)
	if err != nil {
		return nil, err
	}
	if err := hasInterface(compiled); err != nil {
		return nil, err
	}
	if err := trapImports(ctx, runtime, compiled); err != nil {
		return nil, err
	}
	return &engine{runtime, compiled}, nil
}

// The interface of wit/countersign.wit. The names of its functions begin with
// the name of the interface, its version, and `#`.
const (
	interfaceName    = "countersign:gate/gate@"
	interfaceVersion = "0.1.0"
	interfacePrefix  = interfaceName + interfaceVersion + "#"
)

// hasInterface returns an error if the module does not have the one version of
// the interface that this host calls. The error says which it has.
func hasInterface(compiled wazero.CompiledModule) error {
	var versions []string
	for name := range compiled.ExportedFunctions() {
		if rest, ok := strings.CutPrefix(name, interfaceName); ok {
			version, _, _ := strings.Cut(rest, "#")
			versions = append(versions, "countersign:gate@"+version)
		}
	}
	needed := "countersign:gate@" + interfaceVersion
	if slices.Contains(versions, needed) {
		return nil
	}
	if versions == nil {
		return fmt.Errorf("the file has no interface countersign:gate, this host needs %s", needed)
	}
	slices.Sort(versions)
	has := strings.Join(slices.Compact(versions), " and ")
	return fmt.Errorf("the file has interface %s, this host needs %s", has, needed)
}

// trapImports defines the functions that the module imports from Envoy. They
// trap, because the functions that this host calls do not use them. A module
// with any other import is not the sealed module.
func trapImports(ctx context.Context, runtime wazero.Runtime, compiled wazero.CompiledModule) error {
	env := runtime.NewHostModuleBuilder("env")
	trap := api.GoFunc(func(context.Context, []uint64) { panic("only Envoy provides this function") })
	for _, function := range compiled.ImportedFunctions() {
		module, name, _ := function.Import()
		if module != "env" || !strings.HasPrefix(name, "proxy_") {
			return fmt.Errorf("the module imports `%s.%s`", module, name)
		}
		env = env.NewFunctionBuilder().
			WithGoFunction(trap, function.ParamTypes(), function.ResultTypes()).
			Export(name)
	}
	_, err := env.Instantiate(ctx)
	return err
}

// A function is an exported function of the interface, and the one that frees
// its result.
type function struct {
	call, post api.Function
}

// A guest is a live instance of the module, for one caller at a time.
type guest struct {
	module    api.Module
	memory    api.Memory
	realloc   api.Function
	functions map[string]function
	lowerer   lowerer
	// Parameters and results of the last call.
	stack []uint64
}

var (
	errOutside  = errors.New("the module allocated outside its memory")
	errTooLarge = errors.New("an argument is too large for the module's memory")
)

func (e *engine) instantiate() (*guest, error) {
	// Without a name, so that many instances can exist.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	module, err := e.runtime.InstantiateModule(withMemory(context.Background()), e.compiled, config)
	if err != nil {
		return nil, trapOf(err)
	}
	functions := map[string]function{}
	for name := range module.ExportedFunctionDefinitions() {
		if short, ok := strings.CutPrefix(name, interfacePrefix); ok {
			call, post := module.ExportedFunction(name), module.ExportedFunction("cabi_post_"+name)
			functions[short] = function{call, post}
		}
	}
	g := &guest{
		module:    module,
		memory:    module.Memory(),
		realloc:   module.ExportedFunction("cabi_realloc"),
		functions: functions,
	}
	g.lowerer = lowerer{
		alloc: g.alloc, write: g.memory.WriteString, writeBytes: g.memory.Write, put: g.memory.WriteUint32Le,
	}
	return g, nil
}

// lower returns a lowerer for the arguments of the next call.
func (g *guest) lower() *lowerer {
	g.lowerer.err = nil
	return &g.lowerer
}

func (g *guest) alloc(align, size uint32) (uint32, error) {
	stack := append(g.stack[:0], 0, 0, uint64(align), uint64(size))
	g.stack = stack
	if err := g.realloc.CallWithStack(context.Background(), stack); err != nil {
		return 0, err
	}
	return uint32(stack[0]), nil
}

// call calls a function and lifts its result with `lift`, if that is not nil.
// Any error means that the instance died and cannot be used any more.
func (g *guest) call(name string, lift func(l *lifter, at uint32), params ...uint64) error {
	function, ok := g.functions[name]
	if !ok {
		return trapOf(fmt.Errorf("the module has no function `%s`", name))
	}
	stack := append(g.stack[:0], params...)
	g.stack = stack
	if err := function.call.CallWithStack(context.Background(), stack); err != nil {
		return trapOf(err)
	}
	if lift == nil {
		return nil
	}
	at := uint32(stack[0])
	memory, ok := g.memory.Read(0, g.memory.Size())
	lifter := lifter{memory: memory, broken: !ok}
	if lift(&lifter, at); lifter.broken {
		return trapOf(errors.New("the result is invalid"))
	}
	if function.post != nil {
		stack[0] = uint64(at)
		if err := function.post.CallWithStack(context.Background(), stack); err != nil {
			return trapOf(err)
		}
	}
	return nil
}

func (g *guest) close() {
	// The memory is freed: later calls must fail before they use it.
	g.functions = nil
	g.lowerer.alloc = func(uint32, uint32) (uint32, error) { return 0, errClosed }
	// Close frees the memory even if it returns an error.
	_ = g.module.Close(context.Background())
}

// trapOf makes a Trap from the first line of an error. The lines after it are
// wazero's stack trace, which is of no use: the module has no function names.
func trapOf(err error) error {
	reason, _, _ := strings.Cut(err.Error(), "\n")
	return &Trap{reason}
}

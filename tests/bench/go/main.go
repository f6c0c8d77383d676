// Command go is the part of the bench that runs in Go. It reads the workload
// from standard input, prints the figures as JSON (`Answer` of src/child.rs),
// and prints its progress to standard error.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// workload is the workload of src/child.rs.
type workload struct {
	Issuer, Audience, Target string
	Fresh, Remembered        plan
	Repeats                  int
	Algorithms               []algorithm
	HMAC                     algorithm
	Mix                      clients
	Supply                   struct{ Policy, Hundred string }
}

type algorithm struct {
	Name, Policy string
	JWK          json.RawMessage
	Tokens       []string
}

// result has the figures of one comparison.
type result struct {
	Host  string   `json:"host"`
	Work  string   `json:"work"`
	Ours  []figure `json:"ours"`
	Peers []figure `json:"peers"`
}

type bench struct {
	workload
	races []result
}

func main() {
	races, err := measure()
	if err != nil {
		log.Fatal(err)
	}
	answer := map[string]any{"races": races, "versions": versions()}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		log.Fatal(err)
	}
}

func measure() ([]result, error) {
	input := json.NewDecoder(os.Stdin)
	if len(os.Args) > 1 && os.Args[1] == "large" {
		l := large{}
		if err := input.Decode(&l); err != nil {
			return nil, err
		}
		return l.run()
	}
	if len(os.Args) > 1 && os.Args[1] == "log" {
		l := logged{}
		if err := input.Decode(&l); err != nil {
			return nil, err
		}
		return nil, l.serve()
	}
	b := bench{}
	if err := input.Decode(&b.workload); err != nil {
		return nil, err
	}
	err := b.run()
	return b.races, err
}

func (b *bench) run() error {
	// This comes first, because the module must not be compiled yet.
	if err := b.start(); err != nil {
		return err
	}
	for _, one := range b.Algorithms {
		peers, err := b.peers(one)
		if err != nil {
			return err
		}
		ours := []contestant{b.instance(one, countersign.Module)}
		natives := []contestant{b.instance(one, countersign.Native)}
		if one.Name == "RS256" {
			ours = append(ours, b.gate(one, 1, countersign.Module))
			natives = append(natives, b.gate(one, 1, countersign.Native))
		}
		if err := b.compete(one.Name+", fresh", ours, natives, peers, b.Fresh, false); err != nil {
			return err
		}
	}
	rsa := b.Algorithms[0]
	peers, err := b.peers(rsa)
	if err != nil {
		return err
	}
	// The time for a remembered token depends neither on its algorithm nor on
	// who verified it.
	ours := []contestant{b.instance(rsa, countersign.Module), b.gate(rsa, 1, countersign.Module)}
	if err := b.compete("RS256, remembered", ours, nil, peers[:1], b.Remembered, true); err != nil {
		return err
	}
	// src/rsa_alone.rs subtracts this to get the RSA operation alone.
	if err := b.compete("HS256, fresh", []contestant{b.instance(b.HMAC, countersign.Module)}, nil, nil, b.Fresh, false); err != nil {
		return err
	}
	two := []contestant{parallel(b.gate(rsa, 2, countersign.Module))}
	if err := b.compete("RS256, fresh, on 2 goroutines", two, nil, []contestant{parallel(peers[0])}, b.Fresh, false); err != nil {
		return err
	}
	if err := b.mix(rsa); err != nil {
		return err
	}
	return b.sizes(rsa)
}

// compete races the gate, the gate with native signatures, and peers.
func (b *bench) compete(work string, ours, natives, peers []contestant, plan plan, remembered bool) error {
	say(work)
	figures, err := race(slices.Concat(ours, natives, peers), plan, remembered)
	if err != nil {
		return fmt.Errorf("%s: %w", work, err)
	}
	b.addBoth(work, figures, len(ours), len(natives))
	return nil
}

func (b *bench) addBoth(work string, figures []figure, ours, natives int) {
	peers := figures[ours+natives:]
	b.add(work, figures[:ours], peers)
	if natives > 0 {
		b.add(work+", native", figures[ours:ours+natives], peers)
	}
}

func (b *bench) add(work string, ours, peers []figure) {
	b.races = append(b.races, result{"go", work, append([]figure{}, ours...), append([]figure{}, peers...)})
}

func say(what string) { fmt.Fprintf(os.Stderr, "  go: %s …\n", what) }

func versions() map[string]string {
	versions := map[string]string{"go": strings.TrimPrefix(runtime.Version(), "go")}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versions
	}
	for _, module := range info.Deps {
		for name, path := range map[string]string{
			"wazero": "github.com/tetratelabs/wazero", "golang-jwt": "github.com/golang-jwt/jwt/v5",
			"keyfunc": "github.com/MicahParks/keyfunc/v3", "jwx": "github.com/lestrrat-go/jwx/v3",
		} {
			if module.Path == path {
				versions[name] = strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return versions
}

// Package api holds the public items of the published packages to the lists in
// their modules. A change of a list is a change of what users may rely on.
package api

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var renew = flag.Bool("renew", false, "write the lists")

func TestThePublicItemsAreTheListedOnes(t *testing.T) {
	for _, published := range []struct{ folder, list string }{
		{"../../countersign", "../../api.txt"},
		{"../../grpc/countersigngrpc", "../../grpc/api.txt"},
		{"../../otel/countersignotel", "../../otel/api.txt"},
		{"../../redis/countersignredis", "../../redis/api.txt"},
		{"../../yaml/countersignyaml", "../../yaml/api.txt"},
	} {
		items := publicItems(t, published.folder)
		if *renew {
			if err := os.WriteFile(published.list, []byte(items), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		listed, err := os.ReadFile(published.list)
		if err != nil {
			t.Fatal(err)
		}
		if line := firstDifference(string(listed), items); line != "" {
			t.Errorf("%s differs from %s at %q. If this is intended, renew the list in hosts/go with "+
				"`go test ./internal/api -renew`, and say it in CHANGELOG.md", published.folder, published.list, line)
		}
	}
}

func TestAChangedParameterOrFieldIsADifference(t *testing.T) {
	items := func(source string) string {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "a.go"), []byte("package a\n"+source), 0o644); err != nil {
			t.Fatal(err)
		}
		return publicItems(t, folder)
	}
	before := items("// F is a function.\nfunc F(n int) int { return n }\ntype T struct { A int; b int }\nfunc (t T) M() {}\nfunc f() {}")
	for _, same := range []string{
		"func F(n int) int { return n + 1 }\ntype T struct { A int }\nfunc (t T) M() {}",
		"type T struct { A int /* a */; c string }\nfunc (t T) M() {}\nfunc (t T) m() {}\nfunc F(n int) int { return n }",
	} {
		if line := firstDifference(before, items(same)); line != "" {
			t.Errorf("%q is a difference in %q", line, same)
		}
	}
	for _, other := range []string{
		"func F(n int64) int { return 0 }\ntype T struct { A int; b int }\nfunc (t T) M() {}",
		"func F(n int) int { return n }\ntype T struct { A int64 }\nfunc (t T) M() {}",
		"func F(n int) int { return n }\ntype T struct { A int }",
		"func F(n int) int { return n }\ntype T struct { A int }\nfunc (t *T) M() {}",
		"func F(n int) int { return n }\ntype T struct { A int }\nfunc (t T) M() {}\nconst C = 1",
	} {
		if firstDifference(before, items(other)) == "" {
			t.Errorf("%q is no difference", other)
		}
	}
}

// firstDifference returns the first line that only one of the texts has in its
// place, or an empty text.
func firstDifference(listed, items string) string {
	a, b := strings.Split(listed, "\n"), strings.Split(items, "\n")
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return b[i] + " (new)"
		case i >= len(b) || a[i] != b[i]:
			return a[i] + " (listed)"
		}
	}
	return ""
}

// publicItems prints the exported declarations of a package, sorted, without
// comments, bodies and the values of variables.
func publicItems(t *testing.T, folder string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no Go files in %s: %v", folder, err)
	}
	files := token.NewFileSet()
	var items []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.FileExports(file)
		for _, declaration := range file.Decls {
			if item := printed(t, files, declaration); item != "" {
				items = append(items, item)
			}
		}
	}
	slices.Sort(items)
	return strings.Join(items, "\n") + "\n"
}

func printed(t *testing.T, files *token.FileSet, declaration ast.Decl) string {
	t.Helper()
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		if declaration.Recv != nil && !isExported(declaration.Recv.List[0].Type) {
			return ""
		}
		declaration.Body = nil
	case *ast.GenDecl:
		if declaration.Tok == token.IMPORT {
			return ""
		}
		for _, spec := range declaration.Specs {
			if value, ok := spec.(*ast.ValueSpec); ok && declaration.Tok == token.VAR && value.Type != nil {
				value.Values = nil
			}
		}
	}
	// Whether a type has further, unexported fields is not public.
	ast.Inspect(declaration, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.StructType:
			node.Incomplete = false
		case *ast.InterfaceType:
			node.Incomplete = false
		}
		return true
	})
	var out bytes.Buffer
	// Without positions in the source, comments and empty lines do not show.
	if err := printer.Fprint(&out, token.NewFileSet(), declaration); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func isExported(receiver ast.Expr) bool {
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported()
}

func TestTheREADMESaysTheOldestVersionsOfGoAndWazero(t *testing.T) {
	requirements, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	versions := regexp.MustCompile(`\ngo (\d+\.\d+)\.0\n[^)]*/wazero v(\S+)`).FindSubmatch(requirements)
	if versions == nil {
		t.Fatalf("go.mod has other lines: %s", requirements)
	}
	sentence := fmt.Sprintf("It needs Go %s and wazero %s, or newer ones", versions[1], versions[2])
	if !strings.Contains(string(readme), sentence) {
		t.Errorf("the README does not say: %s", sentence)
	}
}

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
	"strings"
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
		ours := []contestant{b.instance(one)}
		if one.Name == "RS256" {
			ours = append(ours, b.gate(one, 1))
		}
		if err := b.compete(one.Name+", fresh", ours, peers, b.Fresh, false); err != nil {
			return err
		}
	}
	rsa := b.Algorithms[0]
	peers, err := b.peers(rsa)
	if err != nil {
		return err
	}
	// The time for a remembered token does not depend on its algorithm.
	ours := []contestant{b.instance(rsa), b.gate(rsa, 1)}
	if err := b.compete("RS256, remembered", ours, peers[:1], b.Remembered, true); err != nil {
		return err
	}
	// src/rsa_alone.rs subtracts this to get the RSA operation alone.
	if err := b.compete("HS256, fresh", []contestant{b.instance(b.HMAC)}, nil, b.Fresh, false); err != nil {
		return err
	}
	two := []contestant{parallel(b.gate(rsa, 2))}
	if err := b.compete("RS256, fresh, on 2 goroutines", two, []contestant{parallel(peers[0])}, b.Fresh, false); err != nil {
		return err
	}
	if err := b.mix(rsa); err != nil {
		return err
	}
	return b.sizes(rsa)
}

func (b *bench) compete(work string, ours, peers []contestant, plan plan, remembered bool) error {
	say(work)
	figures, err := race(append(append([]contestant{}, ours...), peers...), plan, remembered)
	if err != nil {
		return fmt.Errorf("%s: %w", work, err)
	}
	b.add(work, figures[:len(ours)], figures[len(ours):])
	return nil
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

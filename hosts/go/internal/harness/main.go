// Command harness runs the Go host for the tests of tests/conformance, by their
// protocol: one command per line on standard input, one reply per line on
// standard output.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/countersign/countersign/hosts/go/countersign"
)

func main() {
	interpreter := flag.Bool("interpreter", false, "interpret the module instead of compiling it")
	signatures := flag.String("signatures", string(countersign.Module), "who verifies signatures: module or native")
	flag.Parse()
	host := &host{gates: map[uint32]*gate{}}
	host.options = append(host.options, countersign.WithSignatures(countersign.Signatures(*signatures)))
	if *interpreter {
		host.options = append(host.options, countersign.WithInterpreter())
	}
	if err := host.serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (h *host) serve() error {
	input, output := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	output.SetEscapeHTML(false)
	decoder := json.NewDecoder(input)
	for decoder.More() {
		var command command
		if err := decoder.Decode(&command); err != nil {
			return err
		}
		reply, err := h.answer(&command)
		if err != nil {
			reply = map[string]any{"error": err.Error()}
		}
		if err := output.Encode(reply); err != nil {
			return err
		}
	}
	return nil
}

// A host has gates by the runner's numbers, each in its own instance.
type host struct {
	gates   map[uint32]*gate
	options []countersign.Option
}

type reply = map[string]any

func (h *host) answer(c *command) (reply, error) {
	switch {
	case c.Open != nil:
		return h.open(c.Open)
	case c.OpenSigned != nil:
		return h.openSigned(c.OpenSigned)
	}
	args, err := c.args()
	if err != nil {
		return nil, err
	}
	gate, ok := h.gates[args.Gate]
	if !ok {
		return nil, fmt.Errorf("gate %d is not open", args.Gate)
	}
	switch {
	case c.Due != nil:
		fetches, err := gate.Due(args.At)
		return reply{"fetches": fetchesOf(fetches)}, err
	case c.NextDue != nil:
		left, isDue, err := gate.NextDue(args.At)
		if !isDue {
			return reply{"next_due": nil}, err
		}
		return reply{"next_due": left.Milliseconds()}, err
	case c.Supply != nil:
		return supply(gate, args)
	case c.Respond != nil:
		problem, err := gate.Respond(args.Ticket, args.Response.response(), args.At)
		if problem != nil {
			return reply{"refused": problemOf(*problem)}, err
		}
		return reply{"accepted": []reply{}}, err
	case c.Request != nil:
		request, err := args.Request.request()
		if err != nil {
			return nil, err
		}
		return gate.decide(args.At, func() (countersign.Answer, error) { return gate.Check(request, args.At) })
	case c.Token != nil:
		return token(gate, args)
	case c.LastEvent != nil:
		facts, err := gate.LastEvent([]byte(args.SubjectKey), true)
		return reply{"event": eventOf(facts)}, err
	case c.Digest != nil:
		digest, err := countersign.PolicyDigest(gate.policy, h.options...)
		return reply{"digest": digest}, err
	case c.Ready != nil:
		ready, err := gate.Ready()
		return reply{"ready": ready}, err
	default:
		gate.Close()
		delete(h.gates, args.Gate)
		return reply{"closed": reply{}}, nil
	}
}

func supply(gate *gate, args *args) (reply, error) {
	response := args.Response.response()
	supplied, err := gate.Supply(args.Source, args.URI, response, args.At)
	for call := 1; err == nil && supplied.Outcome == countersign.Unfinished; call++ {
		supplied, err = gate.Resume(args.Source, response.Part(call), args.At)
	}
	switch {
	case err != nil:
		return nil, err
	case supplied.Outcome == countersign.Refused:
		return reply{"refused": problemOf(supplied.Problems[0])}, nil
	case supplied.Outcome == countersign.Outdated:
		return reply{"outdated": reply{}}, nil
	}
	return reply{"accepted": problemsOf(supplied.Problems)}, nil
}

func (h *host) open(args *args) (reply, error) {
	secrets := map[string]countersign.Secret{}
	for name, secret := range args.Secrets {
		secrets[name] = countersign.SecretBytes([]byte(secret))
	}
	options := append(slices.Clone(h.options), countersign.WithSecrets(secrets))
	instance, err := countersign.OpenInstance(context.Background(), []byte(args.Policy), options...)
	if refused := (*countersign.PolicyError)(nil); errors.As(err, &refused) {
		return reply{"problems": problemsOf(refused.Problems)}, nil
	}
	if err != nil {
		return nil, err
	}
	h.gates[args.Gate] = &gate{instance, []byte(args.Policy), map[[32]byte]time.Time{}}
	return reply{"opened": reply{}}, nil
}

func (h *host) openSigned(args *args) (reply, error) {
	opened, err := countersign.OpenSigned([]byte(args.Signed), []byte(args.Trust), args.At, h.options...)
	if refused := (*countersign.PolicyError)(nil); errors.As(err, &refused) {
		return reply{"refused": problemOf(refused.Problems[0])}, nil
	}
	return reply{"signed": reply{
		"policy":     string(opened.Policy),
		"version":    opened.Version,
		"expires_ms": opened.Expires.UnixMilli(),
		"kid":        opened.KID,
	}}, err
}

func token(gate *gate, args *args) (reply, error) {
	var requirement uint32
	if args.Requirement != nil {
		number, err := gate.Prepare(*args.Requirement)
		if refused := (*countersign.PolicyError)(nil); errors.As(err, &refused) {
			return reply{"problems": problemsOf(refused.Problems)}, nil
		}
		if err != nil {
			return nil, err
		}
		requirement = number
	}
	return gate.decide(args.At, func() (countersign.Answer, error) {
		return gate.CheckToken(string(args.Token), requirement, args.Proven, args.At)
	})
}

// Command routers serves a router behind a gate, for the random requests of
// tests/routers, which describes the protocol: `routers ROUTER POLICY`. It has
// its own module, because the gate's module must not depend on routers.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/countersign/countersign/hosts/go/countersign"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("routers ROUTER POLICY")
	}
	policy, err := os.ReadFile(arguments[1])
	if err != nil {
		return err
	}
	gate, err := countersign.New(ctx, policy, countersign.WithInstances(2))
	if err != nil {
		return err
	}
	defer gate.Close()
	handler, err := backend(arguments[0], gate)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	fmt.Printf("{\"port\": %d}\n", listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}

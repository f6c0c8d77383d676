// Command overlay-hub lets nodes join a tenant's network with a join token
// (`njt`). They then communicate with an access token (`nat`), which is valid
// only for its tenant. Nodes also send tokens over a socket, without HTTP.
package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/countersign/countersign/hosts/go/countersign"
)

//go:embed policy.json
var policy []byte

// speak is the requirement on a node's token over a socket.
const speak countersign.Require = `{"types": ["nat"], "tenant": "present", "scopes": {"all": ["node:speak"]}}`

func main() { log.Fatal(run()) }

func run() error {
	gate, err := countersign.New(context.Background(), policy)
	if err != nil {
		return err
	}
	defer gate.Close()
	address := "localhost:8080"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return err
	}
	log.Print("nodes connect to ", listener.Addr())
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go serveNode(gate, connection)
		}
	}()
	return http.ListenAndServe(address, hub(gate))
}

func hub(gate *countersign.Gate) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tenants/{tenant}/join", respond("joins"))
	mux.HandleFunc("GET /tenants/{tenant}/peers", respond("sees its peers in"))
	return gate.Middleware(mux)
}

func respond(verb string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if caller, ok := countersign.PrincipalFrom(r.Context()); ok {
			fmt.Fprintf(w, "%s %s %s\n", caller.Subject, verb, r.PathValue("tenant"))
		}
	}
}

// serveNode reads a token on one line and answers with one line.
func serveNode(gate *countersign.Gate, connection net.Conn) {
	defer connection.Close()
	line, err := bufio.NewReaderSize(connection, 32<<10).ReadSlice('\n')
	if err != nil {
		return
	}
	decision, err := gate.Verify(context.Background(), strings.TrimSpace(string(line)), speak)
	var denial *countersign.Denial
	switch {
	case err == nil:
		fmt.Fprintln(connection, "welcome to", decision.Grant.Principal.Tenant)
	case errors.As(err, &denial):
		fmt.Fprintln(connection, denial.Code)
	default:
		fmt.Fprintln(connection, "internal_error")
	}
}

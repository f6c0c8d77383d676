// Command hybrid accepts users of two identity providers. A token's `iss`
// selects the provider. One has the organisation in `org_id` and its keys by
// discovery, the other has it in `org` and its keys under its base URL. Handlers
// see a tenant in both cases.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/countersign/countersign/hosts/go/countersign"
)

//go:embed policy.json
var policy []byte

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
	return http.ListenAndServe(address, service(gate))
}

func service(gate *countersign.Gate) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orgs/{org}/seats", func(w http.ResponseWriter, r *http.Request) {
		if caller, ok := countersign.PrincipalFrom(r.Context()); ok {
			fmt.Fprintf(w, "seats of %s, by %s\n", caller.Tenant, caller.Issuer)
		}
	})
	return gate.Middleware(mux)
}

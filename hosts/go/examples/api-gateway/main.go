// Command api-gateway accepts platform access tokens (`pat`) and node access
// tokens (`nat`) of one issuer, each on its own routes.
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
	return http.ListenAndServe(address, gateway(gate))
}

func gateway(gate *countersign.Gate) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /assets/{name}", asset)
	mux.Handle("DELETE /assets/{name}", countersign.RequireScopes("api:assets:delete")(http.HandlerFunc(deleted)))
	mux.HandleFunc("POST /ingest/{stream}", ingest)
	return gate.Middleware(mux)
}

func asset(w http.ResponseWriter, r *http.Request) {
	if caller, ok := countersign.PrincipalFrom(r.Context()); ok {
		fmt.Fprintf(w, "%s of tenant %s, for %s\n", r.PathValue("name"), caller.Tenant, caller.Subject)
	}
}

func deleted(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func ingest(w http.ResponseWriter, r *http.Request) {
	if caller, ok := countersign.PrincipalFrom(r.Context()); ok {
		fmt.Fprintf(w, "from node %s\n", caller.Subject)
	}
}

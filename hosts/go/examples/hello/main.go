// Command hello is the program of the README.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/countersign/countersign/hosts/go/countersign"
)

func main() {
	policy, err := os.ReadFile("policy.json")
	if err != nil {
		log.Fatal(err)
	}
	gate, err := countersign.New(context.Background(), policy)
	if err != nil {
		log.Fatal(err) // every problem of the policy, each with its place
	}
	log.Fatal(http.ListenAndServe("localhost:8080", gate.Middleware(service())))
}

func service() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		caller, ok := countersign.PrincipalFrom(r.Context())
		if !ok { // a public rule, or an optional one
			fmt.Fprintln(w, "hello, whoever you are")
			return
		}
		fmt.Fprintln(w, "hello", caller.Subject)
	})
	return mux
}

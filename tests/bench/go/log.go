package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// logged is the workload of src/log/child.rs: a policy, and the logs of the servers,
// where null is no log.
type logged struct {
	Policy string
	Logs   []*struct {
		Every uint
		File  string
	}
}

// serve serves until the process is ended, and prints the addresses as JSON.
func (l *logged) serve() error {
	var addresses []string
	for _, log := range l.Logs {
		options := []countersign.Option{countersign.WithLogger(slog.New(slog.DiscardHandler))}
		if log != nil {
			file, err := os.Create(log.File)
			if err != nil {
				return err
			}
			decisions := countersign.NewDecisionLog(file, countersign.LogAllows(log.Every))
			options = append(options, countersign.WithOnDecision(decisions.OnDecision))
		}
		gate, err := countersign.New(context.Background(), []byte(l.Policy), options...)
		if err != nil {
			return err
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		ok := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }
		go func() { _ = http.Serve(listener, gate.Middleware(http.HandlerFunc(ok))) }()
		addresses = append(addresses, listener.Addr().String())
	}
	if err := json.NewEncoder(os.Stdout).Encode(addresses); err != nil {
		return err
	}
	select {}
}

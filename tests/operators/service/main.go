// Command service is a Go service as its operator runs it: a gate with a decision
// log, a candidate beside the policy, a readiness probe, and metrics for Prometheus.
//
//	service -policy policy.json -shadow next.json -subject-key subject.key -log go.jsonl
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/countersign/countersign/hosts/go/countersign"
	"github.com/countersign/countersign/hosts/go/otel/countersignotel"
)

func main() {
	policy := flag.String("policy", "policy.json", "file of the policy in force")
	shadow := flag.String("shadow", "", "file of the candidate")
	key := flag.String("subject-key", "", "file of the key that makes subject_ref")
	logged := flag.String("log", "decisions.jsonl", "file of the decision log")
	observe := flag.Bool("observe", false, "decide, and enforce nothing")
	flag.Parse()
	if err := serve(*policy, *shadow, *key, *logged, *observe); err != nil {
		log.Fatal(err)
	}
}

func serve(policy, shadow, key, logged string, observe bool) error {
	file, err := os.OpenFile(logged, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	decisions := countersign.NewDecisionLog(file)
	registry := prometheus.NewRegistry()
	telemetry, err := measured(registry, decisions)
	if err != nil {
		return err
	}
	options := []countersign.Option{
		countersign.WithOnDecision(decisions.OnDecision), countersign.WithOnDecision(telemetry.OnDecision),
		countersign.WithOnDocument(telemetry.OnDocument),
	}
	if key != "" {
		options = append(options, countersign.WithSubjectKey(countersign.SecretFromFile(key)))
	}
	if shadow != "" {
		candidate, err := os.ReadFile(shadow)
		if err != nil {
			return err
		}
		options = append(options, countersign.WithShadow(candidate))
	}
	text, err := os.ReadFile(policy)
	if err != nil {
		return err
	}
	gate, err := countersign.New(context.Background(), text, options...)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())
	middleware := gate.Middleware
	if observe {
		middleware = gate.Observe
	}
	server := &http.Server{Handler: routes(gate, middleware, registry), ReadHeaderTimeout: 10 * time.Second}
	return errors.Join(server.Serve(listener), decisions.Close(), file.Close())
}

// measured counts the events of a gate, and what the log drops, for Prometheus.
func measured(registry *prometheus.Registry, decisions *countersign.DecisionLog) (*countersignotel.Telemetry, error) {
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	if err != nil {
		return nil, err
	}
	telemetry, err := countersignotel.New(metric.NewMeterProvider(metric.WithReader(reader)))
	if err == nil {
		_, err = telemetry.ObserveLog(decisions)
	}
	return telemetry, err
}

// routes: what is for the operator stands in front of the gate. In production it has
// a port of its own.
func routes(gate *countersign.Gate, middleware func(http.Handler) http.Handler, registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /readyz", gate.ReadyHandler())
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		status, err := gate.Status(r.Context())
		if err != nil {
			http.Error(w, "no status", http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(status)
	})
	mux.Handle("/", middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "you may pass\n")
	})))
	return mux
}

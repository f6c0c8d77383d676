// Package static stands in for Traefik's static configuration, which needs every provider
// of configurations and certificates. The middlewares need one type of it.
package static

import otypes "github.com/traefik/traefik/v3/pkg/observability/types"

// Tracing is the configuration of traces, which no test has.
type Tracing struct {
	ServiceName             string
	ResourceAttributes      map[string]string
	CapturedRequestHeaders  []string
	CapturedResponseHeaders []string
	SafeQueryParams         []string
	SampleRate              float64
	OTLP                    *otypes.OTelTracing
}

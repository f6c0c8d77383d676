module github.com/countersign/countersign/tests/operators

go 1.25.0

require (
	github.com/countersign/countersign/hosts/go v0.0.0
	github.com/countersign/countersign/hosts/go/otel v0.0.0
	github.com/grafana/grafana-foundation-sdk/go v0.0.22
	github.com/prometheus/client_golang v1.23.2
	go.opentelemetry.io/otel/exporters/prometheus v0.66.0
	go.opentelemetry.io/otel/sdk/metric v1.44.0
)

replace github.com/countersign/countersign/hosts/go => ../../hosts/go

replace github.com/countersign/countersign/hosts/go/otel => ../../hosts/go/otel

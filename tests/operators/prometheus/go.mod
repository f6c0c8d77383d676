module github.com/countersign/countersign/tests/operators/prometheus

go 1.25.0

tool (
	github.com/prometheus/prometheus/cmd/prometheus
	github.com/prometheus/prometheus/cmd/promtool
)

require github.com/prometheus/prometheus v0.311.3

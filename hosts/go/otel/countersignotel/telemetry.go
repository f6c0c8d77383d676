// Package countersignotel gives the events of a gate to OpenTelemetry: counters, a
// histogram, and an event on the current span.
//
//	telemetry, err := countersignotel.New(otel.GetMeterProvider())
//	gate, err := countersign.New(ctx, policy,
//		countersign.WithOnDecision(telemetry.OnDecision),
//		countersign.WithOnDocument(telemetry.OnDocument))
//
// All names begin with `countersign.`. Nothing in them is a token, a claim's
// value or the path of a request.
package countersignotel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/countersign/countersign/hosts/go/countersign"
)

const scope = "github.com/countersign/countersign/hosts/go/otel/countersignotel"

// waitSeconds are the buckets of `countersign.decision.wait`. Those that OpenTelemetry
// has by default are for milliseconds: every wait would be in the first, up to five
// seconds.
var waitSeconds = []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// A Telemetry counts the events of one or more gates.
type Telemetry struct {
	meter       metric.Meter
	decisions   metric.Int64Counter
	wait        metric.Float64Histogram
	comparisons metric.Int64Counter
	documents   metric.Int64Counter
}

// New makes the instruments, by nil with the global meter provider
// ([otel.GetMeterProvider]). The error is that of the meter provider.
func New(meters metric.MeterProvider) (*Telemetry, error) {
	if meters == nil {
		meters = otel.GetMeterProvider()
	}
	meter := meters.Meter(scope)
	counter := func(name, description string) (metric.Int64Counter, error) {
		return meter.Int64Counter(name, metric.WithDescription(description))
	}
	decisions, err1 := counter("countersign.decisions", "Decisions")
	wait, err2 := meter.Float64Histogram("countersign.decision.wait", metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(waitSeconds...),
		metric.WithDescription("Time for which a decision waited for documents, requests and proofs"))
	comparisons, err3 := counter("countersign.shadow.comparisons", "Decisions of a candidate, compared with those in force")
	documents, err4 := counter("countersign.documents", "Fetches of documents")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return &Telemetry{meter, decisions, wait, comparisons, documents}, nil
}

// OnDecision is the function for [countersign.WithOnDecision]. It counts the
// decision, and adds the event `countersign.decision` to the context's span.
func (t *Telemetry) OnDecision(ctx context.Context, event countersign.DecisionEvent) {
	attributes := decisionAttributes(event)
	if event.Mode == countersign.ModeShadow {
		t.comparisons.Add(ctx, 1, metric.WithAttributes(present(
			attribute.String("countersign.comparison", string(event.Comparison)),
			attribute.String("countersign.code", event.Code),
			attribute.String("countersign.rule", event.Rule.Label()),
		)...))
		attributes = append(attributes, attribute.String("countersign.comparison", string(event.Comparison)))
	} else {
		t.decisions.Add(ctx, 1, metric.WithAttributes(attributes...))
		mode := attribute.String("countersign.mode", string(event.Mode))
		t.wait.Record(ctx, event.WaitedMS/1000, metric.WithAttributes(mode))
	}
	trace.SpanFromContext(ctx).AddEvent("countersign.decision", trace.WithAttributes(attributes...))
}

// OnDocument is the function for [countersign.WithOnDocument].
func (t *Telemetry) OnDocument(event countersign.DocumentEvent) {
	t.documents.Add(context.Background(), 1, metric.WithAttributes(present(
		attribute.String("countersign.document.kind", string(event.Kind)),
		attribute.String("countersign.issuer", event.Issuer),
		attribute.String("countersign.outcome", string(event.Outcome)),
		attribute.String("countersign.reason", string(event.Reason)),
	)...))
}

// ObserveLog counts what a log drops, as `countersign.log.dropped`. It ends with the
// registration.
func (t *Telemetry) ObserveLog(log *countersign.DecisionLog) (metric.Registration, error) {
	dropped, err := t.meter.Int64ObservableCounter("countersign.log.dropped", metric.WithDescription("Events that a decision log has dropped"))
	if err != nil {
		return nil, err
	}
	return t.meter.RegisterCallback(func(_ context.Context, observer metric.Observer) error {
		observer.ObserveInt64(dropped, int64(log.Dropped()))
		return nil
	}, dropped)
}

func decisionAttributes(event countersign.DecisionEvent) []attribute.KeyValue {
	attributes := present(
		attribute.String("countersign.decision", string(event.Decision)),
		attribute.String("countersign.code", event.Code),
		attribute.String("countersign.rule", event.Rule.Label()),
		attribute.String("countersign.issuer", event.Issuer),
		attribute.String("countersign.mode", string(event.Mode)),
	)
	if event.Remembered != nil {
		attributes = append(attributes, attribute.Bool("countersign.remembered", *event.Remembered))
	}
	return attributes
}

// present leaves out what has no value.
func present(attributes ...attribute.KeyValue) (kept []attribute.KeyValue) {
	for _, a := range attributes {
		if a.Value.AsString() != "" {
			kept = append(kept, a)
		}
	}
	return kept
}

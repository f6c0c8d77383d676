package countersignotel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/countersign/countersign/hosts/go/countersign"
	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

type object = issuertest.Object

func text(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func policyOf(issuer *issuertest.Issuer, scope string) object {
	return object{
		"contract": "1", "issuers": []object{issuer.Entry("platform")},
		"rules": []object{
			{"path": "/write", "name": "writers", "require": object{"scopes": []string{scope}}},
			{"path": "/**", "require": object{}},
		},
	}
}

// collected lists every point as `name attribute=value … value`.
func collected(t *testing.T, reader *sdk.ManualReader) (points []string) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, metric := range scope.Metrics {
			switch data := metric.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					points = append(points, line(metric.Name, point.Attributes.Encoded(encoder{}), point.Value))
				}
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					points = append(points, line(metric.Name, point.Attributes.Encoded(encoder{}), point.Count))
					if !slices.Equal(point.Bounds, waitSeconds) {
						t.Errorf("buckets of %s: %v", metric.Name, point.Bounds)
					}
				}
			}
		}
	}
	slices.Sort(points)
	return points
}

func line(name, attributes string, value any) string {
	return strings.ReplaceAll(fmt.Sprintf("%s %s %v", name, attributes, value), "countersign.", "")
}

func TestEventsBecomeMetricsAndSpanEvents(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	reader, spans := sdk.NewManualReader(), tracetest.NewSpanRecorder()
	telemetry, err := New(sdk.NewMeterProvider(sdk.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	log := countersign.NewDecisionLog(io.Discard)
	registration, err := telemetry.ObserveLog(log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = registration.Unregister() }()
	_ = log.Close()
	gate, err := countersign.New(t.Context(), text(t, policyOf(issuer, "read")),
		countersign.WithInstances(1), countersign.WithReadyWait(20*time.Second),
		countersign.WithClock(func() time.Time { return issuertest.Start }),
		countersign.WithLogger(slog.New(slog.DiscardHandler)),
		countersign.WithOnDecision(telemetry.OnDecision), countersign.WithOnDecision(log.OnDecision),
		countersign.WithOnDocument(telemetry.OnDocument),
		countersign.WithShadow(text(t, policyOf(issuer, "admin"))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = gate.Close() }()
	shadowIsReady := func() bool {
		status, err := gate.Status(t.Context())
		return err == nil && status.Shadow.Ready
	}
	for end := time.Now().Add(20 * time.Second); !shadowIsReady() && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	handler := gate.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, token := range []string{issuer.Token(issuertest.A), issuer.Token(issuertest.A), "nonsense"} {
		ctx, span := tracer.Start(context.Background(), "request")
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/write?secret=query", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		handler.ServeHTTP(httptest.NewRecorder(), r)
		span.End()
	}
	points := strings.Join(collected(t, reader), "\n")
	for _, want := range []string{
		"decision.wait mode=enforced 3",
		"decisions decision=allow,issuer=platform,mode=enforced,remembered=false,rule=writers 1",
		"decisions decision=allow,issuer=platform,mode=enforced,remembered=true,rule=writers 1",
		"decisions code=token_malformed,decision=deny,mode=enforced,rule=writers 1",
		"shadow.comparisons code=scope_insufficient,comparison=would_deny,rule=writers 2",
		"shadow.comparisons code=token_malformed,comparison=agree,rule=writers 1",
		"documents document.kind=jwks,issuer=platform,outcome=accepted 2",
		// One allow of two, the denial, and three comparisons, of which one agrees.
		"log.dropped  5",
	} {
		if !strings.Contains("\n"+points+"\n", "\n"+want+"\n") {
			t.Errorf("no %q in\n%s", want, points)
		}
	}
	if strings.Contains(points, "secret") || strings.Contains(points, "ada") {
		t.Errorf("a value in\n%s", points)
	}
	for _, span := range spans.Ended() {
		if events := span.Events(); len(events) != 2 || events[0].Name != "countersign.decision" {
			t.Errorf("events of a span: %v", events)
		}
	}
}

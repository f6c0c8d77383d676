package countersign

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

// A writerOf is a function as a writer.
type writerOf func(line []byte) (int, error)

func (w writerOf) Write(line []byte) (int, error) { return w(line) }

func TestALogHasAllDenialsAndAFewAllows(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	var lines strings.Builder
	log := NewDecisionLog(&lines, LogAllows(4))
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithOnDecision(log.OnDecision))
	token := issuer.Token(keyA)
	for range 10 {
		check(t, gate, "/write", token)
		check(t, gate, "/admin", token)
	}
	want(t, "closed", log.Close(), nil)
	want(t, "closed again", log.Close(), nil)
	counts := map[string]int{}
	for reader := bufio.NewScanner(strings.NewReader(lines.String())); reader.Scan(); {
		event := decoded[struct {
			Time, Decision, Code, Mode string
			Rule                       MatchedRule
		}](t, strings.NewReader(reader.Text()))
		counts[event.Decision+event.Code+event.Rule.Path]++
		_, err := time.Parse("2006-01-02T15:04:05.000Z", event.Time)
		want(t, event.Time, err, nil)
	}
	// The first, the fifth and the ninth.
	want(t, "lines", text(counts), `{"allow/write":3,"denyscope_insufficient/admin":10}`)
	check(t, gate, "/admin", token)
	want(t, "after it was closed", log.Dropped(), 1)
}

func TestAFullRingDropsAndBlocksNobody(t *testing.T) {
	goOn, first := make(chan struct{}), make(chan struct{})
	var once sync.Once
	written := 0
	log := NewDecisionLog(writerOf(func(line []byte) (int, error) {
		once.Do(func() { close(first) })
		<-goOn
		written++
		return len(line), nil
	}), LogRing(3))
	denied := DecisionEvent{Decision: ResultDeny, Mode: ModeEnforced}
	log.OnDecision(t.Context(), denied)
	<-first
	for range 10 {
		log.OnDecision(t.Context(), denied)
	}
	want(t, "dropped", log.Dropped(), 7)
	close(goOn)
	_ = log.Close()
	want(t, "written", written, 4)
}

func TestAWriterThatFailsIsCounted(t *testing.T) {
	for _, fail := range []writerOf{
		func([]byte) (int, error) { return 0, errors.New("full") }, func([]byte) (int, error) { panic("broken") },
	} {
		log := NewDecisionLog(fail)
		log.OnDecision(t.Context(), DecisionEvent{Decision: ResultDeny})
		_ = log.Close()
		want(t, "dropped", log.Dropped(), 1)
	}
}

func TestComparisonsThatDoNotAgreeAreAllLogged(t *testing.T) {
	log := NewDecisionLog(writerOf(func(line []byte) (int, error) { return len(line), nil }), LogAllows(0))
	for comparison, isWanted := range map[Comparison]bool{
		ComparisonAgree: false, ComparisonNotCompared: true, ComparisonDiffers: true, ComparisonWouldAllow: true, ComparisonWouldDeny: true,
	} {
		for _, decision := range []Result{ResultAllow, ResultDeny} {
			event := DecisionEvent{Decision: decision, Mode: ModeShadow, Comparison: comparison}
			want(t, string(comparison), log.isWanted(event), isWanted)
		}
	}
	want(t, "no allows", log.isWanted(DecisionEvent{Decision: ResultAllow, Mode: ModeEnforced}), false)
	_ = log.Close()
}

func TestAllowsAndComparisonsThatAgreeAreSampledEachByACounterOfItsOwn(t *testing.T) {
	log := NewDecisionLog(writerOf(func(line []byte) (int, error) { return len(line), nil }), LogAllows(4))
	var logged []string
	for number := range 8 {
		for _, event := range []DecisionEvent{
			{Decision: []Result{ResultAllow, ResultAnswer}[number%2], Mode: ModeEnforced},
			// Both deny: the denial itself has a line of its own.
			{Decision: ResultDeny, Mode: ModeShadow, Comparison: ComparisonAgree},
		} {
			if log.isWanted(event) {
				logged = append(logged, fmt.Sprint(event.Mode, number))
			}
		}
	}
	want(t, "logged", strings.Join(logged, " "), "enforced0 shadow0 enforced4 shadow4")
	_ = log.Close()
}

package countersign

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func proofOf(id, owner uint32, expires time.Time) (proof Proof) {
	binary.LittleEndian.PutUint32(proof.ID[:], id)
	binary.LittleEndian.PutUint32(proof.Owner[:], owner)
	proof.Expires = expires
	return proof
}

// at sets the monotonic clock of a table.
func at(table *proofTable, now time.Time) {
	table.elapsed = func() time.Duration { return now.Sub(start) }
}

// enters enters proofs with these numbers, and returns how many were entered.
func enters(table *proofTable, from, to, owner uint32, expires, now time.Time) (entered int) {
	at(table, now)
	for id := from; id < to; id++ {
		if isFirst, err := table.enter(proofOf(id, owner, expires), now); isFirst && err == nil {
			entered++
		}
	}
	return entered
}

func TestAProofIsUsedOnceUntilItExpires(t *testing.T) {
	table := newProofTable(10, 10)
	expires := start.Add(time.Minute)
	for _, test := range []struct {
		at      time.Time
		isFirst bool
	}{
		{start, true}, {start, false}, {start.Add(-time.Hour), false},
		{expires.Add(-time.Millisecond), false}, {expires, true}, {expires, true},
	} {
		// A proof that has expired is no longer kept: the gate refuses it.
		at(table, test.at)
		isFirst, err := table.enter(proofOf(1, 1, expires), test.at)
		want(t, test.at.String(), isFirst, test.isFirst)
		want(t, "error", err, nil)
	}
}

func TestATableThatIsFullForgetsNoLiveProof(t *testing.T) {
	table := newProofTable(100, 10)
	expires := start.Add(time.Minute)
	for owner := range uint32(10) {
		want(t, "entered", enters(table, owner*10, owner*10+10, owner, expires, start), 10)
	}
	_, err := table.enter(proofOf(100, 50, expires), start)
	want(t, "one more", err, errTableFull)
	for id := range uint32(100) {
		isFirst, err := table.enter(proofOf(id, id/10, expires), start)
		want(t, "again", isFirst || err != nil, false)
	}
	want(t, "after they have expired", enters(table, 100, 110, 50, expires.Add(time.Minute), expires), 10)
	want(t, "what is kept", len(table.owners) == 10 && len(table.expiry) == 10 && len(table.counts) == 1, true)
}

func TestAKeyThatFloodsTheTableTakesHalfOfIt(t *testing.T) {
	table := newProofTable(1000, 10)
	expires := start.Add(time.Minute)
	want(t, "the flood", enters(table, 0, 1000, 1, expires, start), 500)
	_, err := table.enter(proofOf(1000, 1, expires), start)
	want(t, "why", err, errShareUsed)
	want(t, "another flood", enters(table, 1000, 2000, 2, expires, start), 250)
	want(t, "another client", enters(table, 2000, 2100, 3, expires, start), 100)
	// What is left is for all: each has its share while there is a place.
	for owner := uint32(10); owner < 25; owner++ {
		want(t, "its share", enters(table, owner*1000, owner*1000+10, owner, expires, start), 10)
	}
	want(t, "the places are used", enters(table, 90_000, 90_010, 90, expires, start), 0)
}

func TestOfManyUsesAtOnceOneIsTheFirst(t *testing.T) {
	table := newProofTable(proofPlaces, proofShare)
	var first atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for id := range uint32(500) {
				if isFirst, err := table.enter(proofOf(id, 1, start.Add(time.Minute)), start); isFirst && err == nil {
					first.Add(1)
				}
			}
		})
	}
	all.Wait()
	want(t, "first uses", first.Load(), 500)
}

// A client chooses when its proofs are issued, so they do not expire in order.
func TestProofsAreForgottenInTheOrderInWhichTheyExpire(t *testing.T) {
	table := newProofTable(1000, 1000)
	for id := range uint32(500) {
		at(table, start)
		expires := start.Add(time.Duration((id*7919)%500+1) * time.Second)
		if isFirst, err := table.enter(proofOf(id, id, expires), start); !isFirst || err != nil {
			t.Fatal(isFirst, err)
		}
	}
	for seconds := range 500 {
		at(table, start.Add(time.Duration(seconds)*time.Second))
		table.forgetUntil(start.Add(time.Duration(seconds) * time.Second).UnixMilli())
		if kept := 500 - seconds; len(table.owners) != kept || len(table.counts) != kept || len(table.expiry) != kept {
			t.Fatalf("after %d s: %d, not %d", seconds, len(table.owners), kept)
		}
	}
}

// Set forward and back, a clock makes proofs good again that had expired by it.
func TestAProofIsKeptUntilBothClocksSayThatItHasExpired(t *testing.T) {
	expires := start.Add(time.Minute)
	for _, test := range []struct {
		name            string
		wall, monotonic time.Duration
		isKept          bool
	}{
		{"set forward", time.Hour, time.Second, true},
		{"set back", -time.Hour, 2 * time.Minute, true},
		{"in its time", 2 * time.Minute, 2 * time.Minute, false},
	} {
		table := newProofTable(10, 10)
		want(t, "entered", enters(table, 1, 2, 1, expires, start), 1)
		at(table, start.Add(test.monotonic))
		table.forgetUntil(start.Add(test.wall).UnixMilli())
		want(t, test.name, len(table.owners) == 1, test.isKept)
	}
}

func BenchmarkProofTable(b *testing.B) {
	table := newProofTable(proofPlaces, proofShare)
	now := start
	for id := range uint32(proofPlaces) {
		_, _ = table.enter(proofOf(id, id%1000, now.Add(time.Duration(id)*time.Millisecond)), now)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Millisecond)
		at(table, now)
		id := uint32(proofPlaces + i)
		_, _ = table.enter(proofOf(id, id%1000, now.Add(proofPlaces*time.Millisecond)), now)
	}
}

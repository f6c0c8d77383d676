package countersign

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
)

// Label returns the rule's name, or `/rules/` and its index if it has none. For
// nil it is empty.
func (r *MatchedRule) Label() string {
	switch {
	case r == nil:
		return ""
	case r.Name != "":
		return r.Name
	}
	return "/rules/" + strconv.FormatUint(uint64(r.Index), 10)
}

// A ShadowStatus is the state of a candidate ([WithShadow]).
type ShadowStatus struct {
	PolicyDigest string
	// Ready is as [Gate.Ready], for the candidate.
	Ready bool
	// Documents are those of the candidate.
	Documents []DocumentStatus
	// Counts are the comparisons since the candidate or the policy in force was
	// last replaced. There are at most 1,000; Other counts the rest.
	Counts []ComparisonCount
	Other  uint64
}

// A ComparisonCount is a number of equal comparisons.
type ComparisonCount struct {
	Comparison Comparison
	// Rule is the rule of the policy in force ([MatchedRule.Label]); empty if none
	// matched.
	Rule string
	// Code is the candidate's; empty if it did not deny.
	Code  string
	Count uint64
}

// The most different comparisons that are counted apart.
const maxCounts = 1000

type comparisonKey struct {
	comparison Comparison
	rule, code string
}

type comparisonCounts struct {
	mu    sync.Mutex
	by    map[comparisonKey]uint64
	other uint64
}

func (c *comparisonCounts) add(key comparisonKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[comparisonKey]uint64{}
	}
	if _, ok := c.by[key]; !ok && len(c.by) == maxCounts {
		c.other++
		return
	}
	c.by[key]++
}

func (c *comparisonCounts) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by, c.other = nil, 0
}

// list returns the counts in the order of their keys, and the rest.
func (c *comparisonCounts) list() (counts []ComparisonCount, other uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, count := range c.by {
		counts = append(counts, ComparisonCount{key.comparison, key.rule, key.code, count})
	}
	slices.SortFunc(counts, func(a, b ComparisonCount) int {
		return cmp.Or(cmp.Compare(a.Comparison, b.Comparison), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Code, b.Code))
	})
	return counts, c.other
}

// status returns nil if there is no candidate, or none any more.
func (s *shadow) status(ctx context.Context, nowMS uint64) (status *ShadowStatus, err error) {
	if s == nil {
		return nil, nil
	}
	status = &ShadowStatus{PolicyDigest: s.candidate.digest, Ready: s.candidate.isReady()}
	status.Counts, status.Other = s.counts.list()
	err = s.candidate.pool.call(ctx, func(reader *reader) (err error) {
		status.Documents, err = reader.instance.Status(nowMS)
		return err
	})
	if errors.Is(err, errRetired) {
		return nil, nil
	}
	return status, err
}

package countersign

// tellDocument gives the event of a fetch to the hooks. `died` is not nil if the
// instance died that read the document.
func (g *generation) tellDocument(fetch Fetch, supplied Supplied, failed *failure, died error) {
	nowMS, err := g.settings.nowMS()
	if len(g.settings.hooks.document) == 0 || err != nil || supplied.Outcome == Outdated {
		return
	}
	event := DocumentEvent{
		Kind:         fetch.Kind,
		Issuer:       fetch.Issuer,
		Outcome:      DocumentRefused,
		Reason:       ReasonRefused,
		AgeMS:        g.pool.journals.of(fetch.Issuer).age(fetch.Source, nowMS),
		Mode:         g.mode,
		PolicyDigest: g.digest,
	}
	switch {
	case failed != nil:
		event.Outcome, event.Reason, event.Detail = DocumentFailed, failed.reason, failed.detail
	case died != nil:
		event.Detail = internalError().Code
	case supplied.Outcome == Accepted:
		event.Outcome, event.Reason = DocumentAccepted, ""
		event.Used, event.Skipped = int(supplied.Used), len(supplied.Problems)
	default:
		for _, problem := range supplied.Problems {
			event.Detail = problem.Code
			if problem.Pointer != "" {
				event.Detail += " " + problem.Pointer
			}
		}
	}
	g.settings.tellDocument(event)
}

package countersign

import "testing"

func TestAJournalIsReadInTheOrderInWhichItsDocumentsWereInForce(t *testing.T) {
	discovery := Fetch{Source: 1, Kind: KindDiscovery, URI: "https://a/.well-known"}
	keysAt := func(uri string) Fetch { return Fetch{Source: 2, Kind: KindJWKS, URI: uri} }
	document := &Response{Status: 200}
	var j journal
	read := func(from uint64) (uris []string) {
		for e := j.after(from); e != nil; e = j.after(e.number) {
			uris = append(uris, e.fetch.URI)
		}
		return uris
	}
	j.accept(discovery, document, 1)
	j.accept(keysAt("old"), document, 2)
	second := j.accept(discovery, document, 3)
	want(t, "keys, under the document that named them", text(read(0)), text([]string{discovery.URI, "old", discovery.URI}))
	want(t, "from there on", text(read(1)), text([]string{"old", discovery.URI}))
	j.fail(keysAt("new"), 4)
	j.fail(keysAt("new"), 5)
	want(t, "failures are all there", text(read(second)), text([]string{"new", "new"}))
	j.accept(keysAt("new"), document, 6)
	want(t, "the old is gone", text(read(0)), text([]string{discovery.URI, "new"}))
	for range 100 {
		j.fail(discovery, 7)
	}
	want(t, "failures are bounded", len(read(0)), 2+failuresKept)
}

func TestAFetchIsOverWhenItsDocumentCameOrMayHaveMoved(t *testing.T) {
	discovery := Fetch{Source: 1, Kind: KindDiscovery, URI: "https://a/.well-known"}
	old, moved := Fetch{Source: 2, Kind: KindJWKS, URI: "old"}, Fetch{Source: 2, Kind: KindJWKS, URI: "new"}
	revocations := Fetch{Source: 3, Kind: KindRevocations, URI: "list"}
	var j journal
	first := j.accept(discovery, &Response{Status: 200}, 1)
	want(t, "no fetch has ended", j.isNewer(old, first), false)
	j.fail(old, 2)
	want(t, "it has failed", j.isNewer(old, first), true)
	want(t, "from another address", j.isNewer(moved, first), false)
	read := j.fail(discovery, 3)
	want(t, "discovery has failed", j.isNewer(moved, first), false)
	j.accept(discovery, &Response{Status: 200}, 4)
	want(t, "discovery may have moved the keys", j.isNewer(old, read) && j.isNewer(moved, read), true)
	want(t, "but not the revocations", j.isNewer(revocations, read), false)
}

//! Supplies any bytes as key, metadata and revocation documents, twice. The
//! second time, the gate accepts the same ones. It fetches them again at the
//! time that `next_due` returns.
#![no_main]

use countersign::{Gate, Outcome, Supplied};
use libfuzzer_sys::fuzz_target;

const POLICY: &[u8] = br#"{ "contract": "1", "issuers": [
    { "name": "keys", "issuer": "https://a.test", "audiences": "any",
      "algorithms": ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"],
      "keys": { "jwks_uri": "https://a.test/jwks" },
      "revocations": { "uri": "https://a.test/revoked" } },
    { "name": "found", "issuer": "https://b.test", "audiences": "any",
      "algorithms": ["RS256"], "keys": { "discovery": true } }],
  "rules": [{ "path": "/", "public": true }] }"#;

fuzz_target!(|input: (u16, &str, &[u8])| {
    let (status, cache_control, body) = input;
    let status = if status < 1000 { status } else { 200 };
    let mut gate = Gate::open(POLICY, 1).expect("the policy is good");
    for fetch in gate.due(1) {
        let mut supply = |now_ms| {
            let (first, mut rest) = body.split_at(body.len() / 2);
            let outcome = Outcome::Response {
                status,
                cache_control,
                length: body.len(),
                body: first.into(),
            };
            let mut supplied = gate.supply(fetch.source, &fetch.uri, outcome, now_ms);
            while let Supplied::Unfinished = supplied {
                supplied = gate.resume(fetch.source, rest, now_ms);
                rest = &[];
            }
            matches!(supplied, Supplied::Accepted { .. })
        };
        let first = supply(1);
        assert_eq!(supply(2), first);
        assert!(status == 200 || !first);
    }
    let due_in_ms = gate.next_due(2).expect("documents are fetched again");
    assert!(!gate.due(2 + due_in_ms).is_empty());
    gate.status(u64::MAX);
});

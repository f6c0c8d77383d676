//! Any bytes as key, metadata and revocation documents, twice: what was
//! accepted once is accepted again.
#![no_main]

use countersign::{Gate, Outcome};
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
    let outcome = || Outcome::Response {
        status,
        cache_control,
        body,
    };
    let mut gate = Gate::open(POLICY, 1).expect("the policy is good");
    for fetch in gate.due(1) {
        let first = gate.supply(fetch.source, outcome(), 1).is_ok();
        assert_eq!(gate.supply(fetch.source, outcome(), 2).is_ok(), first);
        assert!(status == 200 || !first);
    }
    gate.due(u64::MAX);
    gate.status(u64::MAX);
});

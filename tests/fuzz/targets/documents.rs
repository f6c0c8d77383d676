//! Supplies any bytes as key, metadata and revocation documents, and inside a
//! PEM, twice. The second time, the gate accepts the same ones. It fetches them
//! again at the time that `next_due` returns.
#![no_main]

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::{Decision, Gate, Outcome, Supplied};
use libfuzzer_sys::fuzz_target;

const POLICY: &[u8] = br#"{ "contract": "1", "issuers": [
    { "name": "keys", "issuer": "https://a.test", "audiences": "any",
      "algorithms": ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"],
      "keys": { "jwks_uri": "https://a.test/jwks" },
      "revocations": { "uri": "https://a.test/revoked" } },
    { "name": "found", "issuer": "https://b.test", "audiences": "any",
      "algorithms": ["RS256"], "keys": { "discovery": true } },
    { "name": "pem", "issuer": "https://c.test", "audiences": "any",
      "algorithms": ["RS256", "ES256", "ES384", "ES512", "EdDSA"],
      "keys": [
        { "pem_uri": "https://c.test/keys", "algorithms": ["RS256", "ES256", "ES384", "ES512", "EdDSA"] },
        { "pem_uri": "https://c.test/{kid}", "algorithms": ["ES256"] }] }],
  "rules": [{ "path": "/", "public": true }] }"#;

/// `{"alg":"ES256","kid":"k"}` of `https://c.test`, which no key verifies.
const TOKEN: &[u8] = b"eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2MudGVzdCJ9.AA";

fuzz_target!(|input: (u16, &str, &[u8])| {
    let (status, cache_control, body) = input;
    let status = if status < 1000 { status } else { 200 };
    let mut gate = Gate::open(POLICY, 1).expect("the policy is good");
    let mut fetches = gate.due(1);
    let Decision::Wait(by_kid) = gate.check_token(TOKEN, 0, 1) else {
        panic!("the token needs a key");
    };
    assert_eq!(by_kid.len(), 2);
    // A body that is no JSON is more often a key if its PEM lines are given.
    let label = if body.len() % 2 == 0 {
        "PUBLIC KEY"
    } else {
        "CERTIFICATE"
    };
    let pem = [
        b"-----BEGIN ",
        label.as_bytes(),
        b"-----\n",
        BASE64_STANDARD.encode(body).as_bytes(),
        b"\n-----END -----",
    ]
    .concat();
    fetches.extend(by_kid.into_iter().filter(|fetch| fetch.uri.ends_with("/k")));
    for fetch in fetches {
        let is_pem = fetch.uri.ends_with("/k");
        let body: &[u8] = if is_pem { &pem } else { body };
        let mut supply = |now_ms| {
            let (first, mut rest) = body.split_at(if is_pem { body.len() } else { body.len() / 2 });
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

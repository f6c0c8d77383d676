//! Tests of readiness: which documents a host waits for when it starts.

use countersign::{FetchKind, Gate, Outcome, Supplied};
use serde_json::{Value, json};

const NOW_MS: u64 = 1_700_000_000_000;
const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"jYmlyW9yZC7WciGVayH9Zlm3NDgXPj1EpICeF2J8IHE"},{"kty":"new"}]}"#;

/// A gate for issuers with these members beside their names, audiences and
/// algorithms.
fn gate(issuers: &[Value]) -> Gate {
    let mut all = Vec::new();
    for (index, members) in issuers.iter().enumerate() {
        let mut issuer = json!({ "name": index.to_string(), "issuer": format!("https://{index}.test"),
            "audiences": ["api"], "algorithms": ["EdDSA"], "keys": { "jwks_uri": format!("https://{index}.test/keys") } });
        for (name, value) in members.as_object().unwrap() {
            issuer[name] = value.clone();
        }
        all.push(issuer);
    }
    let policy =
        json!({ "contract": "1", "issuers": all, "rules": [{ "path": "/**", "require": {} }] });
    Gate::open(policy.to_string().as_bytes(), 0).unwrap()
}

/// Supplies the document of this kind of each issuer that is due.
fn supply(gate: &mut Gate, kind: FetchKind, body: &str) -> Vec<Supplied> {
    let due = gate.documents().into_iter();
    let due: Vec<_> = due.filter(|fetch| fetch.kind == kind).collect();
    assert!(!due.is_empty(), "no {kind:?}");
    let supply = |fetch: &countersign::Fetch| {
        let outcome = Outcome::Response {
            status: 200,
            cache_control: "",
            length: body.len(),
            body: body.as_bytes().into(),
        };
        let mut supplied = gate.supply(fetch.source, &fetch.uri, outcome, NOW_MS);
        while supplied == Supplied::Unfinished {
            supplied = gate.resume(fetch.source, &[], NOW_MS);
        }
        supplied
    };
    due.iter().map(supply).collect()
}

fn needed(gate: &Gate) -> Vec<(FetchKind, bool)> {
    let status = gate.status(NOW_MS).into_iter();
    status
        .map(|document| (document.kind, document.needed))
        .collect()
}

#[test]
fn a_gate_without_documents_is_ready() {
    let keys = json!({ "keys": { "jwks": serde_json::from_str::<Value>(KEYS).unwrap() } });
    assert!(gate(&[keys]).ready());
}

#[test]
fn a_gate_is_ready_when_every_issuer_had_its_keys_and_stays_so() {
    let mut gate = gate(&[json!({}), json!({})]);
    assert!(!gate.ready());
    let [first, second] = &gate.documents()[..] else {
        panic!("two documents")
    };
    let take = |gate: &mut Gate, fetch: &countersign::Fetch, body: &'static str| {
        let outcome = Outcome::Response {
            status: 200,
            cache_control: "max-age=60",
            length: body.len(),
            body: body.as_bytes().into(),
        };
        gate.supply(fetch.source, &fetch.uri, outcome, NOW_MS)
    };
    let Supplied::Accepted { used, skipped } = take(&mut gate, first, KEYS) else {
        panic!("it is refused")
    };
    assert_eq!(
        (used, skipped.len()),
        (1, 1),
        "the key of an unknown type is skipped"
    );
    assert!(!gate.ready());
    assert!(matches!(take(&mut gate, second, "{"), Supplied::Refused(_)));
    assert!(!gate.ready(), "a refused document is none");
    assert!(matches!(
        take(&mut gate, second, KEYS),
        Supplied::Accepted { .. }
    ));
    assert!(gate.ready());
    let year_ms = 365 * 24 * 3_600_000;
    assert!(
        gate.status(NOW_MS + year_ms)
            .iter()
            .all(|document| !document.usable)
    );
    assert!(gate.ready(), "documents that are too old change nothing");
}

#[test]
fn the_keys_behind_discovery_are_needed_too() {
    let mut gate = gate(&[json!({ "keys": { "discovery": true } })]);
    let metadata = r#"{"issuer":"https://0.test","jwks_uri":"https://0.test/keys"}"#;
    supply(&mut gate, FetchKind::Discovery, metadata);
    assert!(!gate.ready());
    supply(&mut gate, FetchKind::Jwks, KEYS);
    assert!(gate.ready());
}

#[test]
fn revocations_are_needed_only_if_they_are_required() {
    let uri = "https://0.test/revoked";
    let mut lax = gate(&[json!({ "revocations": { "uri": uri, "required": false } })]);
    supply(&mut lax, FetchKind::Jwks, KEYS);
    assert!(lax.ready());
    assert_eq!(
        needed(&lax),
        [(FetchKind::Jwks, true), (FetchKind::Revocations, false)]
    );
    let mut strict = gate(&[json!({ "revocations": { "uri": uri, "required": true } })]);
    supply(&mut strict, FetchKind::Jwks, KEYS);
    assert!(!strict.ready());
    assert_eq!(
        needed(&strict),
        [(FetchKind::Jwks, true), (FetchKind::Revocations, true)]
    );
    let supplied = supply(
        &mut strict,
        FetchKind::Revocations,
        r#"{"jti":["a","b"],"sub":[{"sub":"c"}]}"#,
    );
    assert!(
        matches!(supplied[..], [Supplied::Accepted { used: 3, .. }]),
        "{supplied:?}"
    );
    assert!(strict.ready());
}

#[test]
fn an_issuer_may_be_missing_at_the_start() {
    let mut gate = gate(&[json!({}), json!({ "needed_at_start": false })]);
    let first = gate.documents().remove(0);
    let body = KEYS.as_bytes();
    let outcome = Outcome::Response {
        status: 200,
        cache_control: "",
        length: body.len(),
        body: body.into(),
    };
    gate.supply(first.source, &first.uri, outcome, NOW_MS);
    assert!(gate.ready());
    assert_eq!(
        needed(&gate),
        [(FetchKind::Jwks, true), (FetchKind::Jwks, false)]
    );
}

#[test]
fn what_a_kid_asks_for_is_not_waited_for() {
    let keys = json!({ "pem_uri": "https://0.test/{kid}.pem" });
    let mut gate = gate(&[json!({ "algorithms": ["RS256"], "keys": keys })]);
    assert!(gate.ready());
    assert!(needed(&gate).iter().all(|(_, needed)| !needed));
}

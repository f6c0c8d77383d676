//! Tests of the policy's parser and its JSON Schema, and comparisons of both.
//!
//! `whole.json` uses every field. Each entry of `mutations.json` changes it in
//! one place and lists the problems of the result.

mod mutation;
mod place;
mod problems;
mod schema;

use countersign::{Gate, Host, Problem, Severity, lint, policy_json};
use serde_json::{Value, json};

use mutation::{Places, WHOLE, places};

/// The secrets that `whole.json` names.
const SECRETS: [(&str, &[u8]); 9] = [
    ("house-secret", &[b'a'; 64]),
    ("moving-0", &[b'a'; 64]),
    ("moving-1", &[b'b'; 64]),
    ("pepper", &[b'a'; 64]),
    ("old-pepper", &[b'a'; 64]),
    ("keys-authorization", b"Bearer abc"),
    ("introspection", b"a secret"),
    ("DPOP_NONCE", &[b'a'; 32]),
    ("DPOP_NONCE_OLD", &[b'b'; 32]),
];

fn open(secrets: &[(&str, &[u8])]) -> Result<Gate, Vec<Problem>> {
    let policy = policy_json(WHOLE.as_bytes()).unwrap();
    let host = Host {
        secrets,
        ..Host::default()
    };
    Gate::open_json(&policy, host)
}

#[test]
fn a_policy_that_uses_every_field_has_no_problem() {
    assert_eq!(lint(WHOLE.as_bytes()), []);
    assert!(open(&SECRETS).is_ok());
    // What the host does not have is missed where the policy names it.
    let mut secrets = SECRETS;
    secrets[4].0 = "new-pepper";
    secrets[5].1 = b"two\nlines";
    secrets[6].1 = b"";
    let problems = open(&secrets).unwrap_err();
    let found: Vec<_> = problems.iter().map(|p| (&*p.pointer, p.code)).collect();
    let expected = [
        ("/issuers/7/api_keys/pepper/1/secret_from", "secret_missing"),
        ("/issuers/7/api_keys/headers/Authorization", "value_invalid"),
        (
            "/issuers/9/introspection/client/secret_from",
            "secret_missing",
        ),
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_example_of_the_documentation_has_no_problem() {
    const DESIGN: &str = include_str!("design.json");
    assert_eq!(lint(DESIGN.as_bytes()), []);
    assert!(schema::Schema::new().accepts(&place::parsed(DESIGN)));
}

#[test]
fn ten_thousand_issuers_and_rules_are_read() {
    let policy = large(10_000);
    assert_eq!(lint(policy.as_bytes()), []);
    let found = lint(large(10_001).as_bytes());
    let expected = ["/issuers", "/rules"]
        .map(|place| (place.to_owned(), "too_many".to_owned(), Severity::Error));
    assert_eq!(places(&found), expected.into());
}

#[test]
fn a_separate_requirement_refers_to_the_names_of_its_policy() {
    let mut gate = open(&SECRETS).unwrap();
    let mut prepare = |requirement: Value| {
        let prepared = gate.prepare(requirement.to_string().as_bytes());
        prepared.map_err(|problems| places(&problems))
    };
    assert!(prepare(json!({ "issuers": ["platform"], "types": ["pat"] })).is_ok());
    assert!(prepare(json!({})).is_ok());
    let refused = |place: &str, code: &str| -> Result<u32, Places> {
        Err([(place.to_owned(), code.to_owned(), Severity::Error)].into())
    };
    assert_eq!(
        prepare(json!({ "issuers": ["platfrom"] })),
        refused("/issuers/0", "unknown_name")
    );
    assert_eq!(
        prepare(json!({ "types": ["pta"] })),
        refused("/types/0", "unknown_name")
    );
    assert_eq!(
        prepare(json!({ "issuers": ["partner"], "types": ["pat"] })),
        refused("/types/0", "unknown_name")
    );
    assert_eq!(
        prepare(json!({ "tenant": "{org}" })),
        refused("/tenant", "unknown_name")
    );
    assert_eq!(
        prepare(json!({ "scope": ["a"] })),
        refused("/scope", "field_unknown")
    );
    assert_eq!(prepare(json!([])), refused("", "type_wrong"));
}

/// Makes a policy with `count` issuers, and as many rules that name them.
fn large(count: usize) -> String {
    let issuers: Vec<Value> = (0..count)
        .map(|i| {
            json!({
                "name": format!("issuer-{i}"),
                "issuer": format!("https://{i}.example.com"),
                "audiences": ["platform"],
                "algorithms": ["RS256"],
                "keys": { "jwks_uri": format!("https://{i}.example.com/jwks.json") },
                "claims": { "tenant": "/tenant_id" },
            })
        })
        .collect();
    let rules: Vec<Value> = (0..count)
        .map(|i| {
            json!({
                "path": format!("/orgs/{{org}}/things-{i}/**"),
                "methods": ["GET", "POST"],
                "require": { "issuers": [format!("issuer-{i}")], "tenant": "{org}" },
            })
        })
        .collect();
    json!({ "contract": "1", "issuers": issuers, "rules": rules }).to_string()
}

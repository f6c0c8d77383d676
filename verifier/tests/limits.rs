//! The limits of policies, documents and requests, each at its number and one
//! above it.

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64URL};
use countersign::{Decision, Gate, Outcome, Request, Severity, Supplied, lint};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const NOW_MS: u64 = 1_700_000_000_000;
const PEM: &str = include_str!("../../tests/keys/ec-p256.pem");
const CERTIFICATE: &str = include_str!("../../tests/keys/ec-p256-certificate.pem");

fn policy() -> Value {
    json!({ "contract": "1", "issuers": [{ "name": "a", "issuer": "https://a.test", "audiences": "any",
            "algorithms": ["HS256"], "keys": { "secrets": [{ "k": B64URL.encode([7; 32]) }] } }],
        "rules": [{ "path": "/**", "require": {} }] })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut policy = policy();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    policy.pointer_mut(parent).unwrap()[name] = value;
    policy
}

/// Returns the code of the policy's only error.
fn refused(policy: &Value) -> Option<&'static str> {
    let mut errors: Vec<_> = lint(policy.to_string().as_bytes())
        .into_iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| problem.code)
        .collect();
    assert!(errors.len() < 2, "{errors:?}");
    errors.pop()
}

fn token(claims: &Value) -> String {
    // `iss` comes first: it is read from claims that exceed a limit behind it.
    let exp = NOW_MS / 1000 + 60;
    let members = claims.to_string();
    let claims = match members.strip_prefix('{') {
        Some("}") | None => panic!("claims are an object with members"),
        Some(members) => format!(r#"{{"iss":"https://a.test","exp":{exp},{members}"#),
    };
    let input = format!(
        "{}.{}",
        B64URL.encode(r#"{"alg":"HS256"}"#),
        B64URL.encode(claims)
    );
    let mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    let tag = mac.chain_update(&input).finalize().into_bytes();
    format!("{input}.{}", B64URL.encode(tag))
}

fn check(policy: &Value, target: &str, headers: &[(&str, &str)]) -> Result<usize, &'static str> {
    let mut gate = Gate::open(policy.to_string().as_bytes(), 0).unwrap();
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let request = Request {
        method: b"GET",
        authority: b"a.test",
        target: target.as_bytes(),
        headers: &headers,
        connection: Default::default(),
    };
    match gate.check(&request, NOW_MS) {
        Decision::Allow(grant) => Ok(grant.principal.map_or(0, |principal| principal.roles.len())),
        Decision::Deny(denial) => Err(denial.code.as_str()),
        other => panic!("{other:?}"),
    }
}

fn roles(policy: &Value, claims: &Value) -> Result<usize, &'static str> {
    let bearer = format!("Bearer {}", token(claims));
    check(policy, "/", &[("authorization", &bearer)])
}

#[test]
fn a_list_has_16_places_and_all_lists_have_64_different_ones() {
    let places = |range: std::ops::Range<usize>| -> Value {
        range
            .map(|n| json!({ "header": format!("x-{n}") }))
            .collect()
    };
    let rules = |last: Value| {
        let lists = (0..3).map(|n| places(n * 16..n * 16 + 16)).chain([last]);
        let rule =
            |(n, list)| json!({ "path": format!("/{n}"), "require": {}, "credentials": list });
        let mut policy = with("/rules", lists.enumerate().map(rule).collect());
        policy["credentials"] = places(0..16);
        policy
    };
    assert_eq!(refused(&rules(places(48..64))), None);
    assert_eq!(refused(&rules(places(0..17))), Some("too_many"));
    let mut policy = rules(places(48..64));
    policy["credentials"] = json!([{ "header": "x-another" }]);
    assert_eq!(refused(&policy), Some("too_many"));
    // The same place in several lists counts once.
    policy["credentials"] = places(20..30);
    assert_eq!(refused(&policy), None);
}

#[test]
fn the_keys_of_an_object_and_json_in_a_text_have_the_limits_of_claims() {
    let object = |members: usize| -> Value {
        let members = (0..members).map(|n| (format!("role-{n}"), json!(1)));
        Value::Object(members.collect())
    };
    let keys = with(
        "/issuers/0/claims",
        json!({ "roles": { "claim": "/r", "as": "keys" } }),
    );
    assert_eq!(roles(&keys, &json!({ "r": object(256) })), Ok(256));
    assert_eq!(
        roles(&keys, &json!({ "r": object(257) })),
        Err("claims_invalid")
    );
    let text = with(
        "/issuers/0/claims",
        json!({ "roles": { "claim": "/r", "as": "json", "at": { "claim": "/x", "as": "keys" } } }),
    );
    let said = |members| json!({ "r": json!({ "x": object(members) }).to_string() });
    assert_eq!(roles(&text, &said(256)), Ok(256));
    assert_eq!(roles(&text, &said(257)), Err("claims_invalid"));
    // A condition that cannot read it is unknown, so it does not hold.
    let wanted = json!({ "/r": { "as": "json", "at": "/x/role-0", "not": { "equals": 2 } } });
    let rule = with("/rules/0/require", json!({ "claims": wanted }));
    assert_eq!(roles(&rule, &said(256)), Ok(0));
    assert_eq!(roles(&rule, &said(257)), Err("claim_denied"));
}

#[test]
fn a_policy_lists_100_secrets_and_100_keys_in_pem() {
    let secret = |n: usize| json!({ "kid": format!("{n}"), "k": B64URL.encode([7; 32]) });
    let secrets = |count: usize| with("/issuers/0/keys/secrets", (0..count).map(secret).collect());
    assert_eq!(refused(&secrets(100)), None);
    assert_eq!(refused(&secrets(101)), Some("too_many"));
    let pem =
        |n: usize| json!({ "kid": format!("{n}"), "pem": if n == 0 { CERTIFICATE } else { PEM } });
    let pems = |count: usize| {
        let mut policy = with(
            "/issuers/0/keys",
            json!({ "pem": (0..count).map(pem).collect::<Value>() }),
        );
        policy["issuers"][0]["algorithms"] = json!(["ES256"]);
        policy
    };
    assert_eq!(refused(&pems(100)), None);
    assert_eq!(refused(&pems(101)), Some("too_many"));
}

#[test]
fn a_key_document_has_1000_keys_for_its_algorithms_and_one_mebibyte() {
    let fetching = |keys: Value| {
        let mut policy = with("/issuers/0/keys", keys);
        policy["issuers"][0]["algorithms"] = json!(["RS256"]);
        let mut gate = Gate::open(policy.to_string().as_bytes(), 0).unwrap();
        let due = gate.due(NOW_MS);
        (gate, due)
    };
    let supply = |keys: Value, body: String| {
        let (mut gate, due) = fetching(keys);
        let outcome = Outcome::Response {
            status: 200,
            cache_control: "",
            length: body.len(),
            body: body.into_bytes().into(),
        };
        let mut supplied = gate.supply(due[0].source, &due[0].uri, outcome, NOW_MS);
        while supplied == Supplied::Unfinished {
            supplied = gate.resume(due[0].source, b"", NOW_MS);
        }
        match supplied {
            Supplied::Accepted { skipped, .. } => Ok(skipped.len()),
            Supplied::Refused(problem) => Err(problem.code),
            other => panic!("{other:?}"),
        }
    };
    let rsa = |n: usize| {
        let mut modulus = [0xff; 256];
        modulus[..8].copy_from_slice(&(n as u64 | 1 << 63).to_be_bytes());
        json!({ "kty": "RSA", "kid": format!("{n}"), "alg": "RS256", "n": B64URL.encode(modulus), "e": "AQAB" })
    };
    let other = json!({ "kty": "RSA", "kid": "ps", "alg": "PS256", "n": rsa(0)["n"], "e": "AQAB" });
    let jwks = |count: usize, others: usize| {
        let keys = (0..count)
            .map(rsa)
            .chain((0..others).map(|_| other.clone()));
        json!({ "keys": keys.collect::<Value>() }).to_string()
    };
    let uri = || json!({ "jwks_uri": "https://a.test/keys" });
    assert_eq!(supply(uri(), jwks(1_000, 1)), Ok(0));
    assert_eq!(supply(uri(), jwks(1_001, 0)), Err("too_many"));
    let padded = |bytes: usize| {
        let keys = jwks(1, 0);
        format!("{keys}{}", " ".repeat(bytes - keys.len()))
    };
    assert_eq!(supply(uri(), padded(1 << 20)), Ok(0));
    assert_eq!(
        supply(uri(), padded((1 << 20) + 1)),
        Err("document_too_large")
    );

    let rsa_pem = include_str!("../../tests/keys/rsa-2048-a.pem");
    let map = |count: usize| {
        let members = (0..count).map(|n| (format!("{n}"), json!(rsa_pem)));
        Value::Object(members.collect()).to_string()
    };
    let uri = || json!({ "pem_uri": "https://a.test/keys" });
    assert_eq!(supply(uri(), map(1_000)), Ok(0));
    assert_eq!(supply(uri(), map(1_001)), Err("too_many"));
}

#[test]
fn a_template_has_16_parts_and_a_certificate_of_a_megabyte_is_refused_at_once() {
    let template = |segments: usize| {
        let text = format!("https://a.test{}/{{t}}", "/x".repeat(segments));
        let mut policy = with(
            "/issuers/0/issuer",
            json!({ "template": text, "claims": { "t": "/t" } }),
        );
        policy["issuers"][0]["audiences"] = json!(["a"]);
        policy
    };
    assert_eq!(refused(&template(12)), None);
    assert_eq!(refused(&template(13)), Some("value_invalid"));

    let start = Instant::now();
    for text in [
        "A".repeat(1 << 20),
        "A\n".repeat(1 << 19),
        "-----BEGIN ".repeat(1 << 16),
    ] {
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        let mut policy = with("/issuers/0/keys", json!({ "pem": [{ "pem": pem }] }));
        policy["issuers"][0]["algorithms"] = json!(["ES256"]);
        assert_eq!(refused(&policy), Some("key_unusable"));
    }
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn header_values_of_a_megabyte_are_denied_at_once() {
    let places = json!([
        { "header": "authorization", "scheme": "Bearer" }, { "header": "authorization", "scheme": "Basic" },
        { "header": "x-token" }, { "cookie": "session", "same_origin": true },
        { "websocket_protocol": { "prefix": "token.", "base64url": true } }, { "query": "t" },
    ]);
    let mut policy = with("/rules/0/credentials", places);
    policy["rules"][0]["require"] =
        json!({ "claims": { "/org": { "equals": { "header": "x-org" } } } });
    policy["strip_credential"] = json!(true);
    let good = token(&json!({ "org": "o" }));
    let much = |text: &str| text.repeat((1 << 20) / text.len());
    let start = Instant::now();
    for (name, value, code) in [
        (
            "authorization",
            format!("Bearer {}", much("a")),
            "token_too_large",
        ),
        (
            "authorization",
            format!("Bearer {}", much(".")),
            "token_too_large",
        ),
        ("authorization", much("Bearer a,"), "token_multiple"),
        (
            "authorization",
            format!("Basic {}", much("YTph")),
            "token_too_large",
        ),
        ("authorization", much("é"), "token_missing"),
        ("x-token", much("a"), "token_too_large"),
        ("x-token", much("a,"), "token_malformed"),
        (
            "cookie",
            format!("session={}", much("a")),
            "token_too_large",
        ),
        ("cookie", much("a=b; "), "token_missing"),
        ("cookie", much("session=a; "), "token_malformed"),
        (
            "sec-websocket-protocol",
            format!("token.{}", much("YQ")),
            "token_too_large",
        ),
        ("sec-websocket-protocol", much("token.,"), "token_missing"),
        (
            "sec-websocket-protocol",
            much("token.YQ,"),
            "token_malformed",
        ),
        ("connection", much("a, "), "token_missing"),
        ("connection", much("a, ") + "x-org", "request_ambiguous"),
        ("origin", much("a"), "token_missing"),
        ("x-org", much("a"), "request_ambiguous"),
        ("x-other", much("a"), "token_missing"),
    ] {
        let said = check(&policy, "/", &[(name, &value)]);
        assert_eq!(said, Err(code), "{name}: {}", &value[..20]);
    }
    let query = format!("/?t={}", much("a"));
    assert_eq!(check(&policy, &query, &[]), Err("request_ambiguous"));
    // What is long beside a good token changes nothing.
    let long = much("a=b; ");
    let headers = [("x-token", &*good), ("x-org", "o"), ("cookie", &long)];
    assert_eq!(check(&policy, "/", &headers), Ok(0));
    assert!(start.elapsed() < Duration::from_secs(20));
}

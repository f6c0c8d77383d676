//! Tests of keys through the public API: PEM, candidates, and what an
//! explanation says of them.

use base64::{Engine, prelude::BASE64_STANDARD as B64, prelude::BASE64_URL_SAFE_NO_PAD as B64URL};
use countersign::{Decision, Gate, Request, Severity, inspect, lint};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const NOW_MS: u64 = 1_700_000_000_000;
const CERTIFICATE: &str = include_str!("../../tests/keys/ec-p256-certificate.pem");
const PUBLIC: &str = include_str!("../../tests/keys/ec-p256.pem");

fn policy(algorithm: &str, keys: Value) -> String {
    json!({ "contract": "1", "issuers": [{ "name": "a", "issuer": "https://a.test", "audiences": "any",
            "algorithms": [algorithm], "keys": keys }],
        "rules": [{ "path": "/", "require": {} }] })
    .to_string()
}

/// Returns what an explanation says of this check.
fn explain(gate: &Gate, token: &str, check: &str) -> String {
    let value = format!("Bearer {token}");
    let headers = [(&b"authorization"[..], value.as_bytes())];
    let request = Request {
        method: b"GET",
        authority: b"a.test",
        target: b"/",
        headers: &headers,
        connection: Default::default(),
    };
    let mut steps = gate.explain(&request, NOW_MS).into_iter();
    steps.find(|step| step.check == check).unwrap().detail
}

fn signed(secret: u8, kid: &str) -> String {
    let header = B64URL.encode(format!(r#"{{"alg":"HS256"{kid}}}"#));
    let claims = B64URL.encode(r#"{"iss":"https://a.test","exp":1700000060}"#);
    let input = format!("{header}.{claims}");
    let mac = Hmac::<Sha256>::new_from_slice(&[secret; 32]).unwrap();
    let tag = mac.chain_update(&input).finalize().into_bytes();
    format!("{input}.{}", B64URL.encode(tag))
}

#[test]
fn an_explanation_says_that_a_fifth_key_is_not_tried() {
    let secret = |n: u8, kid: &str| json!({ "k": B64URL.encode([n; 32]), "kid": kid });
    let named = |kids: [&str; 5]| {
        let secrets: Vec<Value> = (1..).zip(kids).map(|(n, kid)| secret(n, kid)).collect();
        let policy = policy("HS256", json!({ "secrets": secrets }));
        Gate::open(policy.as_bytes(), 0).unwrap()
    };
    let mut gate = named(["1", "2", "3", "4", "5"]);
    let mut admits = |token: &str| {
        matches!(
            gate.check_token(token.as_bytes(), 0, false, NOW_MS),
            Decision::Allow(_)
        )
    };
    assert!(admits(&signed(4, "")) && !admits(&signed(5, "")));
    assert!(admits(&signed(5, r#","kid":"5""#)));
    let key = |gate: &Gate, token: &str| explain(gate, token, "key");
    assert_eq!(
        key(&gate, &signed(5, "")),
        "`kid` none; a fifth key without `kid` is not tried"
    );
    assert_eq!(key(&gate, &signed(5, r#","kid":"5""#)), "`kid` `5`");
    let gate = named(["k"; 5]);
    assert_eq!(
        key(&gate, &signed(5, r#","kid":"k""#)),
        "`kid` `k`; a fifth key of this `kid` is not tried"
    );
}

#[test]
fn an_explanation_says_what_a_token_looks_like() {
    let policy = policy(
        "HS256",
        json!({ "secrets": [{ "k": B64URL.encode([1; 32]) }] }),
    );
    let gate = Gate::open(policy.as_bytes(), 0).unwrap();
    let says = |token: &str| explain(&gate, token, "token");
    assert_eq!(
        says("a..b.c.d"),
        "8 bytes in 5 parts: an encrypted token (JWE)"
    );
    assert_eq!(
        says("abc"),
        "3 bytes in 1 part: not a JWT; some issuers send one only for an audience"
    );
    assert_eq!(says("ab=.c.d"), "7 bytes in 3 parts; `=` at byte 2");
    let of = |header: &str| says(&format!("{}.e30.AA", B64URL.encode(header)));
    assert_eq!(
        of(r#"{"alg":"HS256","kid":1}"#),
        "header: `kid` is a number"
    );
    assert_eq!(of(r#"{"alg":"none"}"#), "header: `alg` is the text `none`");
    assert_eq!(
        of(r#"{"alg":"HS256","alg":"ES256"}"#),
        "header: `alg` stands twice"
    );
}

#[test]
fn an_inspection_says_what_is_wrong_with_the_form_of_a_token() {
    let says = |token: &str| inspect(token.as_bytes()).detail.unwrap_or_default();
    let of = |claims: &str| {
        let header = B64URL.encode(r#"{"alg":"HS256"}"#);
        format!("{header}.{}.AA", B64URL.encode(claims))
    };
    let good = of("{}");
    assert_eq!(inspect(good.as_bytes()).detail, None);
    for (token, sentence) in [
        ("a..b.c.d", "8 bytes in 5 parts: an encrypted token (JWE)"),
        ("ab=.c.d", "7 bytes in 3 parts; `=` at byte 2"),
        (
            &format!("\"{good}\""),
            "29 bytes in 3 parts; `\\\"` at byte 0",
        ),
        (
            &good.replace(".AA", "\n.AA"),
            "28 bytes in 3 parts; `\\n` at byte 24",
        ),
        (
            &format!("Bearer {good}"),
            "34 bytes in 3 parts; ` ` at byte 6",
        ),
        ("e30.e30.AA", "header: `alg` is not there"),
        (
            &of(r#"{"aud":"a","aud":"b"}"#),
            "claims: `aud` stands twice",
        ),
        (&of(r#"{"a":{"b":1,"b":2}}"#), "claims: `/a/b` stands twice"),
        (&of("[1]"), "claims: no object"),
        (&of("{"), "claims: not JSON"),
        (&of(&"[".repeat(99)), "claims: nested too deeply"),
    ] {
        assert_eq!(says(token), sentence, "{token}");
    }
}

/// Returns whether a policy with this PEM is good.
fn is_key(pem: &str) -> bool {
    let policy = policy("ES256", json!({ "pem": [{ "pem": pem }] }));
    lint(policy.as_bytes())
        .iter()
        .all(|problem| problem.severity != Severity::Error)
}

fn der(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.contains('-')).collect();
    B64.decode(lines).unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----",
        B64.encode(der)
    )
}

#[test]
fn only_one_whole_block_is_a_key() {
    assert!(is_key(PUBLIC) && is_key(CERTIFICATE));
    assert!(is_key(&PUBLIC.replace('\n', "\r\n")) && is_key(PUBLIC.trim()));
    for bad in [
        String::new(),
        "-----BEGIN PUBLIC KEY-----".into(),
        format!("{PUBLIC}{PUBLIC}"),
        format!("a certificate: {CERTIFICATE}"),
        PUBLIC.replace("PUBLIC KEY", "EC PRIVATE KEY"),
        PUBLIC.replace("PUBLIC KEY", "CERTIFICATE"),
        CERTIFICATE.replace("CERTIFICATE", "PUBLIC KEY"),
        CERTIFICATE.replace("CERTIFICATE", "X509 CRL"),
        PUBLIC.replace('M', "."),
    ] {
        assert!(!is_key(&bad), "{bad}");
    }
}

#[test]
fn a_key_that_is_cut_off_anywhere_is_no_key() {
    for (label, whole) in [("PUBLIC KEY", PUBLIC), ("CERTIFICATE", CERTIFICATE)] {
        let der = der(whole);
        assert!(is_key(&pem(label, &der)));
        for length in 0..der.len() {
            assert!(
                !is_key(&pem(label, &der[..length])),
                "{label}, {length} bytes"
            );
        }
    }
}

#[test]
fn no_changed_byte_of_a_public_key_makes_another_key() {
    let der = der(PUBLIC);
    for place in 0..der.len() {
        let mut changed = der.clone();
        changed[place] ^= 0x81;
        assert!(!is_key(&pem("PUBLIC KEY", &changed)), "byte {place}");
    }
}

//! Tests of signatures that Envoy verifies. The corpus is played in this mode
//! too.

use countersign_artefact_tests::token::Key;
use serde_json::{Value, json};

use crate::stage::{self, envoy::Envoy, eventually, policy, setup::Setup, upstream};

/// RSA keys of the sizes and exponents that the gate hands to a host, each with
/// a token, made with OpenSSL.
const RSA_SIZES: &str = include_str!("rsa-sizes.json");

fn native(policy: &Value) -> Value {
    json!({ "policy": policy, "envoy": { "signatures": "native" } })
}

fn demanding(policy: Value) -> Value {
    let mut policy = policy;
    policy["signatures"] = json!("native");
    policy
}

#[test]
fn the_log_and_a_metric_say_who_verifies() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let policy = policy::inline(&Key::read("rsa-2048-a"));
    for (configuration, says, native) in [
        (policy.clone(), "by the module, version ", 0),
        (native(&policy), "by Envoy, with BoringSSL (not FIPS)", 1),
    ] {
        let envoy = Envoy::start(&binary, &Setup::new(&configuration, upstream::echo()));
        let says = format!("countersign: signatures are verified {says}");
        assert_eq!(envoy.log().matches(&says).count(), 1, "{}", envoy.log());
        let metric = envoy.metric("wasmcustom.countersign.signatures_native");
        assert_eq!(metric, Some(native));
    }
}

#[test]
fn every_rsa_key_that_the_gate_hands_over_verifies() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let rows: Vec<Value> = serde_json::from_str(RSA_SIZES).unwrap();
    let keys: Vec<&Value> = rows.iter().map(|row| &row["key"]).collect();
    let policy = demanding(policy::of(json!({ "jwks": { "keys": keys } })));
    let envoy = Envoy::start(&binary, &Setup::new(&native(&policy), upstream::echo()));
    for row in &rows {
        let token = row["token"].as_str().unwrap();
        assert_eq!(envoy.get("/", Some(token)).status, 200, "{}", row["key"]);
        // The first character of the signature; it stays below the modulus.
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let other = format!("{signed}.A{}", &signature[1..]);
        let reply = envoy.get("/", Some(&other));
        assert_eq!(reply.code(), "signature_invalid", "{}", row["key"]);
    }
}

#[test]
fn a_token_is_verified_once_and_a_bad_one_each_time() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, stranger) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let configuration = native(&demanding(policy::inline(&key)));
    let envoy = Envoy::start(&binary, &Setup::new(&configuration, upstream::echo()));
    let token = policy::token(&key);
    let forged = stranger.sign_as("rsa-2048-a", &policy::claims());
    for _ in 0..3 {
        assert_eq!(envoy.get("/", Some(&token)).status, 200);
        let reply = envoy.get("/", Some(&forged));
        assert_eq!(reply.code(), "signature_invalid");
    }
    let expected = [
        ("allowed", 3),
        ("remembered", 2),
        ("denied.signature_invalid", 3),
        ("denied.internal_error", 0),
    ];
    eventually("all is counted", || {
        expected.iter().all(|(name, count)| {
            envoy.metric(&format!("wasmcustom.countersign.{name}")) == Some(*count)
        })
    });
}

#[test]
fn a_policy_that_demands_what_envoy_cannot_do_is_refused() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let plain = policy::inline(&Key::read("rsa-2048-a"));
    let mut pss = demanding(plain.clone());
    pss["issuers"][0]["algorithms"] = json!(["RS256", "PS256"]);
    let mut fips = demanding(plain.clone());
    fips["fips"] = json!(true);
    for (configuration, says) in [
        (demanding(plain), "set its option `signatures` to `native`"),
        (native(&pss), "does not verify PS256"),
        (native(&fips), "not a validated module"),
    ] {
        let log = Envoy::refuse(&binary, &Setup::new(&configuration, upstream::echo()));
        assert!(log.contains("(signatures_unavailable)"), "{log}");
        assert!(log.contains(says), "{says}: {log}");
    }
}

//! The keys of an issuer, and the algorithms that they name.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::input::Node;

/// A URL of keys names no algorithm: this one is used.
const DEFAULT_ALGORITHM: &str = "RS256";

/// `keys` of an issuer that publishes them at `uri`, and its algorithms.
pub(crate) fn published(node: &Node<'_>, uri: &str, chosen: &[String]) -> (Value, Vec<String>) {
    let mut keys = json!({ "jwks_uri": uri });
    if uri.starts_with("http://") {
        keys["insecure_http"] = json!(true);
    }
    (keys, chosen_or_default(node, chosen))
}

/// `keys` of an issuer whose keys are found through its metadata.
pub(crate) fn discovered(node: &Node<'_>, issuer: &str, chosen: &[String]) -> (Value, Vec<String>) {
    let mut keys = json!({ "discovery": true });
    if issuer.starts_with("http://") {
        keys["insecure_http"] = json!(true);
    }
    (keys, chosen_or_default(node, chosen))
}

fn chosen_or_default(node: &Node<'_>, chosen: &[String]) -> Vec<String> {
    if !chosen.is_empty() {
        return chosen.to_vec();
    }
    node.stricter(format!(
        "only {DEFAULT_ALGORITHM} is accepted, as a policy lists its algorithms: use `--algorithm` for others"
    ));
    vec![DEFAULT_ALGORITHM.to_owned()]
}

/// `keys` of an issuer whose JWK Set is in the input.
pub(crate) fn inline(node: &Node<'_>, chosen: &[String]) -> Option<(Value, Vec<String>)> {
    let set: Value = serde_json::from_str(node.text()).unwrap_or_default();
    let Some(keys) = set.get("keys").and_then(Value::as_array) else {
        node.stricter("this is no JWK Set: tokens of this provider are denied");
        return None;
    };
    let is_secret = |key: &&Value| key["kty"] == "oct";
    let (secrets, public): (Vec<&Value>, Vec<&Value>) = keys.iter().partition(is_secret);
    if !secrets.is_empty() && !public.is_empty() {
        node.stricter("secrets next to public keys are left out: a policy has one or the other");
    }
    let used = if public.is_empty() { &secrets } else { &public };
    let mut algorithms = BTreeSet::new();
    for key in used {
        match algorithm(key) {
            Some(algorithm) => _ = algorithms.insert(algorithm),
            None => node.stricter("a key of a type that no algorithm here uses is left out"),
        }
    }
    if chosen.is_empty()
        && used
            .iter()
            .any(|key| key["alg"].is_null() && key["kty"] == "RSA")
    {
        node.stricter(format!(
            "an RSA key without `alg` is for {DEFAULT_ALGORITHM} only: use `--algorithm` for another"
        ));
    }
    let algorithms = match chosen {
        [] => algorithms.into_iter().collect(),
        chosen => chosen.to_vec(),
    };
    let keys = if public.is_empty() {
        let secrets = secrets.iter().map(|key| secret(key));
        json!({ "secrets": secrets.collect::<Vec<_>>() })
    } else {
        json!({ "jwks": { "keys": public } })
    };
    Some((keys, algorithms))
}

fn algorithm(key: &Value) -> Option<String> {
    let usual = match (key["kty"].as_str()?, key["crv"].as_str()) {
        ("RSA", _) => DEFAULT_ALGORITHM,
        ("EC", Some("P-256")) => "ES256",
        ("EC", Some("P-384")) => "ES384",
        ("EC", Some("P-521")) => "ES512",
        ("OKP", Some("Ed25519")) => "EdDSA",
        ("oct", _) => "HS256",
        _ => return None,
    };
    Some(key["alg"].as_str().unwrap_or(usual).to_owned())
}

/// Envoy accepts base64url with padding, a policy does not.
fn secret(key: &Value) -> Value {
    let mut secret = json!({ "k": key["k"].as_str().unwrap_or_default().trim_end_matches('=') });
    for member in ["kid", "alg"] {
        if let Some(text) = key[member].as_str() {
            secret[member] = json!(text);
        }
    }
    secret
}

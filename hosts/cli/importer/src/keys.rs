//! The keys of an issuer, and the algorithms that they name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::input::Node;

/// A URL of keys names no algorithm: this one is used.
const DEFAULT_ALGORITHM: &str = "RS256";
/// Of keys without `kid`, a policy tries this many.
const TRIED: usize = 4;

/// One source of keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Keys {
    /// A member of the policy's `keys`, or all of it.
    pub(crate) source: Value,
    pub(crate) algorithms: Vec<String>,
}

/// The keys that are published at `uri`.
pub(crate) fn published(node: &Node<'_>, uri: &str, chosen: &[String]) -> Vec<Keys> {
    fetched(node, json!({ "jwks_uri": uri }), uri, chosen)
}

/// The keys that are found through the issuer's metadata.
pub(crate) fn discovered(node: &Node<'_>, issuer: &str, chosen: &[String]) -> Vec<Keys> {
    fetched(node, json!({ "discovery": true }), issuer, chosen)
}

fn fetched(node: &Node<'_>, mut source: Value, from: &str, chosen: &[String]) -> Vec<Keys> {
    if from.starts_with("http://") {
        source["insecure_http"] = json!(true);
    }
    let algorithms = if chosen.is_empty() {
        node.stricter(format!(
            "only {DEFAULT_ALGORITHM} is accepted, as a policy lists its algorithms: use `--algorithm` for others"
        ));
        vec![DEFAULT_ALGORITHM.to_owned()]
    } else {
        chosen.to_vec()
    };
    vec![Keys { source, algorithms }]
}

/// The keys of a JWK Set in the input: one source of public keys, and one of
/// secrets.
pub(crate) fn inline(node: &Node<'_>, chosen: &[String]) -> Vec<Keys> {
    let set: Value = serde_json::from_str(node.text()).unwrap_or_default();
    let Some(keys) = set.get("keys").and_then(Value::as_array) else {
        node.stricter("this is no JWK Set: tokens of this provider are denied");
        return Vec::new();
    };
    let mut usable = Vec::new();
    for key in keys {
        match algorithm(key) {
            Some(algorithm) => usable.push((key, algorithm)),
            None => node.stricter("a key of a type that no algorithm here uses is left out"),
        }
    }
    if chosen.is_empty()
        && usable
            .iter()
            .any(|(key, _)| key["alg"].is_null() && key["kty"] == "RSA")
    {
        node.stricter(format!(
            "an RSA key without `alg` is for {DEFAULT_ALGORITHM} only: use `--algorithm` for another"
        ));
    }
    let (secrets, public): (Vec<_>, Vec<_>) =
        usable.into_iter().partition(|(key, _)| key["kty"] == "oct");
    let mut sources = Vec::new();
    if !public.is_empty() {
        let public = tried(node, public);
        let set: Vec<_> = public.iter().map(|(key, _)| key).collect();
        sources.push(Keys {
            source: json!({ "jwks": { "keys": set } }),
            algorithms: algorithms(&public, chosen, false),
        });
    }
    if !secrets.is_empty() {
        let secrets = tried(node, secrets);
        let algorithms = algorithms(&secrets, chosen, true);
        let secrets = secrets
            .iter()
            .map(|(key, algorithm)| secret(key, (algorithms.len() > 1).then_some(algorithm)));
        sources.push(Keys {
            source: json!({ "secrets": secrets.collect::<Vec<_>>() }),
            algorithms,
        });
    }
    sources
}

/// Without the keys that a policy would not try for a token without `kid`.
fn tried<'k>(node: &Node<'_>, keys: Vec<(&'k Value, String)>) -> Vec<(&'k Value, String)> {
    let mut without_kid: BTreeMap<String, usize> = BTreeMap::new();
    let is_tried = |(key, algorithm): &(&Value, String)| {
        if key["kid"].is_string() {
            return true;
        }
        let number = without_kid.entry(algorithm.clone()).or_default();
        *number += 1;
        if *number > TRIED {
            node.stricter(format!(
                "of keys without `kid` only the first {TRIED} for an algorithm are tried: others are left out"
            ));
        }
        *number <= TRIED
    };
    keys.into_iter().filter(is_tried).collect()
}

/// The algorithms of these keys; those that were chosen, if any is for such keys.
fn algorithms(keys: &[(&Value, String)], chosen: &[String], secret: bool) -> Vec<String> {
    let is_meant = |name: &&String| name.starts_with("HS") == secret;
    let chosen: Vec<_> = chosen.iter().filter(is_meant).cloned().collect();
    if !chosen.is_empty() {
        return chosen;
    }
    let named: BTreeSet<_> = keys
        .iter()
        .map(|(_, algorithm)| algorithm.clone())
        .collect();
    named.into_iter().collect()
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

/// Envoy accepts base64url with padding, a policy does not. Among several
/// algorithms each secret names its own.
fn secret(key: &Value, algorithm: Option<&String>) -> Value {
    let mut secret = json!({ "k": key["k"].as_str().unwrap_or_default().trim_end_matches('=') });
    if let Some(kid) = key["kid"].as_str() {
        secret["kid"] = json!(kid);
    }
    if let Some(algorithm) = key["alg"].as_str().or(algorithm.map(String::as_str)) {
        secret["alg"] = json!(algorithm);
    }
    secret
}

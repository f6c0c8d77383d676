//! Keys and tokens of third-party suites, at the layer of JWS: their payloads
//! are not claims.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign::{Algorithm, HostKey, Jws, Keyring, Limits, Verification};
use serde_json::{Value, json};

use crate::cryptography;

/// Why a key or token of a suite is not applicable.
pub type NotApplicable = String;

/// Returns whether a token verifies with a key or key set of a suite.
///
/// # Errors
/// If the verifier does not support the algorithm.
pub fn verifies(keys: &Value, token: &str) -> Result<bool, NotApplicable> {
    let keys = match keys.get("keys") {
        Some(Value::Array(keys)) => keys.clone(),
        _ => vec![keys.clone()],
    };
    let algorithms = algorithms(&keys, &stated_algorithm(token))?;
    let set = json!({ "keys": keys.iter().map(public).collect::<Vec<_>>() }).to_string();
    let symmetric = keys.iter().filter(|key| key["kty"] == "oct").count();
    let ring = if symmetric == keys.len() {
        secrets(&keys, &algorithms)
    } else {
        Keyring::parse(set.as_bytes(), &algorithms, &Limits::DEFAULT)
            .ok()
            .map(|(ring, _)| ring)
    };
    let jws = Jws::parse(token.as_bytes(), &Limits::DEFAULT);
    Ok(match (ring, jws) {
        (Some(ring), Ok(jws)) => {
            let ours = ring.verify(&jws);
            let native = ring.verify_by(&mut by_host, &jws);
            assert_eq!(ours, native, "{token}");
            ours.is_ok()
        }
        _ => false,
    })
}

/// Verifies by AWS-LC what the module's code verifies too: both must agree.
fn by_host(algorithm: Algorithm, key: HostKey, message: &[u8], signature: &[u8]) -> bool {
    let verified = cryptography::verify(key, algorithm, message, signature);
    assert_ne!(verified, Verification::Failed, "AWS-LC refuses the key");
    verified == Verification::Valid
}

/// Returns the algorithms that an operator would list for these keys: those
/// that they name, or that of the token if it fits their type, or the default
/// of their type.
fn algorithms(keys: &[Value], stated: &str) -> Result<Vec<Algorithm>, NotApplicable> {
    let mut algorithms = Vec::new();
    for key in keys {
        let plain = match (key["kty"].as_str(), key["crv"].as_str()) {
            (Some("RSA"), _) if ["PS256", "PS384", "PS512", "RS384", "RS512"].contains(&stated) => {
                stated
            }
            (Some("RSA"), _) => "RS256",
            (Some("EC"), Some("P-384")) => "ES384",
            (Some("EC"), Some("P-521")) => "ES512",
            (Some("EC"), _) => "ES256",
            (Some("OKP"), _) => "EdDSA",
            _ => "HS256",
        };
        let named = key["alg"].as_str().unwrap_or(plain);
        // The suite tests an unknown name: the key is refused.
        let family = |name: &str| name.get(..2).map(str::to_owned);
        let known = Algorithm::from_name(named).or_else(|| Algorithm::from_name(plain));
        let supported = Algorithm::ALL
            .iter()
            .any(|a| family(a.as_str()) == family(named));
        match known {
            Some(algorithm) if supported || !is_jws_family(named) => {
                if !algorithms.contains(&algorithm) {
                    algorithms.push(algorithm);
                }
            }
            _ => return Err(format!("{named} is not supported yet")),
        }
    }
    Ok(algorithms)
}

/// Returns the `alg` of a token's header; empty if there is none.
fn stated_algorithm(token: &str) -> String {
    let header = token.split('.').next().unwrap_or_default();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    header["alg"].as_str().unwrap_or_default().to_owned()
}

fn is_jws_family(name: &str) -> bool {
    ["HS", "RS", "PS", "ES", "Ed"]
        .iter()
        .any(|family| name.starts_with(family))
}

/// Returns the key without its private members, as an issuer would publish it.
fn public(key: &Value) -> Value {
    let mut key = key.clone();
    if key["kty"] != "oct"
        && let Some(members) = key.as_object_mut()
    {
        members
            .retain(|name, _| !["d", "p", "q", "dp", "dq", "qi", "oth"].contains(&name.as_str()));
    }
    key
}

/// Reads the secrets as those of a policy; `None` if they are refused.
fn secrets(keys: &[Value], algorithms: &[Algorithm]) -> Option<Keyring> {
    let entry = |key: &Value| {
        let mut entry = json!({ "k": key["k"] });
        for name in ["kid", "alg"] {
            if let Some(value) = key.get(name) {
                entry[name] = value.clone();
            }
        }
        entry
    };
    let secrets = Value::from(keys.iter().map(entry).collect::<Vec<_>>()).to_string();
    Keyring::parse_secrets(secrets.as_bytes(), algorithms, &Limits::DEFAULT).ok()
}

/// Returns whether a signature over any bytes verifies with this key; `None` if
/// the key is refused.
pub fn verifies_bytes(
    key: &Value,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let ring = if key["kty"] == "oct" {
        secrets(std::slice::from_ref(key), &[algorithm])
    } else {
        let set = json!({ "keys": [public(key)] }).to_string();
        Keyring::parse(set.as_bytes(), &[algorithm], &Limits::DEFAULT)
            .ok()
            .map(|(ring, _)| ring)
    };
    ring.map(|ring| {
        let ours = ring.verify_bytes(None, algorithm, message, signature);
        let native = ring.verify_bytes_by(&mut by_host, None, algorithm, message, signature);
        assert_eq!(ours, native, "{algorithm:?} {message:x?} {signature:x?}");
        ours.is_ok()
    })
}

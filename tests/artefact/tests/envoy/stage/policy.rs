//! Configurations and tokens of an issuer whose keys Envoy fetches.

use countersign_artefact_tests::{cases, token::Key};
use serde_json::{Value, json};

/// The `iss` of the issuer.
pub(crate) const ISSUER: &str = "https://auth.example.com";

/// Makes a policy with this issuer. `/public` and paths below it are public;
/// all others need a token.
pub(crate) fn of(keys: Value) -> Value {
    json!({
        "contract": "1",
        "issuers": [{
            "name": "platform",
            "issuer": ISSUER,
            "audiences": ["platform"],
            "algorithms": ["RS256"],
            "keys": keys,
            "claims": { "tenant": "/tenant_id" },
        }],
        "rules": [
            { "path": "/public/**", "public": true },
            { "path": "/**", "require": {} },
        ],
        "forward": { "x-auth-subject": "subject" },
    })
}

/// Its key stands in the policy.
pub(crate) fn inline(key: &Key) -> Value {
    of(json!({ "jwks": { "keys": [key.public()] } }))
}

/// Its keys are fetched from `/jwks`.
pub(crate) fn fetched() -> Value {
    of(json!({ "jwks_uri": format!("{ISSUER}/jwks") }))
}

/// Makes a configuration that fetches all documents through the cluster
/// `issuer`.
pub(crate) fn by_cluster(policy: &Value) -> Value {
    with(policy, json!({}))
}

/// The same with further settings for Envoy.
pub(crate) fn with(policy: &Value, envoy: Value) -> Value {
    let mut envoy = envoy;
    envoy["clusters"] = json!({ "auth.example.com": "issuer" });
    json!({ "policy": policy, "envoy": envoy })
}

/// Makes a valid token of this key for `user-1` of the tenant `acme`.
pub(crate) fn token(key: &Key) -> String {
    key.sign(&claims())
}

/// The value of `authorization` with this token.
pub(crate) fn bearer(token: &str) -> Vec<u8> {
    format!("Bearer {token}").into_bytes()
}

/// What is in it.
pub(crate) fn claims() -> Value {
    let now = cases::now_ms() / 1000;
    json!({
        "iss": ISSUER, "aud": "platform", "sub": "user-1", "tenant_id": "acme",
        "scope": "assets:read assets:write", "iat": now, "exp": now + 600,
    })
}

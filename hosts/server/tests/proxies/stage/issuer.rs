//! The development issuer: its tokens, and a policy that has its keys.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_dev_issuer::{Issuer, Signer};
use serde_json::{Value, json};

/// The `iss`, and the audience, of all tokens.
pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const AUDIENCE: &str = "api";

/// An issuer with a new key.
pub(crate) struct Tokens(Issuer);

impl Tokens {
    pub(crate) fn new() -> Self {
        Self(Issuer::new(ISSUER, AUDIENCE, "ES256").unwrap())
    }

    /// A policy with its keys. `more` adds and replaces members.
    pub(crate) fn policy(&self, more: Value) -> Value {
        let mut policy = json!({
            "contract": "1",
            "issuers": [{
                "name": "dev",
                "issuer": ISSUER,
                "audiences": [AUDIENCE],
                "algorithms": ["ES256"],
                "keys": { "jwks": self.0.jwks() },
                "claims": { "tenant": "/tenant_id" },
            }],
            "rules": [
                { "path": "/public/**", "public": true },
                { "path": "/orgs/{org}/**", "require": { "tenant": "{org}" } },
                { "path": "/**", "require": {} },
            ],
            "forward": { "x-auth-subject": "subject", "x-auth-tenant": "tenant" },
        });
        if let Value::Object(more) = more {
            policy.as_object_mut().unwrap().extend(more);
        }
        policy
    }

    /// A good token of `ada`, of the tenant `acme`.
    pub(crate) fn good(&self) -> String {
        self.with(&[])
    }

    /// The same with these claims.
    pub(crate) fn with(&self, claims: &[(&str, Value)]) -> String {
        let mut all = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "tenant_id": "acme",
            "iat": now_s(), "exp": now_s() + 3600,
        });
        for (name, value) in claims {
            all[*name] = value.clone();
        }
        let signer = self.0.signer().unwrap();
        signer
            .sign(&header(signer), all.as_object().unwrap())
            .unwrap()
    }

    /// A token that expired an hour ago.
    pub(crate) fn expired(&self) -> String {
        self.with(&[("exp", json!(now_s() - 3600))])
    }

    /// A token whose signature is another key's.
    pub(crate) fn forged(&self) -> String {
        let signer = self.0.signer().unwrap();
        let other = signer.forged().unwrap();
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "root", "tenant_id": "acme", "exp": now_s() + 3600,
        });
        other
            .sign(&header(signer), claims.as_object().unwrap())
            .unwrap()
    }
}

fn header(signer: &Signer) -> serde_json::Map<String, Value> {
    let kid = signer.kid.iter().map(|kid| ("kid".to_owned(), json!(kid)));
    kid.collect()
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

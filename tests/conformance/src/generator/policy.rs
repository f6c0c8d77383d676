//! The plain policy and its variants.

use serde_json::{Value, json};

use super::{
    key::{A, Key},
    token::ISS,
};

/// A policy under construction.
#[derive(Clone, Debug)]
pub(crate) struct Policy(Value);

/// Returns the plain policy: one issuer with one RS256 key, no leeway, and a
/// rule that requires a valid token for every path.
pub(crate) fn policy() -> Policy {
    Policy(json!({
        "contract": "1",
        "leeway_s": 0,
        "issuers": [{
            "name": "platform",
            "issuer": ISS,
            "audiences": ["platform"],
            "algorithms": ["RS256"],
            "keys": { "jwks": jwks([A.public()]) },
        }],
        "credentials": [{ "header": "authorization", "scheme": "Bearer" }],
        "rules": [{ "path": "/**", "require": {} }],
        "default": "deny",
        "realm": "platform",
    }))
}

/// A JWK Set.
pub(crate) fn jwks(keys: impl Into<Vec<Value>>) -> Value {
    json!({ "keys": keys.into() })
}

/// Returns the plain policy with keys at a URI.
pub(crate) fn fetching() -> Policy {
    policy().issuer("keys", json!({ "jwks_uri": JWKS_URI }))
}

/// The URI of the keys of [`fetching`].
pub(crate) const JWKS_URI: &str = "https://auth.example.com/jwks.json";

impl Policy {
    /// Sets a member of the policy.
    pub(crate) fn top(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0[name] = value.into();
        self
    }

    /// Removes a member.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.as_object_mut().expect("a policy").shift_remove(name);
        self
    }

    /// Sets a member of the first issuer.
    pub(crate) fn issuer(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0["issuers"][0][name] = value.into();
        self
    }

    /// Removes a member of the first issuer.
    pub(crate) fn without_issuer(mut self, name: &str) -> Self {
        self.0["issuers"][0]
            .as_object_mut()
            .expect("an issuer")
            .shift_remove(name);
        self
    }

    /// Inline keys of the first issuer.
    pub(crate) fn keys(self, keys: impl Into<Vec<Value>>) -> Self {
        self.issuer("keys", json!({ "jwks": jwks(keys) }))
    }

    /// Adds a second issuer: a copy of the first with another name, `iss` and
    /// key.
    pub(crate) fn and_issuer(mut self, name: &str, iss: &str, key: &Key) -> Self {
        let mut issuer = self.0["issuers"][0].clone();
        issuer["name"] = name.into();
        issuer["issuer"] = iss.into();
        issuer["keys"] = json!({ "jwks": jwks([key.public()]) });
        self.0["issuers"]
            .as_array_mut()
            .expect("issuers")
            .push(issuer);
        self
    }

    /// Sets a member of the issuer with this index.
    pub(crate) fn issuer_at(mut self, index: usize, name: &str, value: impl Into<Value>) -> Self {
        self.0["issuers"][index][name] = value.into();
        self
    }

    /// All rules.
    pub(crate) fn rules(self, rules: Value) -> Self {
        self.top("rules", rules)
    }

    /// One rule for every path, with this requirement.
    pub(crate) fn requires(self, requirement: Value) -> Self {
        self.rules(json!([{ "path": "/**", "require": requirement }]))
    }

    /// The policy.
    pub(crate) fn build(self) -> Value {
        self.0
    }
}

impl From<Policy> for Value {
    fn from(policy: Policy) -> Self {
        policy.0
    }
}

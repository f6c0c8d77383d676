//! Tokens for cases: signed for the policy's issuers with keys that exist only in
//! this run.

use std::collections::HashMap;

use countersign_dev_issuer::{Error, Signer};
use countersign_policy_source::Source;
use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// Signs tokens for the issuers of a policy, and adds the keys to the policy.
pub(super) struct Mint {
    policy: Value,
    /// By the issuer's name; made on first use.
    signers: HashMap<String, Signer>,
}

impl Mint {
    pub(super) fn new(policy: &Source) -> Self {
        let policy = serde_json::from_slice(&policy.json).unwrap_or_default();
        Self {
            policy,
            signers: HashMap::new(),
        }
    }

    /// Signs `claims` for `issuer` (`None`: the policy's first). `iss`,
    /// `aud`, `iat` and `exp` in five minutes are filled in; `null` leaves a
    /// claim out.
    pub(super) fn sign(
        &mut self,
        issuer: Option<&str>,
        jose: &Map<String, Value>,
        claims: &Map<String, Value>,
        forged: bool,
        now_ms: u64,
    ) -> Result<String, String> {
        let issuer = self.policy["issuers"][self.index(issuer)?].clone();
        let text = |name: &str| issuer.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut full = Map::new();
        full.insert("iss".to_owned(), json!(text("issuer")));
        if let Some(audience) = audience(&issuer) {
            full.insert("aud".to_owned(), audience);
        }
        full.insert("iat".to_owned(), json!(now_ms / 1000));
        full.insert("exp".to_owned(), json!(now_ms / 1000 + 300));
        full.extend(claims.clone());
        full.retain(|_, value| !value.is_null());

        let own = self.signer(text("name"), &issuer)?;
        let signer = if forged {
            own.forged().map_err(reason)?
        } else {
            own
        };
        signer.sign(jose, &full).map_err(reason)
    }

    /// The policy, as JSON.
    pub(super) fn policy(&self) -> &Value {
        &self.policy
    }

    /// The policy with this run's keys in its inline key sets, if it has any: keys
    /// there come from nowhere else.
    pub(super) fn with_own_keys(&self, policy: &Source) -> Result<Option<Source>, Failure> {
        let mut changed = None;
        for (name, key) in self.published() {
            let index = self.index(Some(name)).map_err(Failure::Usage)?;
            let pointer = format!("/issuers/{index}/keys/jwks/keys");
            if self.policy.pointer(&pointer).is_some() {
                let json = changed.get_or_insert_with(|| self.policy.clone());
                if let Some(keys) = json.pointer_mut(&pointer).and_then(Value::as_array_mut) {
                    keys.push(key);
                }
            }
        }
        Ok(changed.map(|json| Source::from_json(&policy.name, json.to_string().into_bytes())))
    }

    /// The public keys that this run made, by issuer.
    pub(super) fn published(&self) -> impl Iterator<Item = (&str, Value)> {
        let keys = |signer: &Signer| signer.to_public_jwk();
        self.signers
            .iter()
            .filter_map(move |(name, signer)| Some((name.as_str(), keys(signer)?)))
    }

    fn index(&self, name: Option<&str>) -> Result<usize, String> {
        let issuers = self.policy.get("issuers").and_then(Value::as_array);
        let mut issuers = issuers.into_iter().flatten();
        let Some(name) = name else {
            return issuers
                .next()
                .map(|_| 0)
                .ok_or_else(|| "the policy has no issuer".to_owned());
        };
        let is_named = |issuer: &Value| issuer.get("name").and_then(Value::as_str) == Some(name);
        issuers
            .position(is_named)
            .ok_or_else(|| format!("the policy has no issuer `{name}`"))
    }

    fn signer(&mut self, name: &str, issuer: &Value) -> Result<Signer, String> {
        if let Some(signer) = self.signers.get(name) {
            return Ok(signer.clone());
        }
        let algorithm = issuer
            .pointer("/algorithms/0")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let signer = match issuer.pointer("/keys/secrets/0") {
            Some(secret) => {
                let text = |name: &str| secret.get(name).and_then(Value::as_str);
                let algorithm = text("alg").unwrap_or(algorithm);
                Signer::from_secret(text("kid"), algorithm, text("k").unwrap_or_default())
            }
            None => Signer::generate(algorithm),
        }
        .map_err(reason)?;
        self.signers.insert(name.to_owned(), signer.clone());
        Ok(signer)
    }
}

fn reason(error: Error) -> String {
    error.to_string()
}

/// An `aud` that the issuer's `audiences` accepts.
fn audience(issuer: &Value) -> Option<Value> {
    match issuer.get("audiences")? {
        Value::Array(several) => several.first().cloned(),
        Value::Object(all) => all.get("all").cloned(),
        _ => None,
    }
}

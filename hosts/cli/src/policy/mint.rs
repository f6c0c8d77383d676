//! Tokens for cases: signed for the policy's issuers with keys that exist only in
//! this run.

use std::collections::BTreeMap;

use countersign_dev_issuer::{Error, Signer};
use serde_json::{Map, Value, json};

use super::case::Sent;

/// Signs tokens for the issuers of a policy, and adds the keys to the policy.
pub(super) struct Mint {
    policy: Value,
    /// By the issuer's name, the algorithm and the key's number; made on first use.
    signers: BTreeMap<(String, String, usize), Signer>,
}

impl Mint {
    /// `policy` is its JSON.
    pub(super) fn new(policy: &[u8]) -> Self {
        Self {
            policy: serde_json::from_slice(policy).unwrap_or_default(),
            signers: BTreeMap::new(),
        }
    }

    /// Signs `claims` for the issuer of `sent`, by default the policy's first. `iss`,
    /// `aud`, `iat` and `exp` in five minutes are filled in; `null` leaves a
    /// claim out, and `kid`.
    pub(super) fn sign(
        &mut self,
        sent: &Sent,
        claims: &Map<String, Value>,
        now_ms: u64,
    ) -> Result<String, String> {
        let index = self.index(sent.issuer.as_deref())?;
        let issuer = self.policy["issuers"][index].clone();
        let mut full = Map::new();
        if let Some(iss) = iss(&issuer["issuer"], claims) {
            full.insert("iss".to_owned(), json!(iss));
        }
        if let Some(audience) = audience(&issuer) {
            full.insert("aud".to_owned(), audience);
        }
        full.insert("iat".to_owned(), json!(now_ms / 1000));
        full.insert("exp".to_owned(), json!(now_ms / 1000 + 300));
        full.extend(claims.clone());
        full.retain(|_, value| !value.is_null());

        let mut jose = sent.jose.clone();
        let mut signer = self.signer(&issuer, jose.get("alg"), sent.key)?;
        if sent.forged {
            signer = signer.forged().map_err(reason)?;
        }
        if jose.get("kid").is_some_and(Value::is_null) {
            jose.shift_remove("kid");
            signer.kid = None;
        }
        signer.sign(&jose, &full).map_err(reason)
    }

    /// Takes the keys of another policy's mint for the issuers that both policies
    /// have, by name or else by `issuer`: tokens are then good for both.
    pub(super) fn adopt(&mut self, other: &Self) {
        for ((name, algorithm, number), signer) in &other.signers {
            let theirs = other.index(Some(name)).unwrap_or_default();
            let iss = &other.policy["issuers"][theirs]["issuer"];
            let issuers = self.policy["issuers"].as_array();
            let mut same = issuers.into_iter().flatten();
            let index = self.index(Some(name)).ok();
            let index = index.or_else(|| same.position(|issuer| issuer["issuer"] == *iss));
            let own = index.and_then(|index| self.policy["issuers"][index]["name"].as_str());
            if let Some(own) = own {
                let known = (own.to_owned(), algorithm.clone(), *number);
                self.signers.entry(known).or_insert_with(|| signer.clone());
            }
        }
    }

    /// How many keys there are.
    pub(super) fn keys(&self) -> usize {
        self.signers.len()
    }

    /// The policy, as JSON.
    pub(super) fn policy(&self) -> &Value {
        &self.policy
    }

    /// The policy with this run's keys in its inline key sets, if it has any: keys
    /// there come from nowhere else.
    pub(super) fn with_own_keys(&self) -> Option<Value> {
        let mut changed = None;
        for ((name, algorithm, _), signer) in &self.signers {
            let Ok(index) = self.index(Some(name)) else {
                continue;
            };
            let source = source(&self.policy["issuers"][index], algorithm);
            let at = |list: &str| format!("/issuers/{index}{source}{list}");
            let jwks = at("/jwks/keys");
            let (list, key) = match self.policy.pointer(&jwks) {
                Some(_) => (jwks, signer.to_public_jwk()),
                None => (
                    at("/pem"),
                    signer
                        .to_public_pem()
                        .map(|pem| json!({ "kid": signer.kid, "pem": pem, "alg": algorithm })),
                ),
            };
            if let (Some(Value::Array(_)), Some(key)) = (self.policy.pointer(&list), key) {
                let json = changed.get_or_insert_with(|| self.policy.clone());
                if let Some(keys) = json.pointer_mut(&list).and_then(Value::as_array_mut) {
                    keys.push(key);
                }
            }
        }
        changed
    }

    /// The issuers for which this run made keys that can be published.
    pub(super) fn issuers(&self) -> Vec<&str> {
        let keys = self.signers.iter();
        let mut names: Vec<_> = keys
            .filter(|(_, signer)| signer.to_public_jwk().is_some())
            .map(|((name, ..), _)| name.as_str())
            .collect();
        names.dedup();
        names
    }

    /// The key document of an issuer: what was `given`, with the keys of this run.
    /// It is a JWK Set, or PEM by `kid` where the issuer has a `pem_uri`.
    pub(super) fn publish(&self, issuer: &str, given: Option<&[u8]>) -> Vec<u8> {
        let given = given.and_then(|given| serde_json::from_slice(given).ok());
        let index = self.index(Some(issuer)).unwrap_or_default();
        let described = &self.policy["issuers"][index];
        let mut document: Value = given.unwrap_or_else(|| json!({}));
        for ((name, algorithm, _), signer) in &self.signers {
            let source = described.pointer(&source(described, algorithm));
            let (Some(mut jwk), Some(source)) = (signer.to_public_jwk(), source) else {
                continue;
            };
            if name != issuer {
                continue;
            }
            if source.get("pem_uri").is_some() {
                let kid = signer.kid.as_deref().unwrap_or_default();
                document[kid] = json!(signer.to_public_pem());
                continue;
            }
            if let Some(purpose) = source.get("use") {
                jwk["use"] = purpose.clone();
            }
            match document.get_mut("keys").and_then(Value::as_array_mut) {
                Some(keys) => keys.push(jwk),
                None => document["keys"] = json!([jwk]),
            }
        }
        document.to_string().into_bytes()
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

    /// The signer for the `alg` of a token's header, if the issuer has it, or else
    /// for the first of the issuer's algorithms.
    fn signer(
        &mut self,
        issuer: &Value,
        alg: Option<&Value>,
        number: usize,
    ) -> Result<Signer, String> {
        let listed = issuer["algorithms"].as_array();
        let algorithms = || listed.into_iter().flatten();
        let wanted = algorithms().find(|known| Some(*known) == alg);
        let algorithm = wanted.or_else(|| algorithms().next());
        let algorithm = algorithm.and_then(Value::as_str).unwrap_or_default();
        let name = issuer["name"].as_str().unwrap_or_default().to_owned();
        let known = (name, algorithm.to_owned(), number);
        if let Some(signer) = self.signers.get(&known) {
            return Ok(signer.clone());
        }
        let secrets = source(issuer, algorithm) + "/secrets";
        let signer = match issuer.pointer(&secrets).and_then(Value::as_array) {
            Some(secrets) => {
                let secret = secrets
                    .get(number)
                    .ok_or_else(|| format!("the issuer has no secret {number}"))?;
                let text = |name: &str| secret.get(name).and_then(Value::as_str);
                let algorithm = text("alg").unwrap_or(algorithm);
                Signer::from_secret(text("kid"), algorithm, text("k").unwrap_or_default())
            }
            None => Signer::generate(algorithm),
        }
        .map_err(reason)?;
        self.signers.insert(known, signer.clone());
        Ok(signer)
    }
}

fn reason(error: Error) -> String {
    error.to_string()
}

/// The pointer to the issuer's source of keys for an algorithm.
fn source(issuer: &Value, algorithm: &str) -> String {
    let Some(several) = issuer["keys"].as_array() else {
        return "/keys".to_owned();
    };
    let serves = |source: &Value| {
        let algorithms = source["algorithms"].as_array();
        algorithms.is_some_and(|listed| listed.contains(&json!(algorithm)))
    };
    let index = several.iter().position(serves).unwrap_or_default();
    format!("/keys/{index}")
}

/// The `iss` of tokens with these claims; `None` for an issuer of tokens without it.
fn iss(issuer: &Value, claims: &Map<String, Value>) -> Option<String> {
    if issuer.get("absent").is_some() {
        return None;
    }
    let Some(template) = issuer.get("template").and_then(Value::as_str) else {
        return Some(issuer.as_str().unwrap_or_default().to_owned());
    };
    let mut iss = template.to_owned();
    let captured = issuer.get("claims").and_then(Value::as_object);
    for (name, claim) in captured.into_iter().flatten() {
        let claim = claim.as_str().unwrap_or_default();
        let claim = claims.get(claim.trim_start_matches('/'));
        let text = claim.and_then(Value::as_str).unwrap_or(name);
        iss = iss.replace(&format!("{{{name}}}"), text);
    }
    Some(iss)
}

/// An `aud` that the issuer's `audiences` accepts.
fn audience(issuer: &Value) -> Option<Value> {
    match issuer.get("audiences")? {
        Value::Array(several) => several.first().cloned(),
        Value::Object(all) => all.get("all").cloned(),
        _ => None,
    }
}

//! Assertions of clients (`private_key_jwt`, RFC 7523), verified by a gate.

use std::sync::Arc;

use countersign_host::{Gate, Requirement};
use serde_json::{Value, json};

use crate::{
    clock::Clock,
    config::{ClientCredentials, Config, ConfigError},
    gates::{self, Fetching},
    refusal::Refusal,
    seal,
    store::Store,
};

/// The longest life of an assertion.
const LIFE_S: u32 = 300;

/// How long after its end a gate takes it (`leeway_s`), and somebody's clock.
const AFTER_MS: i64 = 60_000;

/// Verifies assertions, and takes each once.
pub(super) struct Assertions {
    gate: Gate,
    any: Requirement,
    store: Store,
}

impl Assertions {
    /// Opens a gate in which each client with keys is an issuer; `None` without clients
    /// that have keys.
    pub(super) async fn open(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        fetcher: Fetching,
    ) -> Result<Option<Self>, ConfigError> {
        let issuers: Vec<_> = config
            .clients
            .iter()
            .filter_map(|(id, client)| match &client.credentials {
                ClientCredentials::Keys { source, algorithms } => {
                    Some(issuer(config, id, source, algorithms))
                }
                ClientCredentials::Public | ClientCredentials::Secrets(_) => None,
            })
            .collect();
        if issuers.is_empty() {
            return Ok(None);
        }
        let policy = json!({ "contract": "1", "issuers": issuers, "rules": [] });
        let refused = |error| gates::refused("the keys of clients", &error);
        let gate = gates::builder(&policy, clock, fetcher).build().await;
        let gate = gate.map_err(refused)?;
        let any = gate.prepare(b"{}").await.map_err(refused)?;
        Ok(Some(Self { gate, any, store }))
    }

    /// The id of the client that has signed this assertion for this bridge, just now.
    pub(super) async fn verify(&self, assertion: &str) -> Result<String, Refusal> {
        let decision = self.gate.check_token(assertion, &self.any).await;
        let principal = gates::principal(decision, Refusal::client())?;
        let claims: Value =
            serde_json::from_str(&principal.claims).map_err(|_| Refusal::client())?;
        let jti = claims["jti"].as_str().ok_or(Refusal::client())?;
        let expires_at = principal.expires_at_ms.ok_or(Refusal::client())?;
        let issuer = format!("assertion {}", principal.issuer);
        let hash = seal::hash(jti);
        let first = self
            .store
            .is_first_use(&issuer, &hash, expires_at + AFTER_MS);
        match first.await? {
            true => Ok(principal.issuer.clone()),
            false => Err(Refusal::client()),
        }
    }
}

/// `aud` is the bridge's issuer as one text: an assertion for two servers could be used by
/// each of them at the other.
fn issuer(config: &Config, id: &str, source: &Value, algorithms: &[String]) -> Value {
    let mut keys = source.clone();
    if config.issuer.is_http() && keys.get("jwks_uri").is_some() {
        keys["insecure_http"] = json!(true);
    }
    json!({
        "name": id,
        "issuer": id,
        "audiences": [config.issuer.as_str()],
        "algorithms": algorithms,
        "keys": keys,
        "needed_at_start": false,
        "require": { "aud": { "equals": config.issuer.as_str() }, "sub": { "equals": id } },
        "token_types": [{
            "name": "assertion",
            "claim": { "iss": { "equals": id } },
            "max_lifetime_s": LIFE_S,
            "required_claims": ["jti", "sub"],
        }],
    })
}

impl std::fmt::Debug for Assertions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assertions").finish_non_exhaustive()
    }
}

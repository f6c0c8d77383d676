//! The bridge's own tokens, where they come back: verified by a gate with the bridge's keys.

use std::{fmt, future, sync::Arc};

use countersign_host::{Decision, Fetch, Fetcher, Fetching, Gate, Principal, Requirement};
use serde_json::{Value, json};

use crate::{
    clock::Clock,
    config::{Config, ConfigError},
    gates,
    keys::Keys,
    mint::Class,
    refusal::Refusal,
    store::Store,
};

/// Verifies them.
pub(crate) struct Own {
    gate: Gate,
    any: Requirement,
    store: Store,
    clock: Arc<dyn Clock>,
}

/// A good token.
#[derive(Clone, Debug)]
pub(crate) struct OwnToken {
    pub(crate) principal: Arc<Principal>,
    pub(crate) jti: String,
    pub(crate) audience: String,
    /// To which client it was given.
    pub(crate) client: String,
}

impl Own {
    /// Opens the gate.
    ///
    /// # Errors
    /// The configuration cannot be said as a policy.
    pub(crate) async fn open(
        config: &Config,
        keys: Arc<Keys>,
        store: Store,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let issuer = &config.issuer;
        let types = [
            (Class::Pat, config.tokens.pat_s),
            (Class::Njt, config.tokens.njt_s),
            (Class::Nat, config.tokens.nat_s),
        ];
        let types = types.map(|(class, life_s)| {
            json!({
                "name": class.as_str(),
                "header_typ": [class.header_typ()],
                "max_lifetime_s": life_s,
                "required_claims": ["sub", "jti", "client_id"],
            })
        });
        let policy = json!({
            "contract": "1",
            "issuers": [{
                "name": "bridge",
                "issuer": issuer.as_str(),
                "audiences": config.tokens.audiences,
                "algorithms": ["ES256", "RS256"],
                "keys": { "jwks_uri": issuer.at("/.well-known/jwks.json"), "insecure_http": issuer.is_http() },
                "needed_at_start": false,
                "token_types": types,
                "claims": { "tenant": "/tenant_id", "roles": ["/roles"], "scopes": ["/scope"] },
            }],
            "rules": [],
        });
        let refused = |error| gates::refused("the gate of the bridge's own tokens", &error);
        let builder = gates::builder(
            &policy,
            clock.clone(),
            gates::Fetching(Arc::new(Here(keys))),
        );
        let gate = builder.build().await.map_err(refused)?;
        let any = gate.prepare(b"{}").await.map_err(refused)?;
        Ok(Self {
            gate,
            any,
            store,
            clock,
        })
    }

    /// The decision about a token, and what is known of it where it is good: signed by the
    /// bridge, recorded, not expired and not revoked. The proof of a bound one is not asked.
    ///
    /// # Errors
    /// That cannot be known now.
    pub(crate) async fn read(&self, token: &str) -> Result<(Decision, Option<OwnToken>), Refusal> {
        let decision = self.gate.check_proven_token(token, &self.any).await;
        let principal = match &decision {
            Decision::Allow(grant) => grant.principal.clone(),
            Decision::Deny(denial) if denial.status == 503 => return Err(Refusal::unavailable()),
            Decision::Deny(_) | Decision::Answer(_) => None,
        };
        let Some(principal) = principal else {
            return Ok((decision, None));
        };
        let claims: Option<Value> = serde_json::from_str(&principal.claims).ok();
        let text = |name: &str| Some(claims.as_ref()?.get(name)?.as_str()?.to_owned());
        let (Some(jti), Some(audience)) = (text("jti"), text("aud")) else {
            return Ok((decision, None));
        };
        // The database knows at once what is revoked; and each token that it does not know
        // is of somebody who has a key.
        let standing = self.store.standing(&jti, self.clock.now_ms()).await?;
        let own = standing
            .filter(|standing| !standing.is_revoked)
            .map(|standing| OwnToken {
                principal,
                jti,
                audience,
                client: standing.client,
            });
        Ok((decision, own))
    }
}

/// The key set of this process.
struct Here(Arc<Keys>);

impl Fetcher for Here {
    fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
        Box::pin(future::ready(Ok(gates::key_set(&self.0))))
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").finish_non_exhaustive()
    }
}

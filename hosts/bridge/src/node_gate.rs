//! The gate for what nodes show: join tokens and renewals, with the proof of their key.
//!
//! It asks nobody outside: the key set is the bridge's own, and a renewal, which is opaque,
//! is looked up in the database as by introspection (RFC 7662).

use std::{fmt, future, sync::Arc};

use countersign_host::{
    Decision, Fetch, FetchError, Fetcher, Fetching, Gate, Outgoing, Principal, Response,
};
use http::request::Parts;
use serde_json::{Value, json};

use crate::{
    clock::Clock,
    config::{Config, ConfigError},
    form::Form,
    gates,
    keys::Keys,
    mint::Class,
    refusal::{Code, Refusal},
    seal,
    store::Store,
};

/// Where a node joins, and where it renews.
pub(crate) const JOIN: &str = "/v1/nodes/join";
pub(crate) const RENEW: &str = "/v1/nodes/renew";

/// How a renewal begins.
pub(crate) const RENEWAL_PREFIX: &str = "nrt_";

/// 128 bits in base64url: the length of each half of a renewal.
const HALF: usize = 22;

/// Nobody has this name (RFC 6761 §6.4), and nobody is asked.
const NOWHERE: &str = "https://bridge.invalid";

/// Verifies what nodes show.
pub(crate) struct NodeGate {
    gate: Gate,
    store: Store,
    clock: Arc<dyn Clock>,
}

impl NodeGate {
    pub(crate) async fn open(
        config: &Config,
        keys: Arc<Keys>,
        store: Store,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let failed = || ConfigError::of_file("pairing", "value_invalid", "there is no randomness");
        let secret = seal::random::<16>().map_err(|_| failed())?;
        let policy = policy(config, &secret);
        let own = gates::Fetching(Arc::new(Own {
            keys,
            store: store.clone(),
            clock: clock.clone(),
            issuer: config.issuer.as_str().to_owned(),
        }));
        let gate = gates::builder(&policy, clock.clone(), own);
        let gate = gate.proofs(gates::Proofs(store.clone())).build().await;
        let gate = gate.map_err(|error| gates::refused("pairing", &error))?;
        Ok(Self { gate, store, clock })
    }

    /// Who has sent this request, by the token of its `authorization`, and by the proof in
    /// its `dpop` (RFC 9449 §7) where the token is bound to a key.
    pub(crate) async fn verify(&self, parts: &Parts) -> Result<Arc<Principal>, Refusal> {
        let invalid = Refusal::new(Code::InvalidToken, "the token is not good here");
        let decision = self.gate.check_parts(parts).await;
        if let Decision::Deny(denial) = &decision
            && denial.status != 503
            && denial.code.starts_with("proof_")
        {
            let description = "the proof of the node's key is missing or not good";
            return Err(Refusal::new(Code::InvalidDpopProof, description));
        }
        let principal = gates::principal(decision, invalid)?;
        // A join token may be revoked. A renewal has no `jti`: its node is.
        if let Some(jti) = jti(&principal) {
            let standing = self.store.standing(&jti, self.clock.now_ms()).await?;
            if standing.is_none_or(|standing| standing.is_revoked) {
                return Err(invalid);
            }
        }
        Ok(principal)
    }
}

fn jti(principal: &Principal) -> Option<String> {
    let claims: Value = serde_json::from_str(&principal.claims).ok()?;
    Some(claims.get("jti")?.as_str()?.to_owned())
}

/// A proof needs `ath`: what comes here is a protected resource's request, not one of the
/// token endpoint (RFC 9449 §4.3).
fn policy(config: &Config, secret: &str) -> Value {
    let issuer = config.issuer.as_str();
    json!({
        "contract": "1",
        "issuers": [
            {
                "name": "own",
                "issuer": issuer,
                "audiences": [issuer],
                "algorithms": ["ES256", "RS256"],
                "keys": { "jwks_uri": format!("{NOWHERE}/jwks.json") },
                "needed_at_start": false,
                "require": { "aud": { "equals": issuer } },
                "token_types": [{
                    "name": "njt",
                    "header_typ": [Class::Njt.header_typ()],
                    "max_lifetime_s": config.tokens.njt_s,
                    "required_claims": ["sub", "jti", "client_id", "tenant_id"],
                }],
            },
            {
                "name": "renewals",
                "audiences": [issuer],
                "introspection": {
                    "uri": format!("{NOWHERE}/renewals"),
                    "client": { "id": "bridge", "secret": secret },
                    "prefix": [RENEWAL_PREFIX],
                    "cache_s": 1,
                    "negative_cache_s": 1,
                    "rate_per_s": 10_000,
                },
            },
        ],
        "credentials": [
            { "header": "authorization", "scheme": "Bearer" },
            { "header": "authorization", "scheme": "DPoP" },
        ],
        "dpop": { "origin": issuer },
        "rules": [
            {
                "path": JOIN,
                "methods": ["POST"],
                "require": { "issuers": ["own"], "types": ["njt"] },
            },
            {
                "path": RENEW,
                "methods": ["POST"],
                "require": { "issuers": ["renewals"] },
            },
        ],
    })
}

/// The hash of the half of a renewal that stays, if it has the form of one.
pub(crate) fn family_hash(renewal: &str) -> Option<String> {
    let halves = renewal.strip_prefix(RENEWAL_PREFIX)?;
    let family = halves.get(..HALF).filter(|_| halves.len() == 2 * HALF)?;
    Some(seal::hash(family))
}

/// A renewal: the half that stays, or a new one, and a new second half.
pub(crate) fn new_renewal(old: Option<&str>) -> Result<String, Refusal> {
    let family = old.and_then(|old| old.strip_prefix(RENEWAL_PREFIX)?.get(..HALF));
    let family = match family {
        Some(family) => family.to_owned(),
        None => seal::random::<16>()?,
    };
    Ok(format!("{RENEWAL_PREFIX}{family}{}", seal::random::<16>()?))
}

/// Answers the gate from this process.
struct Own {
    keys: Arc<Keys>,
    store: Store,
    clock: Arc<dyn Clock>,
    issuer: String,
}

impl Fetcher for Own {
    fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
        Box::pin(future::ready(Ok(gates::key_set(&self.keys))))
    }

    fn send<'a>(&'a self, request: &'a Outgoing) -> Fetching<'a> {
        Box::pin(async {
            let claims = self.look_up(&request.body).await;
            let claims = claims.map_err(|_| FetchError::new("the database does not answer"))?;
            Ok(Response {
                status: 200,
                cache_control: "no-store".to_owned(),
                body: claims.to_string().into_bytes(),
            })
        })
    }
}

impl Own {
    /// What the gate is told of a renewal. One that was used before is active too: that it
    /// comes again is seen, and answered, where it is exchanged.
    async fn look_up(&self, body: &[u8]) -> Result<Value, Refusal> {
        let inactive = json!({ "active": false });
        let form = Form::parse(body)?;
        let Some(family) = form.get("token").and_then(family_hash) else {
            return Ok(inactive);
        };
        let Some(renewal) = self.store.renewal(&family).await? else {
            return Ok(inactive);
        };
        if renewal.expires_at <= self.clock.now_ms() || renewal.state != "active" {
            return Ok(inactive);
        }
        let mut claims = json!({
            "active": true,
            "aud": self.issuer,
            "sub": renewal.node,
            "exp": renewal.expires_at.div_euclid(1000),
        });
        if let Some(cnf) = &renewal.cnf {
            // What cannot be read must not become an unbound token.
            claims["cnf"] = serde_json::from_str(cnf).map_err(|_| Refusal::unavailable())?;
        }
        Ok(claims)
    }
}

impl fmt::Debug for NodeGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeGate").finish_non_exhaustive()
    }
}

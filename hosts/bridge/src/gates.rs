//! Gates: the sealed module verifies every token that the bridge accepts.

use std::{fmt, pin::Pin, sync::Arc};

use countersign_host::{
    Decision, Denial, Fetch, Fetcher, FirstUse, Gate, GateBuilder, OpenError, Outgoing, Proof,
    ProofStore, Response, Signatures,
};
use serde_json::Value;

use crate::{
    clock::Clock,
    config::ConfigError,
    keys::Keys,
    refusal::{Code, Refusal},
    store::Store,
};

/// What fetches documents for the gates.
#[derive(Clone)]
pub(crate) struct Fetching(pub(crate) Arc<dyn Fetcher>);

impl Fetcher for Fetching {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> countersign_host::Fetching<'a> {
        self.0.fetch(fetch)
    }

    fn send<'a>(&'a self, request: &'a Outgoing) -> countersign_host::Fetching<'a> {
        self.0.send(request)
    }
}

impl fmt::Debug for Fetching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetching")
    }
}

/// The key set of this process, for a gate that verifies the bridge's own tokens.
pub(crate) fn key_set(keys: &Keys) -> Response {
    let (jwks, max_age_s) = keys.jwks();
    let cache_control = max_age_s.map(|max_age_s| format!("max-age={max_age_s}"));
    Response {
        status: 200,
        cache_control: cache_control.unwrap_or_else(|| "no-store".to_owned()),
        body: jwks.to_string().into_bytes(),
    }
}

/// Each proof once, over all replicas.
pub(crate) struct Proofs(pub(crate) Store);

impl ProofStore for Proofs {
    fn first_use<'a>(
        &'a self,
        proof: &'a Proof,
    ) -> Pin<Box<dyn Future<Output = FirstUse> + Send + 'a>> {
        Box::pin(async {
            let owner = format!("proof {}", hex::encode(proof.owner));
            let expires_at = i64::try_from(proof.expires_ms).unwrap_or(i64::MAX);
            let id = hex::encode(proof.id);
            match self.0.is_first_use(&owner, &id, expires_at).await {
                Ok(true) => FirstUse::Yes,
                Ok(false) => FirstUse::No,
                Err(_) => FirstUse::Unknown,
            }
        })
    }
}

/// The builder of a gate with the bridge's clock, fetcher and cryptography.
pub(crate) fn builder(policy: &Value, clock: Arc<dyn Clock>, fetcher: Fetching) -> GateBuilder {
    Gate::builder()
        .policy(policy.to_string())
        .clock(move || u64::try_from(clock.now_ms()).unwrap_or_default())
        .fetcher(fetcher)
        .signatures(Signatures::Native)
}

/// A problem of a policy that was made from the configuration. `place` is the part of that.
pub(crate) fn refused(place: &str, error: &OpenError) -> ConfigError {
    ConfigError::of_file(place, "value_invalid", error.to_string())
}

/// What the bridge says where a gate has denied a token: that it cannot know yet, or that
/// the token is not good. The gate's code is for the log alone.
pub(crate) fn denied(denial: &Denial, otherwise: Refusal) -> Refusal {
    match denial.status {
        503 => Refusal::unavailable(),
        _ => otherwise,
    }
}

/// The principal of a good token.
///
/// # Errors
/// `otherwise` where the token is not good.
pub(crate) fn principal(
    decision: Decision,
    otherwise: Refusal,
) -> Result<Arc<countersign_host::Principal>, Refusal> {
    match decision {
        Decision::Allow(grant) => grant.principal.ok_or(otherwise),
        Decision::Deny(denial) => {
            tracing::debug!(code = denial.code, "a token was refused");
            Err(denied(&denial, otherwise))
        }
        Decision::Answer(_) => Err(Refusal::new(Code::ServerError, "the gate failed")),
    }
}

//! Gates: the sealed module verifies every token that the bridge accepts.

use std::{fmt, sync::Arc};

use countersign_host::{
    Decision, Denial, Fetch, Fetcher, Gate, GateBuilder, OpenError, Outgoing, Signatures,
};
use serde_json::Value;

use crate::{
    clock::Clock,
    config::ConfigError,
    refusal::{Code, Refusal},
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

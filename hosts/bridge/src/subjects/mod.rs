//! What is shown to be exchanged, verified by one gate: tokens of trusted issuers, the
//! bridge's own, and assertions of apps.

mod policy;

use std::{collections::HashMap, fmt, future, sync::Arc};

use countersign_host::{Decision, Fetch, Fetcher, Gate, Outgoing, Principal, Severity};
use countersign_policy_source::Problem;
use http::{HeaderMap, HeaderValue, Request, header};
use serde_json::{Map, Value};

use crate::{
    clock::Clock,
    config::{AppAssertions, Config, ConfigError, OwnTokens, TrustedIssuer},
    gates::{self, Fetching},
    keys::Keys,
    refusal::{Code, Refusal},
    seal,
    store::Store,
};

/// How long after its end a gate takes an assertion (`leeway_s`), and somebody's clock.
const AFTER_MS: i64 = 60_000;

/// The header of a proof (RFC 9449 §4).
const DPOP: &str = "dpop";

/// Verifies what is shown.
pub(crate) struct Subjects {
    gate: Option<Gate>,
    sources: HashMap<String, Source>,
    store: Store,
}

/// Whose token it is.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Issuer(Arc<TrustedIssuer>),
    Own(Arc<OwnTokens>),
    /// With the client id of the app.
    App(String, Arc<AppAssertions>),
}

/// A token that is good, and, if it is bound to a key, comes from whoever has the key.
/// `{:?}` does not show its claims.
pub(crate) struct Shown {
    pub(crate) source: Source,
    pub(crate) principal: Arc<Principal>,
    pub(crate) claims: Map<String, Value>,
    /// Its end, in milliseconds since 1970.
    pub(crate) ends_at: i64,
}

impl Subjects {
    /// Looks at what the configuration says in the policy language.
    ///
    /// # Errors
    /// Every problem, each with its place in the configuration.
    pub(crate) fn check(config: &Config) -> Result<(), ConfigError> {
        let trusted = policy::trusted(config);
        if trusted.is_empty() {
            return Ok(());
        }
        let policy = policy::policy(config, &trusted);
        let problems = countersign_host::lint(policy.to_string().as_bytes());
        match refused(&trusted, &problems) {
            ConfigError(problems) if problems.is_empty() => Ok(()),
            error => Err(error),
        }
    }

    /// Opens the gate, if there is anything to exchange.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub(crate) async fn open(
        config: &Config,
        keys: Arc<Keys>,
        store: Store,
        clock: Arc<dyn Clock>,
        others: Fetching,
    ) -> Result<Self, ConfigError> {
        let trusted = policy::trusted(config);
        let mut gate = None;
        if !trusted.is_empty() {
            let policy = policy::policy(config, &trusted);
            let documents = Fetching(Arc::new(Documents { keys, others }));
            let builder =
                gates::builder(&policy, clock, documents).proofs(gates::Proofs(store.clone()));
            let refused = |error| gates::refused("the gate of exchanges", &error);
            gate = Some(builder.build().await.map_err(refused)?);
        }
        let sources = trusted.into_iter().map(|known| (known.name, known.source));
        Ok(Self {
            gate,
            sources: sources.collect(),
            store,
        })
    }

    /// Whether there is anything to exchange.
    pub(crate) fn has_any(&self) -> bool {
        self.gate.is_some()
    }

    /// Verifies a subject token, with the proofs of `headers` where it is bound.
    ///
    /// # Errors
    /// It is not good, or this cannot be known now.
    pub(crate) async fn subject(&self, token: &str, headers: &HeaderMap) -> Result<Shown, Refusal> {
        let refused = Refusal::request("the subject token is not good here");
        let proofs = headers.get_all(DPOP).iter().cloned().collect();
        self.verify(token, proofs, refused).await
    }

    /// Verifies an actor token. One that is bound is refused: the proof of the request is
    /// that of the subject token.
    ///
    /// # Errors
    /// As [`Self::subject`].
    pub(crate) async fn actor(&self, token: &str) -> Result<Shown, Refusal> {
        let refused = Refusal::request("the actor token is not good here");
        self.verify(token, Vec::new(), refused).await
    }

    async fn verify(
        &self,
        token: &str,
        proofs: Vec<HeaderValue>,
        refused: Refusal,
    ) -> Result<Shown, Refusal> {
        let gate = self.gate.as_ref().ok_or(refused)?;
        let scheme = match proofs.is_empty() {
            true => "Bearer",
            false => "DPoP",
        };
        let field = HeaderValue::try_from(format!("{scheme} {token}"));
        let mut field = field.map_err(|_| refused)?;
        field.set_sensitive(true);
        // As if the token had come with the request itself: then the gate asks for a proof.
        let mut request = Request::post(policy::PATH).header(header::AUTHORIZATION, field);
        for proof in proofs {
            request = request.header(DPOP, proof);
        }
        let request = request.body(()).map_err(|_| refused)?;
        let decision = gate.check(&request).await;
        if let Decision::Deny(denial) = &decision
            && denial.status != 503
            && denial.code.starts_with("proof_")
        {
            let description = "the proof of the token's key is missing or not good";
            return Err(Refusal::new(Code::InvalidDpopProof, description));
        }
        let principal = gates::principal(decision, refused)?;
        let source = self.sources.get(&principal.issuer).cloned();
        let claims = serde_json::from_str(&principal.claims).map_err(|_| refused)?;
        Ok(Shown {
            source: source.ok_or(refused)?,
            ends_at: principal.expires_at_ms.ok_or(refused)?,
            principal,
            claims,
        })
    }

    /// Uses an assertion of an app, which one caller can, over all replicas.
    ///
    /// # Errors
    /// It was used before, or this cannot be known now.
    pub(crate) async fn use_once(&self, app: &str, shown: &Shown) -> Result<(), Refusal> {
        let refused = Refusal::request("the subject token is not good here");
        let jti = shown.text("jti").ok_or(refused)?;
        let owner = format!("person assertion {app}");
        let until = shown.ends_at.saturating_add(AFTER_MS);
        let hash = seal::hash(jti);
        match self.store.is_first_use(&owner, &hash, until).await? {
            true => Ok(()),
            false => {
                tracing::warn!(client = app, "an assertion was sent a second time");
                Err(refused)
            }
        }
    }
}

impl Shown {
    /// A claim that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// A claim that is a moment (RFC 7519 §2), in whole seconds.
    pub(crate) fn seconds(&self, name: &str) -> Option<i64> {
        self.claims.get(name)?.as_i64()
    }

    /// When it was made, in milliseconds since 1970: at the beginning of time, if it does
    /// not say.
    pub(crate) fn issued_at(&self) -> i64 {
        self.seconds("iat").unwrap_or(0).saturating_mul(1000)
    }
}

/// The errors of a policy that was made from the configuration, at their places there.
fn refused(trusted: &[policy::Trusted], problems: &[countersign_host::Problem]) -> ConfigError {
    let place = |pointer: &str| {
        let inner = pointer.strip_prefix("/issuers/")?;
        let (index, rest) = inner.split_at(inner.find('/').unwrap_or(inner.len()));
        let known = trusted.get(index.parse::<usize>().ok()?)?;
        Some(format!("{}{rest}", known.pointer))
    };
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    let errors = errors.map(|problem| Problem {
        file: "the configuration".to_owned(),
        pointer: place(&problem.pointer).unwrap_or_else(|| "/exchange".to_owned()),
        position: None,
        code: problem.code.clone(),
        message: problem.message.clone(),
        is_error: true,
    });
    ConfigError(errors.collect())
}

/// The documents of the gate: the bridge's key set is that of this process.
struct Documents {
    keys: Arc<Keys>,
    others: Fetching,
}

impl Fetcher for Documents {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> countersign_host::Fetching<'a> {
        if fetch.uri != policy::OWN_KEYS {
            return self.others.fetch(fetch);
        }
        Box::pin(future::ready(Ok(gates::key_set(&self.keys))))
    }

    fn send<'a>(&'a self, request: &'a Outgoing) -> countersign_host::Fetching<'a> {
        self.others.send(request)
    }
}

impl fmt::Debug for Subjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subjects").finish_non_exhaustive()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

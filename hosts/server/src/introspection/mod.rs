//! The introspection endpoint (RFC 7662): services that have no gate of their own ask
//! whether a token is good, and what it says.
//!
//! Who asks must authenticate. What a caller may see is a requirement of its own, which
//! the gate checks: a token for somebody else is not active for this caller. A bound
//! token (`cnf`) is answered with its binding, which the caller must check, as it has
//! the request.

mod clients;
mod form;
mod members;
mod throttle;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use bytes::Bytes;
use countersign_host::Decision;
use http::{HeaderValue, Request, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{
    config::{self, ConfigError},
    dialect::reply::{self, Reply},
    metrics::Outcome,
    peer::Peer,
    policies::Policies,
};
use clients::Clients;
use form::Bad;
use throttle::{Throttle, TooMany};

/// What stands before the name of the policy.
pub(crate) const PATH: &str = "/introspect/";

/// The endpoint, ready to answer.
pub(crate) struct Introspection {
    config: config::Introspection,
    clients: RwLock<Arc<Clients>>,
    throttle: Throttle,
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection").finish_non_exhaustive()
    }
}

impl Introspection {
    /// Reads the credentials, and prepares what each client may see.
    ///
    /// # Errors
    /// Every problem.
    pub(crate) async fn open(
        config: &config::Introspection,
        policies: &Policies,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            config: config.clone(),
            clients: RwLock::new(Arc::new(Clients::open(config, policies).await?)),
            throttle: Throttle::new(),
        })
    }

    /// Reads the credentials again, and takes the gates in force.
    ///
    /// # Errors
    /// Every problem. What was in force stays.
    pub(crate) async fn reload(&self, policies: &Policies) -> Result<(), ConfigError> {
        let clients = Arc::new(Clients::open(&self.config, policies).await?);
        *self.clients.write().unwrap_or_else(PoisonError::into_inner) = clients;
        Ok(())
    }

    /// Answers a question about a token. `places` are those of all questions.
    pub(crate) async fn answer<B>(
        &self,
        request: Request<B>,
        policy: &str,
        peer: Peer,
        places: &Semaphore,
    ) -> (Reply, Outcome)
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let question = match form::read(request, peer.certificate).await {
            Ok(question) => question,
            Err(bad) => return (refused(bad), Outcome::Ambiguous),
        };
        let Some((name, presented)) = question.client else {
            return (unauthenticated(), Outcome::Untrusted);
        };
        if let Err(TooMany(wait)) = self.throttle.admit(peer.address, &name, Instant::now()) {
            let mut reply = error(
                StatusCode::TOO_MANY_REQUESTS,
                "invalid_client",
                "too many wrong credentials",
            );
            retry_after(&mut reply, wait.as_secs() + 1);
            return (reply, Outcome::Untrusted);
        }
        let clients = self
            .clients
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(client) = clients.authenticate(&name, &presented) else {
            self.throttle.wrong(peer.address, &name, Instant::now());
            return (unauthenticated(), Outcome::Untrusted);
        };
        let Some(sees) = client.sees.get(policy) else {
            let why = "this client may not ask this policy";
            let reply = error(StatusCode::FORBIDDEN, "access_denied", why);
            return (reply, Outcome::Untrusted);
        };
        // Not before the form is there: a slow caller takes no place of others.
        let Ok(_place) = places.try_acquire() else {
            return (unavailable(1), Outcome::Shed);
        };
        // The sender's proof is checked by the caller, which has the request: it is told
        // `cnf`.
        let decision = sees
            .gate
            .check_proven_token(&question.token, &sees.requirement)
            .await;
        (about(&decision), Outcome::Decided)
    }
}

/// The answer for a decision about a token.
fn about(decision: &Decision) -> Reply {
    match decision {
        Decision::Allow(grant) => match grant.principal.as_deref().and_then(members::active) {
            Some(members) => json_reply(StatusCode::OK, &members),
            None => json_reply(StatusCode::OK, &members::inactive()),
        },
        // What cannot be decided now is no answer about the token.
        Decision::Deny(denial) if denial.status == 503 => {
            unavailable(denial.retry_after_s.unwrap_or(1).into())
        }
        Decision::Deny(_) | Decision::Answer(_) => json_reply(StatusCode::OK, &members::inactive()),
    }
}

fn refused(Bad { status, why }: Bad) -> Reply {
    let mut reply = error(status, "invalid_request", why);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        reply
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    reply
}

fn unauthenticated() -> Reply {
    let mut reply = error(
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        "the client is not authenticated",
    );
    let challenge = HeaderValue::from_static("Basic realm=\"countersign\", charset=\"UTF-8\"");
    reply
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    reply
}

fn unavailable(seconds: u64) -> Reply {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut reply = error(
        status,
        "temporarily_unavailable",
        "the token cannot be checked now",
    );
    retry_after(&mut reply, seconds);
    reply
}

fn error(status: StatusCode, code: &str, why: &str) -> Reply {
    json_reply(status, &json!({ "error": code, "error_description": why }))
}

fn retry_after(reply: &mut Reply, seconds: u64) {
    reply
        .headers_mut()
        .insert(header::RETRY_AFTER, seconds.into());
}

fn json_reply(status: StatusCode, body: &Value) -> Reply {
    let mut reply = reply::empty(status);
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(header::CONTENT_TYPE, json);
    *reply.body_mut() = body.to_string().into();
    reply
}

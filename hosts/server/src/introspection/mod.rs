//! The introspection endpoint (RFC 7662): services that have no gate of their own ask
//! whether a token is good, and what it says.
//!
//! Who asks must authenticate. What a caller may see is a requirement of its own, which
//! the gate checks: a token for somebody else is not active for this caller. A bound
//! token (`cnf`) is answered with its binding, which the caller must check, as it has
//! the request.

mod clients;
mod config;
mod form;
mod members;
mod throttle;

use std::{collections::HashMap, fmt, time::Instant};

use bytes::Bytes;
use countersign_host::{Decision, Gate};
use http::{HeaderValue, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::{config::Address, dialect::reply::{self, Reply}, peer::Peer, policies::Policies};
use clients::{Client, Clients};
pub use config::{ClientConfig, IntrospectionConfig};
use form::Bad;
use throttle::{Throttle, TooMany};

const IN_CLEAR: &str = "introspection: secrets and tokens would come over plain HTTP: listen with \
    TLS, on a Unix socket or on a loopback address, or say `insecure_http: true`";

/// The endpoint, ready to answer.
pub(crate) struct Introspection {
    clients: Clients,
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
        config: &IntrospectionConfig,
        listen: &Address,
        policies: &Policies,
    ) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        if let Address::Tcp(address) = listen
            && !address.ip().is_loopback()
            && !config.insecure_http
        {
            problems.push(IN_CLEAR.to_owned());
        }
        let mut clients = HashMap::new();
        for (name, config) in &config.clients {
            let mut told = |problem: String| problems.push(format!("introspection client `{name}`: {problem}"));
            let mut client = match Client::read(name, config) {
                Ok(client) => client,
                Err(problems) => {
                    problems.into_iter().for_each(told);
                    continue;
                }
            };
            for policy in &config.policies {
                let Some(gate) = policies.gate(policy) else {
                    told(format!("there is no policy `{policy}`"));
                    continue;
                };
                match gate.prepare(config.require.to_string().as_bytes()).await {
                    Ok(requirement) => {
                        client.sees.insert(policy.clone(), requirement);
                    }
                    Err(error) => told(format!("`require` under the policy `{policy}`: {error}")),
                }
            }
            clients.insert(name.clone(), client);
        }
        if config.clients.is_empty() {
            problems.push("introspection: `clients` names nobody".to_owned());
        }
        match problems.is_empty() {
            true => Ok(Self { clients: Clients::new(clients), throttle: Throttle::new() }),
            false => Err(problems),
        }
    }

    /// Answers a question about a token to the policy's gate.
    pub(crate) async fn answer<B>(&self, request: Request<B>, policy: &str, gate: &Gate, peer: Peer) -> Reply
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let question = match form::read(request, peer.certificate()).await {
            Ok(question) => question,
            Err(bad) => return refused(bad),
        };
        let Some((name, presented)) = question.client else {
            return unauthenticated();
        };
        if let Err(TooMany(wait)) = self.throttle.admit(peer, &name, Instant::now()) {
            let mut reply = error(StatusCode::TOO_MANY_REQUESTS, "invalid_client", "too many wrong credentials");
            retry_after(&mut reply, wait.as_secs() + 1);
            return reply;
        }
        let Some(client) = self.clients.authenticate(&name, &presented) else {
            self.throttle.wrong(peer, &name, Instant::now());
            return unauthenticated();
        };
        let Some(requirement) = client.sees.get(policy) else {
            return error(StatusCode::FORBIDDEN, "access_denied", "this client may not ask this policy");
        };
        // The sender's proof is checked by the caller, which has the request: it is told
        // `cnf`.
        about(&gate.check_proven_token(&question.token, requirement).await)
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
            let mut reply = error(
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "the token cannot be checked now",
            );
            retry_after(&mut reply, denial.retry_after_s.unwrap_or(1).into());
            reply
        }
        Decision::Deny(_) | Decision::Answer(_) => json_reply(StatusCode::OK, &members::inactive()),
    }
}

fn refused(Bad { status, why }: Bad) -> Reply {
    let mut reply = error(status, "invalid_request", why);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    reply
}

fn unauthenticated() -> Reply {
    let mut reply = error(StatusCode::UNAUTHORIZED, "invalid_client", "the client is not authenticated");
    let challenge = HeaderValue::from_static("Basic realm=\"countersign\", charset=\"UTF-8\"");
    reply.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    reply
}

fn error(status: StatusCode, code: &str, why: &str) -> Reply {
    json_reply(status, &json!({ "error": code, "error_description": why }))
}

fn retry_after(reply: &mut Reply, seconds: u64) {
    reply.headers_mut().insert(header::RETRY_AFTER, seconds.into());
}

fn json_reply(status: StatusCode, body: &Value) -> Reply {
    let mut reply = reply::empty(status);
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(header::CONTENT_TYPE, json);
    *reply.body_mut() = body.to_string().into();
    reply
}

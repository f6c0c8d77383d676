//! The request by which an authorization server is asked about a token (RFC 7662
//! §2.1).

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::fmt;

use crate::{
    base::{limits, uri::push_form},
    model::{Introspection, Signed},
};

/// A request to send, no redirects, within `timeout_ms` and `max_bytes` of its
/// response.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Identifies the request in [`respond`](crate::Gate::respond).
    pub ticket: u64,
    /// The issuer's `name` in the policy.
    pub issuer: Arc<str>,
    /// The HTTP method.
    pub method: &'static str,
    /// The address.
    pub uri: Arc<str>,
    /// Lower-case names and values.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// The body.
    pub body: Vec<u8>,
    /// Maximum time of the whole exchange, in milliseconds.
    pub timeout_ms: u32,
    /// Maximum size of the response's body, in bytes.
    pub max_bytes: u32,
}

/// Does not show headers and body, which can contain a token and a secret.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("ticket", &self.ticket)
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

impl Outgoing {
    pub(super) fn about(
        token: &[u8],
        ticket: u64,
        issuer: &Arc<str>,
        introspection: &Introspection,
    ) -> Self {
        let mut headers = Vec::new();
        let mut add = |name: &str, value: &str| headers.push((name.into(), value.into()));
        add("content-type", "application/x-www-form-urlencoded");
        add(
            "accept",
            match introspection.signed {
                Signed::Never => "application/json",
                Signed::Accepted => "application/token-introspection+jwt, application/json",
                Signed::Required => "application/token-introspection+jwt",
            },
        );
        if !introspection.authorization.is_empty() {
            add("authorization", &introspection.authorization);
        }
        let mut body = String::from("token=");
        push_form(&mut body, token);
        body.push_str(&introspection.body_end);
        Self {
            ticket,
            issuer: Arc::clone(issuer),
            method: "POST",
            uri: Arc::clone(&introspection.uri),
            headers,
            body: body.into_bytes(),
            timeout_ms: limits::FETCH_TIMEOUT_MS,
            max_bytes: limits::ANSWER_BYTES,
        }
    }
}

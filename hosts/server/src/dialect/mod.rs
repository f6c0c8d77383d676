//! What each proxy says and understands, each at its own path.
//!
//! A dialect is two functions. One reads the request that the proxy asks about: what
//! can be read in more than one way is [`Ambiguous`]. The other says a decision so that
//! the proxy cannot take a denial for anything else.

pub(crate) mod answer;
mod caddy;
mod carried;
mod certificate;
mod effects;
pub(crate) mod envoy_grpc;
mod envoy_http;
mod forwarded;
mod haproxy;
mod nginx;
mod replaced;
pub(crate) mod reply;
mod taken;
mod traefik;

use countersign_host::{Connection, Decision, Denial, Header, Request};
use http::{StatusCode, request::Parts};
use reply::Reply;

use crate::config::DialectName;

/// The request that a proxy asks about.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) authority: &'a [u8],
    pub(crate) target: &'a [u8],
    /// Without those by which the proxy says the other parts.
    pub(crate) headers: Vec<Header<'a>>,
    pub(crate) connection: Connection,
}

/// What a proxy sent can be read in more than one way, or is incomplete.
#[derive(Debug)]
pub(crate) struct Ambiguous;

impl Asked<'_> {
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            method: self.method,
            authority: self.authority,
            target: self.target,
            headers: &self.headers,
            connection: self.connection,
        }
    }
}

/// Reads what the proxy asks about. `rest` is the part of the target behind
/// `/{dialect}/{policy}`.
pub(crate) fn read<'a>(
    dialect: DialectName,
    parts: &'a Parts,
    rest: &'a str,
) -> Result<Asked<'a>, Ambiguous> {
    match dialect {
        DialectName::Caddy => caddy::read(parts, rest),
        // Its questions are messages, not headers.
        DialectName::EnvoyGrpc => Err(Ambiguous),
        DialectName::EnvoyHttp => envoy_http::read(parts, rest),
        DialectName::Haproxy => haproxy::read(parts, rest),
        DialectName::Nginx => nginx::read(parts, rest),
        DialectName::Traefik => traefik::read(parts, rest),
    }
}

/// Says the decision about the question in `parts`.
pub(crate) fn reply(dialect: DialectName, parts: &Parts, decision: &Decision) -> Reply {
    match dialect {
        DialectName::Caddy => caddy::reply(parts, decision),
        DialectName::EnvoyGrpc => reply::empty(StatusCode::NOT_FOUND),
        DialectName::EnvoyHttp => envoy_http::reply(parts, decision),
        DialectName::Haproxy => haproxy::reply(parts, decision),
        DialectName::Nginx => nginx::reply(parts, decision),
        DialectName::Traefik => traefik::reply(parts, decision),
    }
}

/// The denial of what cannot be read in one way only.
pub(crate) fn ambiguous() -> Decision {
    Decision::Deny(Denial {
        code: "request_ambiguous".into(),
        status: 400,
        message: "the request that the proxy asks about can be read in more than one way".into(),
        challenge: None,
        claim: None,
        principal: None,
        retry_after_s: None,
        nonce: None,
    })
}

/// The denial of a question that comes while there are too many.
pub(crate) fn overloaded() -> Decision {
    Decision::Deny(Denial {
        code: "internal_error".into(),
        status: 503,
        message: "the decision server has too many questions".into(),
        challenge: None,
        claim: None,
        principal: None,
        retry_after_s: Some(1),
        nonce: None,
    })
}

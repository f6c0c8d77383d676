//! Envoy's `ext_authz` over HTTP, and the external authorization of the Gateway API,
//! which has its form: the question has method, host and path of the request, with
//! `/envoy-http/{policy}` in front of the path, and those of its headers that the
//! configuration lists.
//!
//! Exactly 200 is an allow. A status from 500 on is a failure of this server, after which
//! the request may pass (`failure_mode_allow`); so such a denial travels as 403, with its
//! status in `x-countersign-status`.

use countersign_host::{Decision, Denial, Grant, Header};
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};

use super::{
    Ambiguous, Asked, answer,
    carried::Carried,
    effects::{Effects, aliases},
    reply::{self, Reply},
};

/// Names of all headers that the proxy takes from the reply, by commas. A configuration
/// that says it, and a policy that sets another header, deny: the client's own would pass.
const SETS: &str = "x-countersign-sets";
const CARRIERS: &[&str] = &[SETS];

const STATUS: HeaderName = HeaderName::from_static("x-countersign-status");

/// Names to remove from the request, by commas.
const REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

pub(super) fn read<'a>(parts: &'a Parts, rest: &'a str) -> Result<Asked<'a>, Ambiguous> {
    Carried::new(&parts.headers, CARRIERS).one(SETS)?;
    // The protocol carries neither the scheme nor a certificate.
    let mut asked = answer::read(parts, rest)?;
    let is = |name: &'static [u8]| move |field: &Header<'_>| field.0 == name;
    // Not every proxy passes on a field of one hop. Browsers send this one with every
    // handshake (RFC 6455 §4.1, RFC 8441 §5), and scripts cannot.
    let is_handshake = asked.headers.iter().any(is(b"sec-websocket-version"));
    if is_handshake && !asked.headers.iter().any(is(b"upgrade")) {
        asked.headers.push((b"upgrade", b"websocket"));
    }
    Ok(asked)
}

pub(super) fn reply(question: &Parts, decision: &Decision) -> Reply {
    match decision {
        Decision::Allow(grant) => {
            granted(question, grant).unwrap_or_else(|| denied(question, &reply::internal_error()))
        }
        Decision::Deny(denial) => denied(question, denial),
        // It has status 200, which would be an allow. The configuration of the proxy sends
        // requests for it to `/answer/{policy}`.
        Decision::Answer(_) => reply::empty(StatusCode::FORBIDDEN),
    }
}

/// `None` if the protocol cannot carry it.
fn granted(question: &Parts, grant: &Grant) -> Option<Reply> {
    let sent = question.headers.keys().map(|name| name.as_str().as_bytes());
    let effects = Effects::of(grant, sent);
    if effects.target.is_some() {
        return None;
    }
    let sets = question
        .headers
        .get(SETS)
        .map(|sets| sets.as_bytes().split(|byte| *byte == b','));
    if let Some(sets) = sets
        && !effects
            .set
            .keys()
            .all(|name| sets.clone().any(|set| set.trim_ascii() == name.as_bytes()))
    {
        return None;
    }
    let mut reply = reply::empty(StatusCode::OK);
    let headers = reply.headers_mut();
    // A gateway that knows no removals sets what it gets: then nothing is better than what
    // the client has sent.
    for name in &effects.remove {
        headers.insert(
            HeaderName::try_from(name).ok()?,
            HeaderValue::from_static(""),
        );
    }
    // What the configuration does not list is not shown, and would not be removed.
    let mut remove = effects.remove;
    for name in &*grant.remove_headers {
        remove.extend(aliases(name));
    }
    if !remove.is_empty() {
        let names: Vec<_> = remove.into_iter().collect();
        headers.insert(REMOVE, HeaderValue::try_from(names.join(",")).ok()?);
    }
    for (name, value) in effects.set {
        let name = HeaderName::try_from(name).ok()?;
        headers.insert(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(reply)
}

fn denied(question: &Parts, denial: &Denial) -> Reply {
    let status = StatusCode::from_u16(denial.status).ok();
    let status = status
        .filter(StatusCode::is_client_error)
        .unwrap_or(StatusCode::FORBIDDEN);
    let is_grpc = question.headers.get(header::CONTENT_TYPE);
    let is_grpc = is_grpc.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    let mut reply = reply::empty(status);
    *reply.body_mut() = match is_grpc {
        // Envoy makes it the `grpc-message` of a gRPC response.
        true => denial.code.clone().into(),
        false => reply::denial_body(denial),
    };
    let headers = reply.headers_mut();
    reply::denial_headers(denial, headers);
    if !is_grpc {
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
    }
    if status.as_u16() != denial.status {
        headers.insert(STATUS, denial.status.into());
    }
    reply
}

//! Traefik's `ForwardAuth`: a copy of the request as `GET`, with its parts in
//! `X-Forwarded-*`. With `trustForwardHeader: false` all of these are Traefik's own.

use countersign_host::Decision;
use http::request::Parts;

use super::{
    Ambiguous, Asked,
    carried::Carried,
    forwarded::{self, AUTHORITY, CLIENTS, METHOD, SCHEME, TARGET},
    replaced::Replaced,
    reply::Reply,
};

const CARRIERS: &[&str] = &[METHOD, TARGET, AUTHORITY, SCHEME, CLIENTS];

pub(super) fn read<'a>(parts: &'a Parts, rest: &str) -> Result<Asked<'a>, Ambiguous> {
    Replaced::read(rest)?;
    let carried = Carried::new(&parts.headers, CARRIERS);
    let method = carried.required(METHOD)?;
    // A tunnel has no target that a rule could be about.
    if method == b"CONNECT" {
        return Err(Ambiguous);
    }
    let mut headers = carried.others();
    // Traefik removes `Upgrade` from the question, and not from the request. Browsers
    // send these two fields with every handshake (RFC 6455 §4.1), and scripts cannot.
    let is_handshake =
        |name: &[u8]| name == b"sec-websocket-key" || name == b"sec-websocket-version";
    if headers.iter().any(|(name, _)| is_handshake(name)) {
        headers.push((b"upgrade", b"websocket"));
    }
    Ok(Asked {
        method,
        authority: carried.required(AUTHORITY)?,
        target: carried.required(TARGET)?,
        headers,
        connection: forwarded::connection(&carried)?,
    })
}

pub(super) fn reply(parts: &Parts, decision: &Decision) -> Reply {
    forwarded::reply(parts, decision)
}

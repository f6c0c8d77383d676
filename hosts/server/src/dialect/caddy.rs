//! Caddy's `forward_auth`: a copy of the request as `GET`, with its method and target in
//! `X-Forwarded-Method` and `X-Forwarded-Uri`. The generated configuration sets the other
//! carriers too, so that a client whose address Caddy trusts cannot.

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign_host::Decision;
use http::request::Parts;

use super::{
    Ambiguous, Asked,
    carried::Carried,
    forwarded::{self, AUTHORITY, CLIENTS, METHOD, SCHEME, TARGET},
    replaced::Replaced,
    reply::Reply,
};

/// The DER of the client's certificate in base64.
const CERTIFICATE: &str = "x-countersign-certificate";
/// The version of HTTP that the client speaks, such as `HTTP/2.0`.
const VERSION: &str = "x-countersign-version";
const CARRIERS: &[&str] = &[
    METHOD,
    TARGET,
    AUTHORITY,
    SCHEME,
    CLIENTS,
    CERTIFICATE,
    VERSION,
];

pub(super) fn read<'a>(parts: &'a Parts, rest: &str) -> Result<Asked<'a>, Ambiguous> {
    Replaced::read(rest)?;
    let carried = Carried::new(&parts.headers, CARRIERS);
    let mut connection = forwarded::connection(&carried)?;
    if let Some(der) = certificate(carried.one(CERTIFICATE)?)? {
        connection = connection.with_certificate(&der);
    }
    let headers = carried.others();
    let method = match carried.required(METHOD)? {
        b"CONNECT" => {
            let is_websocket = |(name, value): &(&[u8], &[u8])| {
                *name == b"upgrade" && value.eq_ignore_ascii_case(b"websocket")
            };
            let version = carried.one(VERSION)?;
            let is_extended = matches!(version, Some(b"HTTP/2.0" | b"HTTP/3.0"));
            // RFC 8441: the backend gets it as an upgrade of HTTP/1.1. All other tunnels
            // have no target that a rule could be about.
            match is_extended && headers.iter().any(is_websocket) {
                true => b"GET".as_slice(),
                false => return Err(Ambiguous),
            }
        }
        method => method,
    };
    Ok(Asked {
        method,
        authority: carried.required(AUTHORITY)?,
        target: carried.required(TARGET)?,
        headers,
        connection,
    })
}

/// A placeholder of Caddy that has no value is empty, and in older versions itself.
fn certificate(value: Option<&[u8]>) -> Result<Option<Vec<u8>>, Ambiguous> {
    match value {
        None | Some([] | [b'{', ..]) => Ok(None),
        Some(value) => BASE64_STANDARD
            .decode(value)
            .map(Some)
            .map_err(|_| Ambiguous),
    }
}

pub(super) fn reply(parts: &Parts, decision: &Decision) -> Reply {
    forwarded::reply(parts, decision)
}

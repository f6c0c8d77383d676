//! What Caddy's `forward_auth` and Traefik's `ForwardAuth` have in common: the same
//! carriers, and the same reply. Any 2xx lets the request pass; every other reply goes to
//! the client as it is, with its status, headers and body.

use std::net::IpAddr;

use countersign_host::{Connection, Decision, Denial, Grant};
use http::{HeaderValue, StatusCode, header, request::Parts};

use super::{
    Ambiguous,
    carried::Carried,
    replaced::Replaced,
    reply::{self, Reply},
    taken::Uncarried,
};

pub(super) const METHOD: &str = "x-forwarded-method";
pub(super) const TARGET: &str = "x-forwarded-uri";
pub(super) const AUTHORITY: &str = "x-forwarded-host";
pub(super) const SCHEME: &str = "x-forwarded-proto";
pub(super) const CLIENTS: &str = "x-forwarded-for";

/// What both proxies say about the connection of the client.
pub(super) fn connection(carried: &Carried<'_>) -> Result<Connection, Ambiguous> {
    Ok(Connection {
        tls: match carried.required(SCHEME)? {
            b"https" | b"wss" => Some(true),
            b"http" | b"ws" => Some(false),
            _ => return Err(Ambiguous),
        },
        peer: carried.one(CLIENTS)?.and_then(last_address),
        ..Connection::default()
    })
}

/// The address that the proxy itself saw: it is behind those that were there before.
fn last_address(list: &[u8]) -> Option<IpAddr> {
    let last = list.rsplit(|byte| *byte == b',').next()?;
    str::from_utf8(last.trim_ascii()).ok()?.parse().ok()
}

/// Says a decision about the question in `parts`.
pub(super) fn reply(parts: &Parts, decision: &Decision) -> Reply {
    match decision {
        Decision::Allow(grant) => granted(parts, grant).unwrap_or_else(|Uncarried(name)| {
            tracing::error!(
                %name,
                "the proxy cannot do this with its configuration: generate it anew"
            );
            denied(&reply::internal_error())
        }),
        Decision::Deny(denial) => denied(denial),
        // Its 200 would let the request pass.
        Decision::Answer(_) => {
            tracing::error!(
                "the proxy has no route for a metadata document: generate its configuration anew"
            );
            denied(&reply::internal_error())
        }
    }
}

fn granted(parts: &Parts, grant: &Grant) -> Result<Reply, Uncarried> {
    let query = parts.uri.query().map(|query| format!("?{query}"));
    let replaced = Replaced::read(query.as_deref().unwrap_or_default())
        .map_err(|Ambiguous| Uncarried("replaces".to_owned()))?;
    let mut reply = reply::empty(StatusCode::NO_CONTENT);
    replaced.write(grant, &parts.headers, reply.headers_mut())?;
    Ok(reply)
}

/// The whole response to the client.
fn denied(denial: &Denial) -> Reply {
    let status = StatusCode::from_u16(denial.status).ok();
    // Whatever the code, a denial is never a 2xx.
    let is_error = |status: &StatusCode| status.is_client_error() || status.is_server_error();
    let status = status
        .filter(is_error)
        .unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut reply = reply::empty(status);
    reply::denial_headers(denial, reply.headers_mut());
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(header::CONTENT_TYPE, json);
    *reply.body_mut() = reply::denial_body(denial);
    reply
}

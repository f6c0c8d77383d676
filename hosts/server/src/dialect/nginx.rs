//! nginx's `auth_request`: a subrequest with the client's headers, and with the rest of
//! the request in headers that the generated configuration sets.
//!
//! nginx understands 2xx, 401 and 403, and takes every other status for an error. So all
//! other denials travel as 403 with their status in `x-countersign-status`.

use countersign_host::{Connection, Decision};
use http::{HeaderName, HeaderValue, StatusCode, request::Parts};

use super::{
    Ambiguous, Asked,
    carried::Carried,
    reply::{self, Reply},
};

const METHOD: &str = "x-countersign-method";
const TARGET: &str = "x-countersign-target";
const AUTHORITY: &str = "x-countersign-authority";
const SCHEME: &str = "x-countersign-scheme";
const CARRIERS: &[&str] = &[METHOD, TARGET, AUTHORITY, SCHEME];

const STATUS: HeaderName = HeaderName::from_static("x-countersign-status");

pub(super) fn read<'a>(parts: &'a Parts, rest: &str) -> Result<Asked<'a>, Ambiguous> {
    if !rest.is_empty() {
        return Err(Ambiguous);
    }
    let carried = Carried::new(&parts.headers, CARRIERS);
    Ok(Asked {
        method: carried.required(METHOD)?,
        authority: carried.required(AUTHORITY)?,
        target: carried.required(TARGET)?,
        headers: carried.others(),
        connection: Connection {
            tls: match carried.required(SCHEME)? {
                b"https" => Some(true),
                b"http" => Some(false),
                _ => return Err(Ambiguous),
            },
            ..Connection::default()
        },
    })
}

pub(super) fn reply(_: &Parts, decision: &Decision) -> Reply {
    match decision {
        Decision::Allow(grant) => {
            let mut reply = reply::empty(StatusCode::NO_CONTENT);
            match reply::grant_headers(grant, reply.headers_mut()) {
                Some(()) => reply,
                None => reply::empty(StatusCode::FORBIDDEN),
            }
        }
        Decision::Deny(denial) => {
            let status = match denial.status {
                401 => StatusCode::UNAUTHORIZED,
                _ => StatusCode::FORBIDDEN,
            };
            let mut reply = reply::empty(status);
            reply::denial_headers(denial, reply.headers_mut());
            reply
                .headers_mut()
                .insert(STATUS, HeaderValue::from(denial.status));
            reply
        }
        // nginx cannot pass on a response of the gate itself.
        Decision::Answer(_) => reply::empty(StatusCode::FORBIDDEN),
    }
}

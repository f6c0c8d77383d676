//! HAProxy's action that `countersign proxy-config haproxy-lua` prints.
//!
//! The action sends every field of the client under a prefix, and does what the reply
//! says. As it is ours, a denial keeps its status: the header `x-countersign-decision` tells
//! an allow from everything else, and an allow says when it ends.

use countersign_host::{Answered, Change, Connection, Decision, Denial, Grant, Header};
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};

use super::{
    Ambiguous, Asked, answer,
    carried::Carried,
    certificate,
    reply::{self, Reply},
};

const METHOD: &str = "x-countersign-method";
const TARGET: &str = "x-countersign-target";
const SCHEME: &str = "x-countersign-scheme";
const PEER: &str = "x-countersign-peer";
/// The SHA-256 in hexadecimal.
const CERTIFICATE: &str = "x-countersign-certificate-sha256";
const CARRIERS: &[&str] = &[METHOD, TARGET, SCHEME, PEER, CERTIFICATE];

/// Before the name of each of the client's fields.
const PREFIX: &str = "x-countersign-header-";

const DECISION: HeaderName = HeaderName::from_static("x-countersign-decision");

pub(super) fn read<'a>(parts: &'a Parts, rest: &str) -> Result<Asked<'a>, Ambiguous> {
    if !rest.is_empty() {
        return Err(Ambiguous);
    }
    let carried = Carried::new(&parts.headers, CARRIERS);
    let fields = parts.headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(PREFIX)?;
        Some((name.as_bytes(), value.as_bytes()))
    });
    let (hosts, headers): (Vec<Header<'a>>, Vec<Header<'a>>) =
        fields.partition(|(name, _)| *name == b"host");
    let authority = match hosts.as_slice() {
        [] => &b""[..],
        [(_, host)] => host,
        _ => return Err(Ambiguous),
    };
    Ok(Asked {
        method: carried.required(METHOD)?,
        authority,
        target: carried.required(TARGET)?,
        headers,
        connection: Connection {
            tls: match carried.required(SCHEME)? {
                b"https" => Some(true),
                b"http" => Some(false),
                _ => return Err(Ambiguous),
            },
            certificate: match carried.one(CERTIFICATE)? {
                Some(hex) => Some(certificate::of_hex(hex).ok_or(Ambiguous)?),
                None => None,
            },
            // A client over a Unix socket has no address.
            peer: carried
                .one(PEER)?
                .and_then(|peer| str::from_utf8(peer).ok()?.parse().ok()),
        },
    })
}

pub(super) fn reply(_: &Parts, decision: &Decision) -> Reply {
    match decision {
        Decision::Allow(grant) => granted(grant).unwrap_or_else(|| {
            tracing::error!("a grant has a name or a value that no header has");
            denied(&reply::internal_error())
        }),
        Decision::Deny(denial) => denied(denial),
        Decision::Answer(answer) => answered(answer),
    }
}

/// One line for each thing to do, in this order. `None` if a line cannot hold one.
fn granted(grant: &Grant) -> Option<Reply> {
    let mut lines = b"allow\n".to_vec();
    let mut line = |word: &str, name: &str, value: &[u8]| {
        let is_word = !name.is_empty() && !name.bytes().any(|byte| byte <= b' ' || byte == 0x7f);
        let is_value = !value.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0));
        (is_word && is_value).then(|| {
            for part in [word.as_bytes(), b" ", name.as_bytes()] {
                lines.extend(part);
            }
            if word == "set" {
                lines.push(b' ');
                lines.extend(value);
            }
            lines.push(b'\n');
        })
    };
    for name in &*grant.remove_headers {
        line("remove", name, b"")?;
    }
    for (name, value) in &*grant.set_headers {
        line("set", name, value.as_bytes())?;
    }
    for change in &grant.changes {
        match change {
            Change::SetHeader(name, value) => line("set", name, value)?,
            Change::RemoveHeader(name) => line("delete", name, b"")?,
            Change::SetTarget(target) => line("target", str::from_utf8(target).ok()?, b"")?,
        }
    }
    lines.extend(b"end\n");
    let mut reply = reply::empty(StatusCode::OK);
    *reply.body_mut() = lines.into();
    Some(said("allow", reply))
}

fn denied(denial: &Denial) -> Reply {
    let status = StatusCode::from_u16(denial.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut reply = reply::empty(status);
    reply::denial_headers(denial, reply.headers_mut());
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(header::CONTENT_TYPE, json);
    *reply.body_mut() = reply::denial_body(denial);
    said("deny", reply)
}

fn answered(answer: &Answered) -> Reply {
    said("answer", answer::whole(answer))
}

fn said(decision: &'static str, mut reply: Reply) -> Reply {
    reply
        .headers_mut()
        .insert(DECISION, HeaderValue::from_static(decision));
    reply
}

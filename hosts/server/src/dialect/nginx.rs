//! nginx's `auth_request`: a subrequest with the client's headers, and with the rest of
//! the request in headers that the generated configuration sets.
//!
//! nginx understands 2xx, 401 and 403, and takes every other status for an error. So all
//! other denials travel as 403, with the status, the body and the challenge of the gate in
//! headers of which the generated configuration makes the response again.

use countersign_host::{Connection, Decision, Denial, Grant};
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};

use super::{
    Ambiguous, Asked,
    carried::Carried,
    certificate,
    reply::{self, Reply},
    taken::{self, Uncarried},
};

const METHOD: &str = "x-countersign-method";
const TARGET: &str = "x-countersign-target";
/// The field `host`, or what HTTP/2 has in its place.
const AUTHORITY: &str = "x-countersign-authority";
/// The host by which nginx has chosen the server, which may be that of an absolute
/// target.
const HOST: &str = "x-countersign-host";
const SCHEME: &str = "x-countersign-scheme";
/// The fields of one hop, which nginx does not pass on.
const CONNECTION: &str = "x-countersign-connection";
const UPGRADE: &str = "x-countersign-upgrade";
/// PEM with percent escapes.
const CERTIFICATE: &str = "x-countersign-certificate";
const PEER: &str = "x-countersign-peer";
/// The names that the configuration has: of headers, and `target`.
const TAKES: &str = "x-countersign-takes";
const CARRIERS: &[&str] = &[
    METHOD,
    TARGET,
    AUTHORITY,
    HOST,
    SCHEME,
    CONNECTION,
    UPGRADE,
    CERTIFICATE,
    PEER,
    TAKES,
];

const STATUS: HeaderName = HeaderName::from_static("x-countersign-status");
const CHALLENGE: HeaderName = HeaderName::from_static("x-countersign-challenge");
const BODY: HeaderName = HeaderName::from_static("x-countersign-body");

pub(super) fn read<'a>(parts: &'a Parts, rest: &str) -> Result<Asked<'a>, Ambiguous> {
    if !rest.is_empty() {
        return Err(Ambiguous);
    }
    let carried = Carried::new(&parts.headers, CARRIERS);
    let authority = carried.required(AUTHORITY)?;
    if !is_host_of(carried.required(HOST)?, authority) {
        return Err(Ambiguous);
    }
    let mut headers = carried.others();
    for (carrier, name) in [(CONNECTION, "connection"), (UPGRADE, "upgrade")] {
        // nginx has set its own for this question.
        headers.retain(|(of, _)| *of != name.as_bytes());
        if let Some(value) = carried.one(carrier)? {
            headers.push((name.as_bytes(), value));
        }
    }
    carried.required(TAKES)?;
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
                Some(pem) => Some(certificate::of_escaped_pem(pem).ok_or(Ambiguous)?),
                None => None,
            },
            // A client over a Unix socket has no address: `unix:`.
            peer: carried
                .one(PEER)?
                .and_then(|peer| str::from_utf8(peer).ok()?.parse().ok()),
        },
    })
}

/// Whether nginx's `$host`, in lower case and without a port, is that of the authority.
/// The gate refuses what is no port.
fn is_host_of(host: &[u8], authority: &[u8]) -> bool {
    let begin = match authority.first() {
        Some(b'[') => authority.iter().position(|byte| *byte == b']'),
        _ => Some(0),
    };
    let begin = begin.unwrap_or(0);
    let port = authority[begin..].iter().position(|byte| *byte == b':');
    let name = &authority[..port.map_or(authority.len(), |port| begin + port)];
    // nginx leaves one dot at the end out.
    let name = name.strip_suffix(b".").unwrap_or(name);
    name.eq_ignore_ascii_case(host)
}

pub(super) fn reply(parts: &Parts, decision: &Decision) -> Reply {
    match decision {
        Decision::Allow(grant) => granted(parts, grant).unwrap_or_else(|Uncarried(name)| {
            tracing::error!(%name, "nginx cannot do this with its configuration: generate it anew");
            denied(&reply::internal_error())
        }),
        Decision::Deny(denial) => denied(denial),
        // The generated configuration then asks for the response itself, at `/answer`.
        Decision::Answer(answer) => {
            let mut reply = reply::empty(StatusCode::FORBIDDEN);
            let headers = reply.headers_mut();
            headers.insert(STATUS, HeaderValue::from(answer.status));
            reply
        }
    }
}

fn granted(parts: &Parts, grant: &Grant) -> Result<Reply, Uncarried> {
    let carried = Carried::new(&parts.headers, CARRIERS);
    let one = |carrier| carried.one(carrier).ok().flatten().unwrap_or_default();
    let takes = str::from_utf8(one(TAKES)).unwrap_or_default();
    let takes: Vec<_> = takes.split(' ').filter(|name| !name.is_empty()).collect();
    let (target, takes): (Vec<&str>, Vec<&str>) =
        takes.into_iter().partition(|name| *name == "target");
    let mut reply = reply::empty(StatusCode::NO_CONTENT);
    let headers = reply.headers_mut();
    let mut set = |name: &str, value: &[u8]| {
        let uncarried = || Uncarried(name.to_owned());
        let header =
            HeaderName::try_from(format!("x-countersign-{name}")).map_err(|_| uncarried())?;
        headers.insert(
            header,
            HeaderValue::from_bytes(value).map_err(|_| uncarried())?,
        );
        Ok(())
    };
    let sent = one(TARGET);
    let goes_on = taken::target(grant, sent);
    if !target.is_empty() {
        set("target", goes_on)?;
    } else if goes_on != sent {
        return Err(Uncarried("target".to_owned()));
    }
    for (name, value) in taken::headers(grant, &takes, &parts.headers)? {
        set(&format!("set-{name}"), &value)?;
    }
    Ok(reply)
}

fn denied(denial: &Denial) -> Reply {
    let status = match denial.status {
        401 => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    };
    let mut reply = reply::empty(status);
    let headers = reply.headers_mut();
    reply::denial_headers(denial, headers);
    // With 401 nginx itself passes the challenge on.
    if denial.status != 401
        && let Some(challenge) = headers.remove(header::WWW_AUTHENTICATE)
    {
        headers.insert(CHALLENGE, challenge);
    }
    headers.insert(STATUS, HeaderValue::from(denial.status));
    // A sentence in ASCII, in JSON.
    if let Ok(body) = HeaderValue::from_str(&reply::denial_text(denial)) {
        headers.insert(BODY, body);
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::is_host_of;

    #[test]
    fn the_host_is_compared_without_port_and_case() {
        for authority in ["a.example", "A.example:8443", "a.example.", "a.example:"] {
            assert!(
                is_host_of(b"a.example", authority.as_bytes()),
                "{authority}"
            );
        }
        assert!(is_host_of(b"[::1]", b"[::1]:80") && is_host_of(b"[::1]", b"[::1]"));
        assert!(!is_host_of(b"a.example", b"b.example"));
        assert!(!is_host_of(b"a.example", b"a.example.b.example"));
        assert!(!is_host_of(b"a.example", b""));
    }
}

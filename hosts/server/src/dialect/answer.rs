//! Responses of the gate itself, such as the metadata of a protected resource (RFC 9728),
//! for proxies that take every 2xx of a decision server for an allow: their configuration
//! sends the requests for these documents here, with `/answer/{policy}` in front of the
//! path.

use countersign_host::{Answered, Connection, Decision};
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};

use super::{
    Ambiguous, Asked,
    reply::{self, Reply},
};

/// The request itself, behind the prefix.
pub(crate) fn read<'a>(parts: &'a Parts, rest: &'a str) -> Result<Asked<'a>, Ambiguous> {
    // What has no slash would have become a part of the policy's name.
    if !rest.starts_with('/') {
        return Err(Ambiguous);
    }
    let headers = parts.headers.iter();
    let headers = headers.filter(|(name, _)| *name != header::HOST);
    Ok(Asked {
        method: parts.method.as_str().as_bytes(),
        authority: authority(parts)?,
        target: rest.as_bytes(),
        headers: headers
            .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
            .collect(),
        connection: Connection::default(),
    })
}

/// Its own authority is that of the request.
fn authority(parts: &Parts) -> Result<&[u8], Ambiguous> {
    let said = parts.uri.authority();
    let said = said.map(|authority| authority.as_str().as_bytes());
    let hosts = parts.headers.get_all(header::HOST).iter();
    let mut hosts = hosts.map(HeaderValue::as_bytes);
    match (said, hosts.next(), hosts.next()) {
        (Some(one), None, _) | (None, Some(one), None) => Ok(one),
        (Some(one), Some(other), None) if one == other => Ok(one),
        _ => Err(Ambiguous),
    }
}

/// The whole response; 404 where the gate has none, whatever it decides.
pub(crate) fn reply(decision: &Decision) -> Reply {
    match decision {
        Decision::Answer(answer) => whole(answer),
        _ => reply::empty(StatusCode::NOT_FOUND),
    }
}

/// The response as it is.
pub(super) fn whole(answer: &Answered) -> Reply {
    let mut reply = Reply::new(answer.body.clone().into());
    *reply.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            reply.headers_mut().insert(name, value);
        }
    }
    reply
}

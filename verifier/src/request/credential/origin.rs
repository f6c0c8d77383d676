//! Whether a request with a cookie comes from the origin that it is for.

use alloc::boxed::Box;

use super::fields::trim;
use crate::request::Request;

/// Returns whether a request with a `same_origin` cookie is admitted: its
/// method is safe, or the browser says that the request has the same origin, or
/// one that the policy trusts.
pub(crate) fn is_same_origin(request: &Request<'_>, trusted: &[Box<str>]) -> bool {
    let safe = matches!(request.method, b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE");
    if safe && !is_handshake(request) {
        return true;
    }
    if !trusted.is_empty() {
        let mut origins = request.values("origin").map(trim).peekable();
        let is_trusted = |origin: &[u8]| trusted.iter().any(|known| known.as_bytes() == origin);
        if origins.peek().is_some() && origins.all(is_trusted) {
            return true;
        }
    }
    let mut sites = request.values("sec-fetch-site").map(trim).peekable();
    if sites.peek().is_some() {
        return sites.all(|site| matches!(site, b"same-origin" | b"none"));
    }
    let mut origins = request.values("origin").map(trim).peekable();
    origins.peek().is_some() && origins.all(|origin| is_origin_of(origin, request.authority))
}

/// Returns whether the request is a WebSocket handshake. Any page can open a
/// WebSocket to any site, with that site's cookies. The handshake is a GET (RFC
/// 6455 §10.2) or an extended CONNECT (RFC 8441 §4).
fn is_handshake(request: &Request<'_>) -> bool {
    let sent = |name| request.values(name).next().is_some();
    let mut modes = request.values("sec-fetch-mode").map(trim);
    sent("upgrade") || sent(":protocol") || modes.any(|mode| mode == b"websocket")
}

/// Returns whether an origin (RFC 6454 §7) has the host and port of the
/// authority. Both can omit the default port.
fn is_origin_of(origin: &[u8], authority: &[u8]) -> bool {
    let (rest, port) = match (
        origin.strip_prefix(b"https://"),
        origin.strip_prefix(b"http://"),
    ) {
        (Some(rest), _) => (rest, &b":443"[..]),
        (_, Some(rest)) => (rest, &b":80"[..]),
        _ => return false,
    };
    let bare =
        |text: &'_ [u8]| -> usize { text.strip_suffix(port).map_or(text.len(), <[u8]>::len) };
    let (own, origin) = (authority.get(..bare(authority)), rest.get(..bare(rest)));
    match (own, origin) {
        (Some(own), Some(origin)) => !own.is_empty() && own.eq_ignore_ascii_case(origin),
        _ => false,
    }
}

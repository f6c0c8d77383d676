//! Writes the request of a vector as bytes of HTTP/1.1.

use countersign_conformance::{scene::is_proven, vector::Request};

/// Returns the bytes, or why HTTP/1.1 cannot express this request.
pub(super) fn write(request: &Request) -> Result<Vec<u8>, &'static str> {
    let Request {
        method,
        authority,
        target,
        headers,
        connection,
    } = request;
    if !connection.certificate.is_empty() {
        return Err("a certificate: its listener needs TLS (`certificates.rs`)");
    }
    if !connection.peer.is_empty() {
        return Err("the address of the peer, which a client can write as Envoy tells it");
    }
    let word = |bytes: &[u8]| !bytes.is_empty() && !bytes.iter().any(|b| *b <= b' ' || *b == 0x7f);
    if !word(&method.0) || !word(&target.0) {
        return Err("a method or target that is no word");
    }
    if target.0.starts_with(b"http://") {
        return Err("an absolute target, of which Envoy takes the path (RFC 9112 §3.2.2)");
    }
    let line = |value: &[u8]| {
        value.trim_ascii() == value && !value.iter().any(|b| matches!(b, b'\r' | b'\n' | 0))
    };
    let mut bytes = [&method.0, &b" "[..], &target.0, b" HTTP/1.1"].concat();
    if !line(&authority.0) {
        return Err("an authority that no header holds");
    }
    let has_host = headers
        .iter()
        .any(|(name, _)| name.0.eq_ignore_ascii_case(b"host"));
    match (authority.0.is_empty(), has_host) {
        (false, true) => return Err("an authority beside `host`, of which Envoy makes one"),
        (true, true) => {}
        (_, false) => bytes.extend([b"\r\nhost: ", &authority.0[..]].concat()),
    }
    if headers.len() > 100 {
        return Err("more fields than Envoy takes");
    }
    // Envoy neither shows these fields to a filter nor forwards them (RFC 9110
    // §7.6.1).
    let of_one_hop = |name: &[u8]| name == b"connection" || name == b"upgrade";
    if headers.iter().any(|(name, _)| of_one_hop(&name.0)) {
        return Err("a field of one hop, which ends at Envoy");
    }
    // The scheme of a listener without TLS, as the proxy before it tells it. A
    // vector without one has that of most clients.
    let scheme = match &*connection.scheme {
        "" => "https",
        scheme => scheme,
    };
    if is_proven(request) {
        bytes.extend([b"\r\nx-forwarded-proto: ", scheme.as_bytes()].concat());
    }
    for (name, value) in headers {
        if !line(&value.0) || !word(&name.0) {
            return Err("a header that a parser trims or refuses");
        }
        bytes.extend([b"\r\n", &name.0[..], b": ", &value.0].concat());
    }
    bytes.extend(b"\r\nconnection: close\r\n\r\n");
    Ok(bytes)
}

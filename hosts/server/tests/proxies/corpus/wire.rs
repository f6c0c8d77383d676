//! Writes the request of a vector as bytes of HTTP/1.1.

use countersign_conformance::vector::Request;

/// What a proxy can say of a request.
pub(crate) struct Carries {
    /// `Connection` and `Upgrade` (RFC 9110 §7.6.1), other than those of a WebSocket.
    pub(crate) one_hop: bool,
    /// A request without a host.
    pub(crate) no_authority: bool,
    /// Fields with `_` in their names.
    pub(crate) underscores: bool,
    /// The hash of a client's certificate, which the configuration under test takes from
    /// `x-test-certificate`.
    pub(crate) certificate: bool,
    /// An `Upgrade` that `Connection` does not name.
    pub(crate) lone_upgrade: bool,
    /// Two fields `host`: as they are, or the proxy refuses them.
    pub(crate) two_hosts: bool,
    /// The most fields.
    pub(crate) fields: usize,
}

/// Returns the bytes, or why they cannot be sent.
pub(super) fn write(request: &Request, carries: &Carries) -> Result<Vec<u8>, &'static str> {
    let Request {
        method,
        authority,
        target,
        headers,
        connection,
    } = request;
    if !connection.certificate.is_empty() && !carries.certificate {
        return Err("the hash of a certificate: the proxy says the certificate itself");
    }
    if !matches!(connection.certificate.len(), 0 | 64) {
        return Err("a part of a hash");
    }
    let word = |bytes: &[u8]| !bytes.is_empty() && !bytes.iter().any(|b| *b <= b' ' || *b == 0x7f);
    if !word(&method.0) || !word(&target.0) {
        return Err("a method or target that is no word");
    }
    if target.0.starts_with(b"http://") {
        return Err("an absolute target, of which a proxy takes the path (RFC 9112 §3.2.2)");
    }
    let line = |value: &[u8]| {
        value.trim_ascii() == value && !value.iter().any(|b| matches!(b, b'\r' | b'\n' | 0))
    };
    let mut bytes = [&method.0, &b" "[..], &target.0, b" HTTP/1.1"].concat();
    if !line(&authority.0) {
        return Err("an authority that no header holds");
    }
    let is = |name: &[u8], wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    let has = |wanted: &[u8]| headers.iter().any(|(name, _)| is(&name.0, wanted));
    match (authority.0.is_empty(), has(b"host")) {
        (false, true) => return Err("an authority beside `host`, of which HTTP/1.1 has one"),
        (true, true) => {}
        (true, false) if !carries.no_authority => return Err("a request without an authority"),
        (true, false) => bytes.truncate(bytes.len() - 1),
        (false, false) => bytes.extend([b"\r\nhost: ", &authority.0[..]].concat()),
    }
    if authority.0.is_empty() && !has(b"host") {
        // HTTP/1.1 needs a host, HTTP/1.0 does not.
        bytes.push(b'0');
    }
    if headers.len() > carries.fields {
        return Err("more fields than the proxy, or the server's HTTP library, takes");
    }
    if has(b"upgrade") && !carries.lone_upgrade {
        return Err("an upgrade that the proxy takes out");
    }
    let hosts = headers.iter().filter(|(name, _)| is(&name.0, b"host"));
    if hosts.count() > 1 && !carries.two_hosts {
        return Err("two equal hosts, of which the proxy makes one");
    }
    if !carries.one_hop && (has(b"connection") || has(b"upgrade")) {
        return Err("a field of one hop, which ends at the proxy (RFC 9110 §7.6.1)");
    }
    if has(b":protocol") {
        return Err("a field of HTTP/2");
    }
    if !carries.underscores && headers.iter().any(|(name, _)| name.0.contains(&b'_')) {
        return Err("a field with `_`, which the proxy drops");
    }
    // The listener has no TLS: the configuration under test takes these from fields.
    let scheme = match &*connection.scheme {
        "" => "https",
        scheme => scheme,
    };
    bytes.extend([b"\r\nx-test-scheme: ", scheme.as_bytes()].concat());
    for (name, value) in [
        ("peer", &connection.peer),
        ("certificate", &connection.certificate),
    ] {
        if !value.is_empty() {
            bytes.extend(format!("\r\nx-test-{name}: {value}").as_bytes());
        }
    }
    for (name, value) in headers {
        if !line(&value.0) || !word(&name.0) {
            return Err("a header that a parser trims or refuses");
        }
        let control = |byte: &u8| matches!(byte, 0..=8 | 10..=31 | 127);
        if value.0.iter().any(control) {
            return Err("a control character, with which nobody passes");
        }
        bytes.extend([b"\r\n", &name.0[..], b": ", &value.0].concat());
    }
    if !has(b"connection") {
        bytes.extend(b"\r\nconnection: close");
    }
    bytes.extend(b"\r\n\r\n");
    Ok(bytes)
}

//! The request in a `CheckRequest`.

use countersign_host::{Connection, Header};
use envoy_types::pb::envoy::{
    config::core::v3::HeaderValue,
    service::auth::v3::{CheckRequest, attribute_context::HttpRequest},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::dialect::{Ambiguous, Asked};

/// The key of `context_extensions` that names the policy.
const POLICY: &str = "policy";

/// The name of the policy, which only the configuration of the proxy says.
pub(crate) fn policy(check: &CheckRequest) -> Option<&str> {
    let attributes = check.attributes.as_ref()?;
    attributes
        .context_extensions
        .get(POLICY)
        .map(String::as_str)
}

/// Reads the request that the proxy asks about.
pub(crate) fn read(check: &CheckRequest) -> Result<Asked<'_>, Ambiguous> {
    let attributes = check.attributes.as_ref().ok_or(Ambiguous)?;
    let request = attributes.request.as_ref().ok_or(Ambiguous)?;
    let request = request.http.as_ref().ok_or(Ambiguous)?;
    let all = fields(request)?;
    let said = |field, said| agreed(&all, field, said);
    let certificate = attributes
        .source
        .as_ref()
        .map_or("", |source| &source.certificate);
    let mut connection = Connection {
        tls: match said(":scheme", &request.scheme)? {
            b"https" => Some(true),
            b"http" => Some(false),
            _ => None,
        },
        ..Connection::default()
    };
    // The certificate of the connection. A header about one is never believed here: the
    // peer of this server is the proxy, but the header is the client's.
    if !certificate.is_empty() {
        connection = connection.with_certificate(&der(certificate)?);
    }
    Ok(Asked {
        method: present(said(":method", &request.method)?)?,
        authority: said(":authority", &request.host)?,
        target: present(said(":path", &request.path)?)?,
        headers: all
            .iter()
            .copied()
            .filter(|(name, _)| !is_said_elsewhere(name))
            .collect(),
        connection,
    })
}

/// All fields: those of the form in which the proxy sends them.
fn fields(request: &HttpRequest) -> Result<Vec<Header<'_>>, Ambiguous> {
    let raw = request
        .header_map
        .as_ref()
        .map_or(&[][..], |map| &map.headers);
    let all: Vec<Header<'_>> = match (raw.is_empty(), request.headers.is_empty()) {
        // `encode_raw_headers`: each field, and its bytes.
        (false, true) => raw.iter().map(field).collect::<Result<_, _>>()?,
        // Fields of one name are joined, and bytes that are no UTF-8 replaced.
        (true, _) => {
            let joined = request.headers.iter();
            joined
                .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
                .collect()
        }
        // They could differ.
        (false, false) => return Err(Ambiguous),
    };
    // Names are in lower case, as the gate takes them.
    match all
        .iter()
        .any(|(name, _)| name.is_empty() || name.iter().any(u8::is_ascii_uppercase))
    {
        true => Err(Ambiguous),
        false => Ok(all),
    }
}

fn field(field: &HeaderValue) -> Result<Header<'_>, Ambiguous> {
    let value = match (field.raw_value.is_empty(), field.value.is_empty()) {
        (_, true) => &field.raw_value[..],
        (true, false) => field.value.as_bytes(),
        (false, false) => return Err(Ambiguous),
    };
    Ok((field.key.as_bytes(), value))
}

/// The value that the message says both as a field of its own and as a pseudo-header:
/// both are the same, and there is one. Empty if there is none.
fn agreed<'a>(all: &[Header<'a>], name: &str, said: &'a str) -> Result<&'a [u8], Ambiguous> {
    let mut values = all.iter().filter(|(known, _)| *known == name.as_bytes());
    match (values.next(), values.next()) {
        (None, _) => Ok(said.as_bytes()),
        (Some((_, value)), None) if said.is_empty() || said.as_bytes() == *value => Ok(value),
        _ => Err(Ambiguous),
    }
}

fn present(value: &[u8]) -> Result<&[u8], Ambiguous> {
    Some(value)
        .filter(|value| !value.is_empty())
        .ok_or(Ambiguous)
}

/// Whether a field is a pseudo-header that stands elsewhere in the question.
/// `:protocol` stands nowhere else (RFC 8441 §4).
fn is_said_elsewhere(name: &[u8]) -> bool {
    name.starts_with(b":") && name != b":protocol"
}

/// The certificate in PEM with percent escapes. Of a chain the first is the client's.
fn der(certificate: &str) -> Result<CertificateDer<'static>, Ambiguous> {
    let pem: Vec<u8> = percent_encoding::percent_decode_str(certificate).collect();
    CertificateDer::from_pem_slice(&pem).map_err(|_| Ambiguous)
}

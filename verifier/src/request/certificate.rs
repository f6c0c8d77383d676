//! The certificate of the client in a header that a proxy sets (Envoy's
//! `x-forwarded-client-cert`, RFC 9440, and simpler ones).

use alloc::vec::Vec;

use super::{
    Request,
    credential::{is_variant, trim},
    target::percent_decode,
};
use crate::{
    base::limits,
    jose,
    model::{CertificateFormat, ClientCertificate},
    refusal::Code,
};

/// Returns the SHA-256 of the certificate in the header; `None` if the header
/// names none. Refuses two of them, and what cannot be read.
pub(crate) fn in_header(
    request: &Request<'_>,
    wanted: &ClientCertificate,
) -> Result<Option<[u8; 32]>, Code> {
    let mut found: Option<&[u8]> = None;
    for (field, value) in request.headers {
        if is_variant(field, &wanted.header)
            && (found.replace(value).is_some() || field.contains(&b'_'))
        {
            return Err(Code::RequestAmbiguous);
        }
    }
    let value = trim(found.unwrap_or_default());
    if value.is_empty() {
        return Ok(None);
    }
    if value.len() > limits::CERTIFICATE_BYTES {
        return Err(Code::ProofInvalid);
    }
    if wanted.format == CertificateFormat::Xfcc {
        return in_element(value);
    }
    // A certificate has no comma in any of these forms.
    if value.contains(&b',') {
        return Err(Code::RequestAmbiguous);
    }
    let digest = match wanted.format {
        CertificateFormat::Sha256 => digest(value),
        CertificateFormat::Pem => of_pem(value),
        _ => of_bytes(value),
    };
    digest.map(Some).ok_or(Code::ProofInvalid)
}

/// Reads the one element of Envoy's header: pairs with `;` between them, values
/// with DQUOTEs around them if they have a separator.
fn in_element(element: &[u8]) -> Result<Option<[u8; 32]>, Code> {
    let mut found = None;
    let mut rest = element;
    while !rest.is_empty() {
        let (end, separator) = end_of_pair(rest).ok_or(Code::ProofInvalid)?;
        if separator == Some(b',') {
            return Err(Code::RequestAmbiguous);
        }
        let (pair, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = tail.get(1..).unwrap_or_default();
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let name = trim(parts.next().unwrap_or_default());
        let value = parts.next().unwrap_or_default();
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        let value = value.strip_suffix(b"\"").unwrap_or(value);
        let read = if name.eq_ignore_ascii_case(b"hash") {
            digest(value)
        } else if name.eq_ignore_ascii_case(b"cert") {
            of_pem(value)
        } else {
            continue;
        };
        let read = read.ok_or(Code::ProofInvalid)?;
        // Envoy sends both of one certificate.
        if found.replace(read).is_some_and(|other| other != read) {
            return Err(Code::RequestAmbiguous);
        }
    }
    Ok(found)
}

/// Finds the separator after a pair; `None` if a DQUOTE has no end.
fn end_of_pair(text: &[u8]) -> Option<(usize, Option<u8>)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' | b',' if !quoted => return Some((at, Some(*byte))),
            _ => {}
        }
    }
    (!quoted).then_some((text.len(), None))
}

/// Reads a SHA-256 as 64 hex digits, or as base64 or base64url.
fn digest(text: &[u8]) -> Option<[u8; 32]> {
    let bytes = if text.len() == 64 {
        let pairs = text.chunks(2).map(|pair| {
            let pair = core::str::from_utf8(pair).ok()?;
            let is_hex = pair.bytes().all(|byte| byte.is_ascii_hexdigit());
            u8::from_str_radix(pair, 16).ok().filter(|_| is_hex)
        });
        pairs.collect::<Option<Vec<u8>>>()
    } else {
        jose::tolerant_base64(text)
    };
    bytes?.try_into().ok()
}

/// A byte sequence of RFC 8941 §3.3.5 with the DER.
fn of_bytes(text: &[u8]) -> Option<[u8; 32]> {
    let text = text.strip_prefix(b":")?.strip_suffix(b":")?;
    of_der(&jose::tolerant_base64(text)?)
}

fn of_pem(text: &[u8]) -> Option<[u8; 32]> {
    let pem = percent_decode(text)?;
    of_der(&jose::certificate(core::str::from_utf8(&pem).ok()?)?)
}

fn of_der(der: &[u8]) -> Option<[u8; 32]> {
    (!der.is_empty()).then(|| jose::sha256(&[der]))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn read(format: CertificateFormat, values: &[&str]) -> Result<Option<[u8; 32]>, Code> {
        let wanted = ClientCertificate {
            header: "client-cert".into(),
            format,
            trusted: None,
        };
        let headers: Vec<(&[u8], &[u8])> = values
            .iter()
            .map(|value| (&b"client-cert"[..], value.as_bytes()))
            .collect();
        let request = Request {
            method: b"GET",
            authority: b"",
            target: b"/",
            headers: &headers,
            connection: Default::default(),
        };
        in_header(&request, &wanted)
    }

    /// The digest of `abc` (FIPS 180-4), whose base64 is `YWJj`.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_certificate_is_read_in_four_forms() {
        use CertificateFormat::{Pem, Rfc9440, Sha256, Xfcc};
        let abc = read(Sha256, &[ABC]).unwrap();
        assert_eq!(abc.unwrap()[..2], [0xba, 0x78]);
        let upper = ABC.to_ascii_uppercase();
        let pem = "-----BEGIN%20CERTIFICATE-----%0AYWJj%0A-----END%20CERTIFICATE-----%0A";
        let base64 = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        let both = String::from("By=spiffe://a;Hash=") + ABC + ";Cert=\"" + pem + "\"";
        let quoted = String::from("Subject=\"CN=\\\"a,b\\\";O=c\";hash=") + ABC;
        for (format, text) in [
            (Sha256, &*upper),
            (Sha256, base64),
            (Rfc9440, ":YWJj:"),
            (Pem, pem),
            (Xfcc, &both),
            (Xfcc, &quoted),
        ] {
            assert_eq!(read(format, &[text]), Ok(abc), "{text}");
        }
        assert_eq!(read(Xfcc, &["By=spiffe://a"]), Ok(None));
        assert_eq!(read(Xfcc, &[]), Ok(None));
        assert_eq!(read(Pem, &[""]), Ok(None));
    }

    #[test]
    fn two_certificates_and_other_forms_are_refused() {
        use CertificateFormat::{Pem, Rfc9440, Sha256, Xfcc};
        let ambiguous = Err(Code::RequestAmbiguous);
        let hash = String::from("Hash=") + ABC;
        let two = String::from(&*hash) + "," + &hash;
        let twice = String::from(&*hash) + ";Hash=" + &ABC.replace("ba78", "bb78");
        assert_eq!(read(Xfcc, &[&two]), ambiguous);
        assert_eq!(read(Xfcc, &[&twice]), ambiguous);
        assert_eq!(read(Xfcc, &[&hash, &hash]), ambiguous);
        assert_eq!(read(Rfc9440, &[":YWJj:, :YWJj:"]), ambiguous);
        for (format, text) in [
            (Xfcc, "Hash=ba"),
            (Xfcc, "Subject=\"CN=a"),
            (Xfcc, "Cert=\"abc\""),
            (Sha256, "abc"),
            (Sha256, &ABC.replace("ba78", "+a78")),
            (Rfc9440, "YWJj"),
            (Rfc9440, "::"),
            (Pem, "YWJj"),
            (
                Pem,
                "-----BEGIN%20PUBLIC%20KEY-----%0AYWJj%0A-----END%20PUBLIC%20KEY-----%0A",
            ),
            (Pem, "%"),
        ] {
            assert_eq!(read(format, &[text]), Err(Code::ProofInvalid), "{text}");
        }
        let long = "a".repeat(limits::CERTIFICATE_BYTES + 1);
        assert_eq!(read(Pem, &[&long]), Err(Code::ProofInvalid));
    }
}

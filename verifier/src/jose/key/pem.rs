//! Reads the public key of one PEM text (RFC 7468): a SubjectPublicKeyInfo, or
//! the one of an X.509 certificate (RFC 5280 §4.1). Nothing else of a
//! certificate is read: the document says which keys are good.

use alloc::vec::Vec;

use super::{
    jwk,
    public::Members,
    spki::{ALGORITHMS, BIT_STRING, INTEGER, SEQUENCE},
};
use crate::jose::KeyKind;

/// The optional version of a certificate.
const VERSION: u8 = 0xa0;

/// Returns the kind of the key and its numbers, as a JWK has them.
pub(super) fn public_key(pem: &str) -> Result<(KeyKind, Members), &'static str> {
    let (label, der) = block(pem)?;
    let mut der = &*der;
    let info = if label == "CERTIFICATE" {
        certificate_key(&mut der)
    } else {
        take(&mut der, SEQUENCE)
    };
    info.and_then(members)
        .ok_or("it has no RSA, P-256, P-384, P-521 or Ed25519 key in DER")
}

/// Returns the DER of a certificate in PEM.
pub(crate) fn certificate(pem: &str) -> Option<Vec<u8>> {
    let (label, der) = block(pem).ok()?;
    (label == "CERTIFICATE").then_some(der)
}

/// Reads the label and the bytes of one block.
fn block(pem: &str) -> Result<(&str, Vec<u8>), &'static str> {
    // `-` stands in the two lines around the base64, and not in base64.
    let mut parts = pem.split('-').filter(|part| !part.trim().is_empty());
    let (label, body, end) = (parts.next(), parts.next(), parts.next());
    let label = label.and_then(|label| label.strip_prefix("BEGIN "));
    if label.is_some_and(|label| label.ends_with("PRIVATE KEY")) {
        return Err(jwk::PRIVATE_KEY);
    }
    let (Some(label @ ("PUBLIC KEY" | "CERTIFICATE")), Some(body), Some(_), None) =
        (label, body, end, parts.next())
    else {
        return Err("it is not one PEM block `PUBLIC KEY` or `CERTIFICATE`");
    };
    let body: Vec<u8> = body.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let der = jwk::tolerant_base64(&body).ok_or("its PEM is not base64")?;
    Ok((label, der))
}

/// Skips serial number, algorithm, issuer, validity and subject.
fn certificate_key<'d>(der: &mut &'d [u8]) -> Option<&'d [u8]> {
    let mut certificate = take(der, SEQUENCE)?;
    let mut signed = take(&mut certificate, SEQUENCE)?;
    if signed.first() == Some(&VERSION) {
        take(&mut signed, VERSION)?;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        take(&mut signed, tag)?;
    }
    take(&mut signed, SEQUENCE)
}

/// Reads the content of a SubjectPublicKeyInfo.
fn members(mut info: &[u8]) -> Option<(KeyKind, Members)> {
    let algorithm = take(&mut info, SEQUENCE)?;
    let (_, kind) = ALGORITHMS.iter().find(|(known, _)| *known == algorithm)?;
    let (0, mut key) = take(&mut info, BIT_STRING)?.split_first()? else {
        return None;
    };
    let members = match kind {
        KeyKind::Rsa => {
            let mut numbers = take(&mut key, SEQUENCE)?;
            [number(&mut numbers)?, number(&mut numbers)?]
        }
        KeyKind::Ed25519 => [key.into(), Vec::new()],
        _ => {
            // An uncompressed point (SEC 1 §2.3.3).
            let (4, point) = key.split_first()? else {
                return None;
            };
            let (x, y) = point.split_at_checked(point.len() / 2)?;
            [x.into(), y.into()]
        }
    };
    Some((*kind, members))
}

/// Reads a positive number without its leading zeros.
fn number(der: &mut &[u8]) -> Option<Vec<u8>> {
    let bytes = take(der, INTEGER)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    (*bytes.first()? < 0x80).then(|| bytes.get(zeros..).unwrap_or_default().into())
}

/// Takes the next element, which has this tag, and returns its content.
fn take<'d>(der: &mut &'d [u8], tag: u8) -> Option<&'d [u8]> {
    let (head, rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match head[1] {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let push = |length: usize, byte: &u8| length << 8 | usize::from(*byte);
            (bytes.iter().fold(0, push), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *der = rest;
    (head[0] == tag).then_some(content)
}

//! Parses a compact JWS (RFC 7515 §3.1, §7.1). This module verifies no
//! signature.

use alloc::{boxed::Box, vec::Vec};

use countersign_kernel::bytes::{self, base64url};

use super::Algorithm;
use crate::{
    base::Limits,
    json::{self, Object, Value},
    refusal::{Code, Refusal},
};

/// A parsed, unverified token: three canonical base64url parts, a strict JSON
/// header without extensions, and a known algorithm.
#[derive(Debug)]
pub struct Jws<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Box<str>>,
    /// In lower case, without `application/` (RFC 7515 §4.1.9).
    pub(crate) typ: Option<Box<str>>,
    /// The bytes that the signature covers: header, dot and payload as they
    /// were sent (RFC 7515 §5.1).
    pub(crate) signing_input: &'a [u8],
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// The three parts, base64url-encoded.
pub(crate) struct Parts<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) signature: &'a [u8],
    pub(crate) signing_input: &'a [u8],
}

impl<'a> Jws<'a> {
    /// Parses a token.
    ///
    /// # Errors
    /// The first fault, in the order of the contract.
    pub fn parse(token: &'a [u8], limits: &Limits) -> Result<Self, Code> {
        Self::open(token, limits).map_err(|refusal| refusal.code)
    }

    /// Returns the decoded, unverified payload.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(crate) fn open(token: &'a [u8], limits: &Limits) -> Result<Self, Refusal> {
        if token.len() > limits.token_bytes {
            return Err(Code::TokenTooLarge.into());
        }
        let parts = Parts::split(token).ok_or(Code::TokenMalformed)?;
        if parts.header.len() > limits.header_bytes.saturating_mul(4).div_ceil(3) {
            return Err(Code::TokenTooLarge.into());
        }
        let header = base64url::decode(parts.header).ok_or(Code::TokenMalformed)?;
        let payload = base64url::decode(parts.payload).ok_or(Code::TokenMalformed)?;
        let signature = base64url::decode(parts.signature).ok_or(Code::TokenMalformed)?;
        let (algorithm, kid, typ) = read_header(&header, limits)?;
        Ok(Self {
            algorithm,
            kid,
            typ,
            signing_input: parts.signing_input,
            payload,
            signature,
        })
    }
}

impl<'a> Parts<'a> {
    /// Splits a token into exactly three parts. The header part is not empty.
    pub(crate) fn split(token: &'a [u8]) -> Option<Self> {
        let dot = |text| bytes::position(text, b'.');
        let end = dot(token)?;
        let (header, rest) = (token.get(..end)?, token.get(end + 1..)?);
        let end = dot(rest)?;
        let (payload, signature) = (rest.get(..end)?, rest.get(end + 1..)?);
        let signing_input = token.get(..header.len() + 1 + payload.len())?;
        (dot(signature).is_none() && !header.is_empty()).then_some(Self {
            header,
            payload,
            signature,
            signing_input,
        })
    }
}

type Header = (Algorithm, Option<Box<str>>, Option<Box<str>>);

/// Reads `alg`, `kid`, `typ`, `cty`, `crit` and `b64`. It ignores all other
/// members, also `jku`, `jwk`, `x5u` and `x5c`: a token never supplies its own
/// key (RFC 8725bis §3.10).
fn read_header(text: &[u8], limits: &Limits) -> Result<Header, Refusal> {
    let Ok(Value::Object(header)) = json::parse(text, limits.into()) else {
        return Err(Code::HeaderInvalid.into());
    };
    // RFC 7515 §4.1.11: the gate supports no extension, so every `crit` is
    // refused. `b64` is an extension too (RFC 7797 §3).
    if header.get("crit").is_some() || header.get("b64").is_some_and(|b| *b != Value::Bool(true)) {
        return Err(Code::CritUnsupported.into());
    }
    let alg =
        text_member(&header, "alg")?.ok_or_else(|| Refusal::claim(Code::HeaderInvalid, "alg"))?;
    let kid = text_member(&header, "kid")?.map(Box::from);
    let typ = text_member(&header, "typ")?.map(normalise_typ);
    text_member(&header, "cty")?;
    let algorithm = Algorithm::from_name(alg).ok_or(Code::AlgorithmNotAllowed)?;
    Ok((algorithm, kid, typ))
}

fn text_member<'h>(header: &'h Object<'_>, name: &str) -> Result<Option<&'h str>, Refusal> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::claim(Code::HeaderInvalid, name)),
    }
}

/// Normalises a media type, which compares without case and without
/// `application/`.
pub(crate) fn normalise_typ(typ: &str) -> Box<str> {
    let lower = typ.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(rest) => rest.into(),
        None => lower.into(),
    }
}

//! A token decoded, not verified.

use alloc::string::String;

use countersign_kernel::bytes::base64url;

use crate::{
    base::Limits,
    jose::{Jws, Parts},
    json::{self, Value},
    refusal::Code,
};

/// What a token says of itself. Nobody has verified it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// The JOSE header, where it is a strict JSON object.
    pub header: Option<String>,
    /// The claims, where they are a strict JSON object.
    pub claims: Option<String>,
    /// Bytes of the signature, where it could be decoded.
    pub signature_bytes: Option<u32>,
    /// The first fault of its form that a gate would deny it for.
    pub fault: Option<Code>,
}

/// Decodes a token as far as its form allows. Never a decision.
pub fn inspect(token: &[u8]) -> Inspection {
    let limits = Limits::DEFAULT;
    let mut seen = Inspection {
        fault: Jws::parse(token, &limits).err(),
        ..Inspection::default()
    };
    if token.len() > limits.token_bytes {
        return seen;
    }
    if let Some(parts) = Parts::split(token) {
        seen.header = object(parts.header, &limits);
        seen.claims = object(parts.payload, &limits);
        seen.signature_bytes =
            base64url::decode(parts.signature).and_then(|bytes| u32::try_from(bytes.len()).ok());
        if seen.fault.is_none() && seen.claims.is_none() {
            seen.fault = Some(Code::ClaimsInvalid);
        }
    }
    seen
}

fn object(part: &[u8], limits: &Limits) -> Option<String> {
    let text = base64url::decode(part)?;
    match json::parse(&text, limits.into()) {
        Ok(Value::Object(_)) => String::from_utf8(text).ok(),
        _ => None,
    }
}

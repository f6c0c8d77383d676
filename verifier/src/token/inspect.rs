//! Decodes a token without verifying it.

use alloc::{borrow::ToOwned, string::String};

use countersign_kernel::bytes::base64url;

use crate::{
    base::Limits,
    jose::{Jws, Parts},
    json::{self, Value},
    refusal::Code,
    token::{describe_claims, describe_form},
};

/// The decoded, unverified parts of a token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// The JOSE header, if it is a strict JSON object.
    pub header: Option<String>,
    /// The claims, if they are a strict JSON object.
    pub claims: Option<String>,
    /// Length of the signature in bytes, if it can be decoded.
    pub signature_bytes: Option<u32>,
    /// The first fault of its form for which a gate would deny it.
    pub fault: Option<Code>,
    /// What is wrong, in words, if there is a fault. It can contain parts of the
    /// token, but never a whole one.
    pub detail: Option<String>,
}

/// Decodes a token as far as its form allows. The result is never a decision.
pub fn inspect(token: &[u8]) -> Inspection {
    let limits = Limits::DEFAULT;
    let fault = Jws::parse(token, &limits).err();
    let mut inspection = Inspection {
        fault,
        detail: fault.map(|_| describe_form(token, &limits)),
        ..Inspection::default()
    };
    if token.len() > limits.token_bytes {
        return inspection;
    }
    if let Some(parts) = Parts::split(token) {
        inspection.header = object(parts.header, &limits);
        inspection.claims = object(parts.payload, &limits);
        inspection.signature_bytes =
            base64url::decode(parts.signature).and_then(|bytes| u32::try_from(bytes.len()).ok());
        if inspection.fault.is_none() && inspection.claims.is_none() {
            let payload = base64url::decode(parts.payload).unwrap_or_default();
            inspection.fault = Some(Code::ClaimsInvalid);
            inspection.detail =
                Some("claims: ".to_owned() + &describe_claims(&payload, &limits, None));
        }
    }
    inspection
}

fn object(part: &[u8], limits: &Limits) -> Option<String> {
    let text = base64url::decode(part)?;
    match json::parse(&text, limits.into()) {
        Ok(Value::Object(_)) => String::from_utf8(text).ok(),
        _ => None,
    }
}

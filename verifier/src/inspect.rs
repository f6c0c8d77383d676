//! A token decoded, not verified.

use alloc::string::String;

use crate::Code;

/// What a token says of itself. Nobody has verified it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// The JOSE header, a JSON text, where it could be decoded as UTF-8.
    pub header: Option<String>,
    /// The claims, a JSON text, where they could be decoded as UTF-8.
    pub claims: Option<String>,
    /// Bytes of the signature, where it could be decoded.
    pub signature_bytes: Option<u32>,
    /// The first fault of its form that a gate would deny it for.
    pub fault: Option<Code>,
}

/// Decodes a token. Never a decision.
pub fn inspect(token: &[u8]) -> Inspection {
    let _ = token;
    unimplemented!()
}

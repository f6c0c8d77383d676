//! Signatures: compact JWS (RFC 7515), algorithms (RFC 7518) and keys (RFC
//! 7517). Uses `base`, `json` and `refusal`.

mod algorithm;
mod jws;
mod key;

pub use algorithm::Algorithm;
pub(crate) use algorithm::{Hash, KeyKind};
pub use jws::Jws;
pub(crate) use jws::Parts;
pub use key::Keyring;
pub(crate) use key::{Accepted, Asked, Candidates, Key, Reading, parse_document};

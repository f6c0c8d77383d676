//! Signatures: compact JWS (RFC 7515), algorithms (RFC 7518) and keys (RFC
//! 7517). Uses `base`, `json` and `refusal`.

mod algorithm;
mod jws;
mod key;
mod native;
mod nonce;
mod proof;

pub use algorithm::Algorithm;
pub(crate) use algorithm::{Hash, KeyKind, sha256};
pub use jws::Jws;
pub(crate) use jws::Parts;
pub(crate) use key::{
    Accepted, Asked, Candidates, Key, Reading, certificate, hmac_sha256, is_equal, parse_document,
    tolerant_base64,
};
pub use key::{HostKey, HostVerifies, Keyring};
pub use native::Native;
pub(crate) use nonce::Nonces;
pub(crate) use proof::Proof;

//! Keys (RFC 7517): parsed once, when a document is supplied.

use alloc::vec::Vec;

use crate::{Algorithm, Limits, Problem};

/// The usable keys of one issuer.
#[derive(Debug, Default)]
pub struct Keyring {}

impl Keyring {
    /// Parses a JWK Set. Keys that cannot be used are skipped and reported.
    ///
    /// # Errors
    /// Why the whole set is refused.
    pub fn parse(
        _jwks: &[u8],
        _algorithms: &[Algorithm],
        _limits: &Limits,
    ) -> Result<(Self, Vec<Problem>), Problem> {
        todo!()
    }

    /// The same from a parsed value; pointers of problems start at `pointer`.
    pub(crate) fn from_value(
        _jwks: &crate::json::Value<'_>,
        _algorithms: &[Algorithm],
        _limits: &Limits,
        _pointer: &str,
    ) -> Result<(Self, Vec<Problem>), Problem> {
        todo!()
    }

    /// From `[{ "kid"?, "k", "alg"? }]`: HMAC secrets of at least the hash's
    /// length. All problems; a secret is never quoted.
    pub(crate) fn from_secrets(
        _secrets: &crate::json::Value<'_>,
        _algorithms: &[Algorithm],
        _pointer: &str,
    ) -> Result<Self, Vec<Problem>> {
        todo!()
    }
}

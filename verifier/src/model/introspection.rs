//! Introspection (RFC 7662): where an authorization server is asked about opaque
//! tokens.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

#[derive(Default)]
pub(crate) struct Introspection {
    pub(crate) uri: Arc<str>,
    pub(crate) client_id: Box<str>,
    /// The field `authorization`; empty if the client authenticates in the body.
    pub(crate) authorization: Box<str>,
    /// What the body has after the token.
    pub(crate) body_end: Box<str>,
    /// How long an answer is used (ms).
    pub(crate) cache_ms: u64,
    /// The same for one that the token is not active.
    pub(crate) negative_ms: u64,
    pub(crate) rate_per_s: u32,
    pub(crate) signed: Signed,
}

/// Whether answers are signed (RFC 9701).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Signed {
    #[default]
    Never,
    Accepted,
    Required,
}

/// Shows no secret.
impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

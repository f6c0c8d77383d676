//! The principal: the caller that a verified token identifies.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

/// The content of a verified token in the terms of the policy.
#[derive(Clone, PartialEq)]
pub struct Principal {
    /// The issuer's `name` in the policy.
    pub issuer: Box<str>,
    /// The token's `iss`; empty if it has none.
    pub iss: Box<str>,
    /// The subject, from the claim that the issuer maps (default `/sub`).
    pub subject: Option<Box<str>>,
    /// The name of the token type, if the issuer has types.
    pub token_type: Option<Box<str>>,
    /// The tenant of the request: the only one of the token, or the one of its
    /// tenants that the rule names.
    pub tenant: Option<Box<str>>,
    /// All tenants of the token, from the claims that the issuer maps.
    pub tenants: Box<[Box<str>]>,
    /// The roles after `role_map`, in order and without duplicates.
    pub roles: Box<[Box<str>]>,
    /// The scopes, in order and without duplicates.
    pub scopes: Box<[Box<str>]>,
    /// `exp` in milliseconds since the epoch, without leeway.
    pub expires_at_ms: Option<i64>,
    /// The claims as the issuer signed them: a JSON object.
    pub claims: Arc<str>,
}

/// Shows names of the policy and no claim.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("issuer", &self.issuer)
            .field("token_type", &self.token_type)
            .finish_non_exhaustive()
    }
}

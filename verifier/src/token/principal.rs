//! Who is calling, and what a backend is told of it in headers that nothing in
//! a token can break.

use alloc::boxed::Box;
use core::fmt;

/// What a verified token says, in the policy's terms.
#[derive(Clone, PartialEq)]
pub struct Principal {
    /// The issuer's `name` in the policy.
    pub issuer: Box<str>,
    /// The token's `iss`.
    pub iss: Box<str>,
    /// The subject, by the issuer's claim mapping (`/sub`).
    pub subject: Option<Box<str>>,
    /// The name of the token type that matched, where the issuer has types.
    pub token_type: Option<Box<str>>,
    /// The tenant, by the issuer's claim mapping.
    pub tenant: Option<Box<str>>,
    /// Roles after `role_map`, each once, in order.
    pub roles: Box<[Box<str>]>,
    /// Scopes, each once, in order.
    pub scopes: Box<[Box<str>]>,
    /// `exp` in milliseconds since the epoch, without leeway.
    pub expires_at_ms: Option<i64>,
    /// The claims as the issuer signed them: a JSON object.
    pub claims: Box<str>,
}

/// What the policy says of it, and no claim.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("issuer", &self.issuer)
            .field("token_type", &self.token_type)
            .finish_non_exhaustive()
    }
}

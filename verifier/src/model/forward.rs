//! What a policy can forward to backends.

use super::Source;

/// A part of a principal that a header can carry to the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forward {
    /// The token's `iss`.
    Issuer,
    /// The subject.
    Subject,
    /// The name of the token type.
    Type,
    /// The tenant of the request.
    Tenant,
    /// All tenants, joined by spaces.
    Tenants,
    /// The roles, joined by spaces.
    Roles,
    /// The scopes, joined by spaces.
    Scopes,
    /// `exp` in whole seconds since the epoch.
    Expiry,
    /// The JSON of the claims, in base64url.
    Claims,
}

impl Forward {
    /// Every part, with its name in a policy's `forward`.
    pub const ALL: [(&str, Self); 9] = [
        ("issuer", Self::Issuer),
        ("subject", Self::Subject),
        ("type", Self::Type),
        ("tenant", Self::Tenant),
        ("tenants", Self::Tenants),
        ("roles", Self::Roles),
        ("scopes", Self::Scopes),
        ("expiry", Self::Expiry),
        ("claims", Self::Claims),
    ];
}

/// The value of a header.
#[derive(Debug)]
pub(crate) enum Carry {
    Part(Forward),
    /// A text, number, boolean, or array of texts with this between them.
    Claim(Source, char),
    /// The JSON of a claim as it was signed, in base64url.
    Json(Source),
}

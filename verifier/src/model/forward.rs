//! The parts of a principal that a policy can forward to backends.

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
    /// The tenant.
    Tenant,
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
    pub const ALL: [(&str, Self); 8] = [
        ("issuer", Self::Issuer),
        ("subject", Self::Subject),
        ("type", Self::Type),
        ("tenant", Self::Tenant),
        ("roles", Self::Roles),
        ("scopes", Self::Scopes),
        ("expiry", Self::Expiry),
        ("claims", Self::Claims),
    ];
}

//! What backends are told.

/// What of a principal a backend can be told.
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
    /// Roles, joined by a space.
    Roles,
    /// Scopes, joined by a space.
    Scopes,
    /// `exp` in whole seconds since the epoch.
    Expiry,
    /// The claims' JSON, in base64url.
    Claims,
}

impl Forward {
    /// Everything, by the words of a policy's `forward`.
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

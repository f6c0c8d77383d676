//! The codes of policy problems. Like the codes of denials, a code is never
//! removed or reused, and never changes its meaning. Key documents have further
//! codes, which inline keys also use (`jwks_invalid`, `jwks_symmetric`, and the
//! warnings `key_encoding` and `key_not_tried`).

/// A code. As a number, and not as its text, it takes one byte where a problem is
/// reported.
#[derive(Clone, Copy)]
pub(super) enum Code {
    /// Not one JSON text (RFC 8259), or not UTF-8.
    Syntax,
    /// The policy or requirement exceeds its maximum size.
    TooLarge,
    /// The nesting exceeds its maximum.
    TooDeep,
    /// A number of items exceeds its maximum, or there are more problems than the
    /// report shows.
    TooMany,
    /// The value has a JSON type that the field does not accept.
    TypeWrong,
    /// The field does not exist here.
    FieldUnknown,
    /// A required field, or one of several alternatives, is absent.
    FieldMissing,
    /// The value has the right type, but the field does not accept it.
    ValueInvalid,
    /// The number is out of its bounds.
    ValueOutOfRange,
    /// A member, a name or a value occurs twice.
    Duplicate,
    /// Two fields or values exclude each other.
    Conflict,
    /// The policy does not define this issuer, token type or path segment.
    UnknownName,
    /// A key or secret cannot be used. It is a warning if other keys can be used.
    KeyUnusable,
    /// The policy demands that signatures are verified in a way that this host
    /// does not offer.
    SignaturesUnavailable,
    /// The host has no secret of this name.
    SecretMissing,
    /// An inline JWK Set has no key that can be used.
    NoUsableKey,
    /// Warning: a secret stands in the policy.
    InlineSecret,
    /// Warning: an attacker on the network path can replace the document.
    InsecureHttp,
    /// Warning: the policy accepts tokens that never expire.
    ExpNotRequired,
    /// Warning: another site can cause a request with this cookie (cross-site
    /// request forgery).
    Csrf,
    /// Warning: no request can match this path, or no token can match this type.
    Unreachable,
    /// Warning: a rule requires a tenant, but the admitted issuers map none.
    TenantUnmapped,
    /// Warning: this admits more than it seems to.
    AdmitsMore,
    /// Warning: this can match nobody.
    MatchesNothing,
    /// Warning: the resource of a metadata document is no audience.
    ResourceUnknown,
}

impl Code {
    #[inline(never)]
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::TooMany => "too_many",
            Self::TypeWrong => "type_wrong",
            Self::FieldUnknown => "field_unknown",
            Self::FieldMissing => "field_missing",
            Self::ValueInvalid => "value_invalid",
            Self::ValueOutOfRange => "value_out_of_range",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::UnknownName => "unknown_name",
            Self::KeyUnusable => "key_unusable",
            Self::SignaturesUnavailable => "signatures_unavailable",
            Self::SecretMissing => "secret_missing",
            Self::InlineSecret => "inline_secret",
            Self::NoUsableKey => "jwks_no_usable_key",
            Self::InsecureHttp => "insecure_http",
            Self::ExpNotRequired => "exp_not_required",
            Self::Csrf => "csrf",
            Self::Unreachable => "unreachable",
            Self::TenantUnmapped => "tenant_unmapped",
            Self::AdmitsMore => "admits_more",
            Self::MatchesNothing => "matches_nothing",
            Self::ResourceUnknown => "resource_unknown",
        }
    }
}

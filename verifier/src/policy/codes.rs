//! What kinds of problems a policy has. Append-only, like the codes of
//! denials: none is reused, none changes its meaning. Key documents have more
//! of their own, which inline keys share (`jwks_invalid`, `jwks_symmetric`).

/// Not one JSON text (RFC 8259), or not UTF-8.
pub(super) const SYNTAX: &str = "syntax";
/// More bytes than a policy or a requirement may have.
pub(super) const TOO_LARGE: &str = "too_large";
/// Nested more deeply than is read.
pub(super) const TOO_DEEP: &str = "too_deep";
/// More of something than is read, or more problems than are shown.
pub(super) const TOO_MANY: &str = "too_many";
/// Another JSON type than the field takes.
pub(super) const TYPE_WRONG: &str = "type_wrong";
/// A field that does not exist here.
pub(super) const FIELD_UNKNOWN: &str = "field_unknown";
/// A field, or a choice of fields, that has no default.
pub(super) const FIELD_MISSING: &str = "field_missing";
/// The right type, and not a value that the field takes.
pub(super) const VALUE_INVALID: &str = "value_invalid";
/// A number outside of its bounds.
pub(super) const VALUE_OUT_OF_RANGE: &str = "value_out_of_range";
/// A member, a name or a value that is here twice.
pub(super) const DUPLICATE: &str = "duplicate";
/// Two things that exclude each other.
pub(super) const CONFLICT: &str = "conflict";
/// An issuer, token type or path segment that the policy does not define.
pub(super) const UNKNOWN_NAME: &str = "unknown_name";
/// A key or secret that cannot be used: a warning where others can.
pub(super) const KEY_UNUSABLE: &str = "key_unusable";
/// An inline JWK Set without a key that can be used.
pub(super) const NO_USABLE_KEY: &str = "jwks_no_usable_key";

/// Warning: documents that anybody on the way can replace.
pub(super) const INSECURE_HTTP: &str = "insecure_http";
/// Warning: tokens that never expire are accepted.
pub(super) const EXP_NOT_REQUIRED: &str = "exp_not_required";
/// Warning: a cookie that other sites can have sent (cross-site request forgery).
pub(super) const CSRF: &str = "csrf";
/// Warning: a path or a token type that nothing can ever match.
pub(super) const UNREACHABLE: &str = "unreachable";
/// Warning: a tenant is required of issuers that say none.
pub(super) const TENANT_UNMAPPED: &str = "tenant_unmapped";

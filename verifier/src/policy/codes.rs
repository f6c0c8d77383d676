//! The codes of policy problems. Like the codes of denials, a code is never
//! removed or reused, and never changes its meaning. Key documents have further
//! codes, which inline keys also use (`jwks_invalid`, `jwks_symmetric`).

/// Not one JSON text (RFC 8259), or not UTF-8.
pub(super) const SYNTAX: &str = "syntax";
/// The policy or requirement exceeds its maximum size.
pub(super) const TOO_LARGE: &str = "too_large";
/// The nesting exceeds its maximum.
pub(super) const TOO_DEEP: &str = "too_deep";
/// A number of items exceeds its maximum, or there are more problems than the
/// report shows.
pub(super) const TOO_MANY: &str = "too_many";
/// The value has a JSON type that the field does not accept.
pub(super) const TYPE_WRONG: &str = "type_wrong";
/// The field does not exist here.
pub(super) const FIELD_UNKNOWN: &str = "field_unknown";
/// A required field, or one of several alternatives, is absent.
pub(super) const FIELD_MISSING: &str = "field_missing";
/// The value has the right type, but the field does not accept it.
pub(super) const VALUE_INVALID: &str = "value_invalid";
/// The number is out of its bounds.
pub(super) const VALUE_OUT_OF_RANGE: &str = "value_out_of_range";
/// A member, a name or a value occurs twice.
pub(super) const DUPLICATE: &str = "duplicate";
/// Two fields or values exclude each other.
pub(super) const CONFLICT: &str = "conflict";
/// The policy does not define this issuer, token type or path segment.
pub(super) const UNKNOWN_NAME: &str = "unknown_name";
/// A key or secret cannot be used. It is a warning if other keys can be used.
pub(super) const KEY_UNUSABLE: &str = "key_unusable";
/// An inline JWK Set has no key that can be used.
pub(super) const NO_USABLE_KEY: &str = "jwks_no_usable_key";

/// Warning: an attacker on the network path can replace the document.
pub(super) const INSECURE_HTTP: &str = "insecure_http";
/// Warning: the policy accepts tokens that never expire.
pub(super) const EXP_NOT_REQUIRED: &str = "exp_not_required";
/// Warning: another site can cause a request with this cookie (cross-site
/// request forgery).
pub(super) const CSRF: &str = "csrf";
/// Warning: no request can match this path, or no token can match this type.
pub(super) const UNREACHABLE: &str = "unreachable";
/// Warning: a rule requires a tenant, but the admitted issuers map none.
pub(super) const TENANT_UNMAPPED: &str = "tenant_unmapped";
/// Warning: this admits more than it seems to.
pub(super) const ADMITS_MORE: &str = "admits_more";

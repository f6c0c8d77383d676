//! The requirement of a rule, or of a caller of `check_token`.

use alloc::{boxed::Box, vec::Vec};

use super::ClaimCondition;

/// Requirements for a verified token. All parts must hold; an absent part
/// always holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Requirement {
    /// Names of issuers in the policy. If empty, any issuer is admitted.
    pub(crate) issuers: Vec<Box<str>>,
    /// The token's `aud` contains one of them. If empty, any audience is
    /// admitted.
    pub(crate) audiences: Vec<Box<str>>,
    /// Names of token types. If empty, any type is admitted.
    pub(crate) types: Vec<Box<str>>,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) scopes: Words,
    pub(crate) roles: Words,
    pub(crate) claims: Vec<ClaimCondition>,
    /// Maximum time since `iat`.
    pub(crate) max_age_ms: Option<i64>,
    pub(crate) all_of: Vec<Requirement>,
    /// If empty, it always holds.
    pub(crate) any_of: Vec<Requirement>,
    pub(crate) sign_in: SignIn,
}

/// How recently and how well the user must have signed in (RFC 9470).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SignIn {
    /// Maximum time since `auth_time`.
    pub(crate) max_age_s: Option<u32>,
    /// `acr` is one of them. If empty, any `acr` is admitted.
    pub(crate) acr_values: Vec<Box<str>>,
}

/// Requires all of `all`, and one of `any` unless it is empty. The words are
/// exact: only a scope in a token can be a wildcard.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Words {
    pub(crate) all: Vec<Box<str>>,
    pub(crate) any: Vec<Box<str>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tenant {
    /// Any tenant that is not empty.
    Present,
    /// This tenant.
    Fixed(Box<str>),
    /// The tenant in the path segment of this name.
    Segment(Box<str>),
}

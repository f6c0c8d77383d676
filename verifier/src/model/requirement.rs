//! What a rule, or a caller of `check_token`, requires of a verified token.

use alloc::{boxed::Box, vec::Vec};

use super::Claims;

/// All of its parts must hold; an absent part always does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Requirement {
    /// Issuers' names in the policy; empty: any.
    pub(crate) issuers: Vec<Box<str>>,
    /// The token's `aud` must have one of them; empty: any.
    pub(crate) audiences: Vec<Box<str>>,
    /// Token types' names; empty: any.
    pub(crate) types: Vec<Box<str>>,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) scopes: Words,
    pub(crate) roles: Words,
    pub(crate) claims: Vec<Claims>,
    /// Largest time since `iat`.
    pub(crate) max_age_ms: Option<i64>,
    pub(crate) all_of: Vec<Requirement>,
    /// Empty: nothing is asked.
    pub(crate) any_of: Vec<Requirement>,
}

/// All of `all`, and one of `any` unless it is empty. Exact words: a wildcard
/// belongs to a token's scope, never to a requirement.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Words {
    pub(crate) all: Vec<Box<str>>,
    pub(crate) any: Vec<Box<str>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tenant {
    /// Any tenant, but one.
    Present,
    /// This tenant.
    Fixed(Box<str>),
    /// The tenant in the path segment of this name.
    Segment(Box<str>),
}

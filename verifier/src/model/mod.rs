//! The policy, version 1, as types that cannot be wrong: what everything else
//! goes by, however it was written. Uses `base`, `json` and `jose`.

mod condition;
mod forward;
mod issuer;
mod requirement;
mod rule;

use alloc::{boxed::Box, vec::Vec};

use crate::base::Limits;

pub(crate) use condition::{Claims, Condition};
pub use forward::Forward;
pub(crate) use issuer::{
    Audiences, Issuer, Keys, Mapping, Places, Revocations, TenantFrom, TokenType,
};
pub(crate) use requirement::{Requirement, Tenant, Words};
pub(crate) use rule::{Access, Host, Pattern, Rule, Segment};

#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) leeway_ms: i64,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) rules: Vec<Rule>,
    /// Backends tell letters' case in a path apart.
    pub(crate) exact_case: bool,
    /// Lower-case header name, and what it carries; in the policy's order.
    pub(crate) forward: Vec<(Box<str>, Forward)>,
    pub(crate) strip_credential: bool,
    /// Visible ASCII without `"` and `\`.
    pub(crate) realm: Box<str>,
    pub(crate) remember: bool,
    pub(crate) limits: Limits,
}

#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// `scheme` is compared without case (RFC 9110 §11.1); without one the
    /// whole value is the token. The name is in lower case.
    Header {
        name: Box<str>,
        scheme: Option<Box<str>>,
    },
    Cookie {
        name: Box<str>,
        same_origin: bool,
    },
}

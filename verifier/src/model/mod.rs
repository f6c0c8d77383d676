//! The parsed policy, version 1, as types that allow only valid values. All
//! other rooms use these types and never the policy's text. Uses `base`, `json`
//! and `jose`.

mod condition;
mod forward;
mod issuer;
mod requirement;
mod rule;

use alloc::{boxed::Box, vec::Vec};

use crate::base::Limits;

pub(crate) use condition::{ClaimCondition, Condition};
pub use forward::Forward;
pub(crate) use issuer::{
    Audiences, Issuer, KeySource, Keys, ListMapping, Mapping, Revocations, TenantFrom, TokenType,
};
pub(crate) use requirement::{Requirement, Tenant, Words};
pub(crate) use rule::{Access, Host, Pattern, Rule, Segment};

#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) leeway_ms: i64,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) rules: Vec<Rule>,
    /// Whether backends compare paths case-sensitively.
    pub(crate) exact_case: bool,
    /// The lower-case header name and what it carries, in the policy's order.
    pub(crate) forward: Vec<(Box<str>, Forward)>,
    pub(crate) strip_credential: bool,
    /// It is visible ASCII without `"` and `\`.
    pub(crate) realm: Box<str>,
    pub(crate) remember: bool,
    pub(crate) limits: Limits,
}

#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// `name` is in lower case. `scheme` is compared without regard to case
    /// (RFC 9110 §11.1). Without a scheme, the whole value is the token.
    Header {
        name: Box<str>,
        scheme: Option<Box<str>>,
    },
    Cookie {
        name: Box<str>,
        same_origin: bool,
    },
}

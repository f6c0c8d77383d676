//! The parsed policy, version 1, as types that allow only valid values. All
//! other rooms use these types and never the policy's text. Uses `base`, `json`
//! and `jose`.

mod by_iss;
mod challenge;
mod condition;
mod forward;
mod issuer;
mod requirement;
mod rule;
mod source;

use alloc::{boxed::Box, vec::Vec};

use crate::base::Limits;

pub(crate) use by_iss::{Accepts, ByIss, CAPTURES, Capture, PARTS, key_is_for};
pub(crate) use condition::{ClaimCondition, Condition, Context, RequestValue};
pub(crate) use forward::Carry;
pub(crate) use challenge::{Challenge, Metadata};
pub use forward::Forward;
pub(crate) use issuer::{
    Audiences, Issuer, KeySource, Keys, ListMapping, Mapping, Revocations, TenantFrom, TokenType,
};
pub(crate) use requirement::{Named, Requirement, Words};
pub(crate) use rule::{Access, Host, Pattern, Rule, Segment};
pub(crate) use source::{How, Source, each_text, text_of};

#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) leeway_ms: i64,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) by_iss: ByIss,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) rules: Vec<Rule>,
    /// The headers that rules compare with claims, in lower case.
    pub(crate) compared: Vec<Box<str>>,
    /// The sources of the rules' conditions. A remembered token keeps their
    /// values, so that its claims are not parsed again.
    pub(crate) kept: Vec<Source>,
    /// Whether backends compare paths case-sensitively.
    pub(crate) exact_case: bool,
    /// The lower-case header name and what it carries, in the policy's order.
    pub(crate) forward: Vec<(Box<str>, Carry)>,
    pub(crate) strip_credential: bool,
    /// It is visible ASCII without `"` and `\`.
    pub(crate) realm: Box<str>,
    /// For rules without their own.
    pub(crate) challenge: Challenge,
    pub(crate) metadata: Metadata,
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

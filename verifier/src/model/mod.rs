//! The parsed policy, version 1, as types that allow only valid values. All
//! other rooms use these types and never the policy's text. Uses `base`, `json`
//! and `jose`.

mod api_keys;
mod by_iss;
mod by_prefix;
mod challenge;
mod condition;
mod credential;
mod forward;
mod introspection;
mod issuer;
mod requirement;
mod rule;
mod sender;
mod source;

use alloc::{boxed::Box, vec::Vec};

use crate::base::Limits;

pub(crate) use api_keys::{ApiKeys, DIGEST, Entry, HashForm, Pepper, entry_id};
pub(crate) use by_iss::{Accepts, ByIss, CAPTURES, Capture, PARTS, key_is_for};
pub(crate) use by_prefix::ByPrefix;
pub(crate) use challenge::{Challenge, Metadata};
pub(crate) use condition::{ClaimCondition, Condition, Context, RequestValue};
pub(crate) use credential::{Credential, Credentials, Place};
pub(crate) use forward::Carry;
pub use forward::Forward;
pub(crate) use introspection::{Introspection, Signed};
pub(crate) use issuer::{
    Audiences, Issuer, KeySource, Keys, Kind, ListMapping, Mapping, Revocations, TenantFrom,
    TokenType,
};
pub(crate) use requirement::{Named, Requirement, SignIn, Words};
pub(crate) use rule::{Access, Host, Pattern, Rule, Segment, Tokens};
pub(crate) use sender::{
    CertificateFormat, ClientCertificate, Dpop, Network, OfIssuer, ProofKind, Sender,
};
pub(crate) use source::{How, Source, each_text, text_of};

/// Names of headers, and what each carries.
pub(crate) type ForwardHeaders = Vec<(Box<str>, Carry)>;

#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) leeway_ms: i64,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) by_iss: ByIss,
    /// The issuers of credentials that are no JWTs.
    pub(crate) by_prefix: ByPrefix,
    pub(crate) credentials: Credentials,
    /// Sorted indices of the issuers that a place names beside `principal`. Their
    /// tokens are good only from places that name them.
    pub(crate) kept_issuers: Vec<usize>,
    pub(crate) rules: Vec<Rule>,
    /// The headers that rules compare with claims, in lower case.
    pub(crate) compared: Vec<Box<str>>,
    /// The sources of the rules' conditions. A remembered token keeps their
    /// values, so that its claims are not parsed again.
    pub(crate) kept: Vec<Source>,
    /// Whether backends compare paths case-sensitively.
    pub(crate) exact_case: bool,
    /// The lower-case header name and what it carries, in the policy's order.
    pub(crate) forward: ForwardHeaders,
    /// The same for the principals beside the user, by name.
    pub(crate) forward_of: Vec<(Box<str>, ForwardHeaders)>,
    pub(crate) strip_credential: bool,
    pub(crate) sender: Sender,
    /// It is visible ASCII without `"` and `\`.
    pub(crate) realm: Box<str>,
    /// For rules without their own.
    pub(crate) challenge: Challenge,
    pub(crate) metadata: Metadata,
    pub(crate) remember: bool,
    pub(crate) limits: Limits,
}

impl Policy {
    /// Returns the list of places of a rule.
    pub(crate) fn credentials_of<'p>(&'p self, rule: &'p Rule) -> &'p Credentials {
        rule.tokens
            .credentials
            .as_ref()
            .unwrap_or(&self.credentials)
    }

    /// Returns the places of every list; many can be equal.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Credential> {
        let own = self
            .rules
            .iter()
            .filter_map(|rule| rule.tokens.credentials.as_ref());
        let lists = core::iter::once(&self.credentials).chain(own);
        lists.flat_map(|list| &list.places)
    }

    /// Returns the lower-case names of the headers that the gate sets.
    pub(crate) fn set_headers(&self) -> impl Iterator<Item = &Box<str>> + Clone {
        let others = self.forward_of.iter().flat_map(|(_, forward)| forward);
        self.forward.iter().chain(others).map(|(name, _)| name)
    }
}

//! The policy, version 1, as types that cannot be wrong.

mod claims;
mod codes;
mod fields;
mod grammar;
mod headers;
mod issuers;
mod keys;
mod names;
mod parse;
mod pattern;
mod reach;
mod reader;
mod report;
mod requirement;
mod rules;
mod suggest;
mod token_types;

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use crate::{
    Algorithm, Keyring, Limits, condition::Claims, json::Pointer, map::Map,
    requirement::Requirement,
};

pub use parse::{lint, policy_json};
pub(crate) use parse::{parse, parse_requirement};

/// JSON Schema (2020-12) of the policy; a test holds it against the parser.
pub const POLICY_SCHEMA: &str = include_str!("../../policy.schema.json");

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

#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) name: Arc<str>,
    /// Exactly the token's `iss`; unique in the policy.
    pub(crate) issuer: Box<str>,
    pub(crate) audiences: Audiences,
    /// At least one; either all HS* (with `Keys::Secrets`) or none.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) keys: Keys,
    pub(crate) revocations: Option<Revocations>,
    /// Empty: tokens have no type.
    pub(crate) token_types: Vec<TokenType>,
    pub(crate) mapping: Mapping,
    /// With it, a role that is not mapped is dropped.
    pub(crate) role_map: Option<Map<Vec<Box<str>>>>,
    pub(crate) scope_wildcards: bool,
    pub(crate) require: Vec<Claims>,
    pub(crate) max_age_ms: Option<i64>,
    pub(crate) exp_required: bool,
}

#[derive(Debug)]
pub(crate) enum Audiences {
    /// Said out loud: `"any"`.
    Any,
    OneOf(Vec<Box<str>>),
    All(Vec<Box<str>>),
}

/// For nobody.
impl Default for Audiences {
    fn default() -> Self {
        Self::OneOf(Vec::new())
    }
}

#[derive(Debug)]
pub(crate) enum Keys {
    JwksUri {
        uri: Arc<str>,
        stale_ms: u64,
    },
    /// `uri` is the metadata's; it and the `jwks_uri` it names are `https`
    /// unless `insecure_http`.
    Discovery {
        uri: Arc<str>,
        stale_ms: u64,
        insecure_http: bool,
    },
    /// Inline `jwks`, or `secrets`: never fetched.
    Inline(Keyring),
}

/// No key: nothing verifies.
impl Default for Keys {
    fn default() -> Self {
        Self::Inline(Keyring::default())
    }
}

#[derive(Debug)]
pub(crate) struct Revocations {
    pub(crate) uri: Arc<str>,
    pub(crate) refresh_ms: u64,
    pub(crate) required: bool,
    /// Without it an old document is good for as long as no new one comes.
    pub(crate) max_stale_ms: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct TokenType {
    pub(crate) name: Box<str>,
    /// All must hold for a token to be of this type.
    pub(crate) claims: Vec<Claims>,
    /// One must equal the header's `typ`, without case and `application/`
    /// (RFC 7515 §4.1.9); kept in lower case without that prefix. Empty: any.
    pub(crate) header_typ: Vec<Box<str>>,
    pub(crate) max_lifetime_ms: Option<i64>,
    pub(crate) required_claims: Vec<Pointer>,
    pub(crate) scopes_within: Option<Vec<Box<str>>>,
}

#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) subject: Pointer,
    pub(crate) tenant: TenantFrom,
    pub(crate) roles: Places,
    pub(crate) scopes: Places,
}

/// Claims that a list of words is read from.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) claims: Vec<Pointer>,
    /// The policy names them: another shape than texts is refused. Of the
    /// default ones it counts as absent.
    pub(crate) strict: bool,
}

#[derive(Debug)]
pub(crate) enum TenantFrom {
    Nowhere,
    Claim(Pointer),
    Fixed(Box<str>),
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

#[derive(Debug)]
pub(crate) struct Rule {
    /// Empty: any host.
    pub(crate) hosts: Vec<Host>,
    /// At least one.
    pub(crate) paths: Vec<Pattern>,
    /// Empty: any method. `GET` covers `HEAD` (the router sees to that).
    pub(crate) methods: Vec<Box<str>>,
    pub(crate) access: Access,
}

#[derive(Debug)]
pub(crate) enum Access {
    Public,
    /// Without a token admitted; with one it must be good.
    Optional(Requirement),
    Required(Requirement),
}

/// Lower case, no port, no trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Exact(Box<str>),
    /// `*.example.com`, kept as `example.com`: exactly one label before it.
    Wildcard(Box<str>),
}

/// `/a/{name}/**`: matched segment by segment after decoding; a trailing slash
/// does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) segments: Vec<Segment>,
    /// Ends in `**`: any number of further segments, none included.
    pub(crate) rest: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Percent-decoded bytes.
    Literal(Box<[u8]>),
    /// `{name}`.
    Name(Box<str>),
}

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

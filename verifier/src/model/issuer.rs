//! An issuer: its keys, its token types, and the meaning of its claims.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::{Accepts, ApiKeys, ClaimCondition, Introspection, OfIssuer, Source};
use crate::{
    base::Map,
    jose::{Accepted, Algorithm, Keyring},
    json::Pointer,
};

#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) name: Arc<str>,
    /// The exact `iss` of its tokens, or the template of it, or empty.
    pub(crate) issuer: Box<str>,
    pub(crate) accepts: Accepts,
    pub(crate) kind: Kind,
    pub(crate) audiences: Audiences,
    /// Of JWTs at least one. Each is an algorithm of one of the sources.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) keys: Vec<KeySource>,
    /// In place of the policy's.
    pub(crate) leeway_ms: Option<i64>,
    pub(crate) revocations: Option<Revocations>,
    /// If empty, tokens have no type.
    pub(crate) token_types: Vec<TokenType>,
    pub(crate) mapping: Mapping,
    /// If present, roles that it does not map are dropped.
    pub(crate) role_map: Option<Map<Vec<Box<str>>>>,
    pub(crate) scope_wildcards: bool,
    pub(crate) require: Vec<ClaimCondition>,
    pub(crate) max_token_age_ms: Option<i64>,
    pub(crate) exp_required: bool,
    pub(crate) sender: OfIssuer,
    /// Whether a host is not ready before it had the documents once.
    pub(crate) needed_at_start: bool,
}

/// What an issuer's credentials are.
#[derive(Debug)]
pub(crate) enum Kind {
    /// JWTs.
    Signed,
    ApiKeys(ApiKeys),
    /// Tokens about which its authorization server is asked.
    Opaque(Introspection),
}

#[derive(Debug)]
pub(crate) enum Audiences {
    /// Every audience. The policy says `"any"` explicitly.
    Any,
    OneOf(Vec<Box<str>>),
    All(Vec<Box<str>>),
}

/// Accepts no token.
impl Default for Audiences {
    fn default() -> Self {
        Self::OneOf(Vec::new())
    }
}

/// One source of an issuer's keys.
#[derive(Debug)]
pub(crate) struct KeySource {
    /// Its algorithms are all HS* (with secrets) or none is.
    pub(crate) accepted: Accepted,
    pub(crate) keys: Keys,
    pub(crate) stale_ms: u64,
}

#[derive(Debug)]
pub(crate) enum Keys {
    /// They stand in the policy and are never fetched.
    Inline(Keyring),
    /// The address of a JWK Set.
    Jwks(Arc<str>),
    /// `uri` is the address of the metadata. It and the `jwks_uri` in the
    /// metadata are `https` unless `insecure_http` is true.
    Discovery { uri: Arc<str>, insecure_http: bool },
    /// The address of an object that maps each `kid` to a PEM.
    PemMap(Arc<str>),
    /// The address of one PEM for each `kid`, which stands between the parts.
    PemByKid { before: Box<str>, after: Box<str> },
}

#[derive(Debug)]
pub(crate) struct Revocations {
    pub(crate) uri: Arc<str>,
    pub(crate) refresh_ms: u64,
    pub(crate) required: bool,
    /// If absent, an old document stays in force until a new one arrives.
    pub(crate) max_stale_ms: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct TokenType {
    pub(crate) name: Box<str>,
    /// A token of this type satisfies all of them.
    pub(crate) claims: Vec<ClaimCondition>,
    /// The header's `typ` equals one of them, without regard to case and
    /// `application/` (RFC 7515 §4.1.9). They are stored in lower case without
    /// that prefix. If empty, any `typ` matches.
    pub(crate) header_typ: Vec<Box<str>>,
    pub(crate) max_lifetime_ms: Option<i64>,
    pub(crate) required_claims: Vec<Pointer>,
    pub(crate) scopes_within: Option<Vec<Box<str>>>,
}

#[derive(Debug)]
pub(crate) struct Mapping {
    /// The first that is there.
    pub(crate) subject: Vec<Source>,
    pub(crate) tenant: TenantFrom,
    pub(crate) roles: ListMapping,
    pub(crate) scopes: ListMapping,
    /// Whether whole numbers in all of them, but the scopes, and in `sub` are
    /// read as their digits.
    pub(crate) numbers_as_text: bool,
}

/// The claims that contain a list of roles, scopes or tenants.
#[derive(Debug, Default)]
pub(crate) struct ListMapping {
    pub(crate) claims: Vec<Source>,
    /// True if the policy names the claims: then a value that is not text is
    /// refused. In a default claim, such a value counts as absent.
    pub(crate) strict: bool,
}

#[derive(Debug)]
pub(crate) enum TenantFrom {
    None,
    Claim(Source),
    /// Several, of which a rule names the one that a request is for.
    Claims(ListMapping),
    Fixed(Box<str>),
}

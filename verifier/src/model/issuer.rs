//! An issuer: its keys, its tokens, and what their claims mean.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::Claims;
use crate::{
    base::Map,
    jose::{Algorithm, Keyring},
    json::Pointer,
};

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

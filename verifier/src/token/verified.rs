//! Makes a [`Verified`] from claims with a verified signature: the content of
//! the token in the terms of the policy, and the results of all checks that do
//! not depend on time.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use super::{
    Principal, Times,
    forward::{self, Headers},
    types,
};
use crate::{
    base::Set,
    documents::Revocable,
    jose::Key,
    json::{Object, Pointer, Value},
    model::{Audiences, Issuer, ListMapping, Policy, TenantFrom},
    refusal::{Code, Refusal},
};

/// A token with a verified signature, as the gate remembers it.
pub(crate) struct Verified {
    /// [`Grant::number`](crate::Grant::number).
    pub(crate) number: u64,
    /// Index into the policy's issuers.
    pub(crate) issuer: usize,
    pub(crate) key: Arc<Key>,
    /// Whether the token has a `kid`.
    pub(crate) named_key: bool,
    pub(crate) principal: Arc<Principal>,
    pub(crate) headers: Headers,
    /// The headers where the token is that of a principal beside the user: one
    /// list for each of the policy's `forward_of`.
    pub(crate) headers_of: Vec<Headers>,
    pub(crate) audiences: Vec<Box<str>>,
    pub(crate) times: Times,
    jti: Option<Box<str>>,
    sub: Option<Box<str>>,
    /// When and how the user signed in (OpenID Connect Core §2), if the claims
    /// have the right types.
    pub(crate) auth_time: Option<i64>,
    pub(crate) acr: Option<Box<str>>,
    /// The results of checks that depend only on the token and the policy. The
    /// gate reports each at its place in the order of checks.
    pub(crate) audience: Result<(), Refusal>,
    pub(crate) token_type: Result<(), Refusal>,
    pub(crate) required: Result<(), Refusal>,
}

/// The parts of the header that checks need after the signature.
pub(crate) struct HeaderFacts<'h> {
    pub(crate) named_key: bool,
    pub(crate) typ: Option<&'h str>,
}

/// Registered claims (RFC 7519 §4.1) with valid types.
struct Registered {
    aud: Vec<Box<str>>,
    times: Times,
    jti: Option<Box<str>>,
    sub: Option<Box<str>>,
}

impl Verified {
    /// Refuses claims of a wrong type. It stores the results of the other
    /// checks for their place in the order.
    pub(crate) fn new(
        number: u64,
        policy: &Policy,
        index: usize,
        key: &Arc<Key>,
        header: HeaderFacts<'_>,
        claims: Object<'_>,
        text: Box<str>,
    ) -> Result<Self, Refusal> {
        let issuer = policy.issuers.get(index).ok_or(Code::InternalError)?;
        let registered = Registered::read(&claims)?;
        let auth_time = claims.get("auth_time").and_then(Value::as_milliseconds);
        let acr = claims.get("acr").and_then(Value::as_str).map(Box::from);
        let claims = Value::Object(claims);
        let subject = text_at(&claims, &issuer.mapping.subject)?;
        let tenant = match &issuer.mapping.tenant {
            TenantFrom::None => None,
            TenantFrom::Fixed(tenant) => Some(tenant.clone()),
            TenantFrom::Claim(pointer) => text_at(&claims, pointer)?,
        };
        let roles = words_at(&claims, &issuer.mapping.roles, Words::add)?;
        let roles = map_roles(issuer, roles);
        let scopes = words_at(&claims, &issuer.mapping.scopes, Words::add_each)?;

        let token_type = types::find(issuer, &claims, header.typ);
        let required = token_type.clone().and_then(|found| {
            types::check_required(found, issuer, &claims, &registered.times, &scopes)
        });
        let principal = Principal {
            issuer: Box::from(&*issuer.name),
            iss: issuer.issuer.clone(),
            subject,
            token_type: token_type
                .as_ref()
                .ok()
                .copied()
                .flatten()
                .map(|t| t.name.clone()),
            tenant,
            roles: roles.into(),
            scopes: scopes.into(),
            expires_at_ms: registered.times.exp,
            claims: text,
        };
        Ok(Self {
            number,
            issuer: index,
            key: Arc::clone(key),
            named_key: header.named_key,
            headers: forward::headers(&policy.forward, &principal),
            headers_of: policy
                .forward_of
                .iter()
                .map(|(_, forward)| forward::headers(forward, &principal))
                .collect(),
            auth_time,
            acr,
            principal: Arc::new(principal),
            audience: admit_audience(&issuer.audiences, &registered.aud),
            audiences: registered.aud,
            times: registered.times,
            jti: registered.jti,
            sub: registered.sub,
            token_type: token_type.map(|_| ()),
            required,
        })
    }

    pub(crate) fn revocable(&self) -> Revocable<'_> {
        Revocable {
            jti: self.jti.as_deref(),
            sub: self.sub.as_deref(),
            issued_at_ms: self.times.iat,
            kid: self.key.kid.as_deref(),
        }
    }

    /// Approximate bytes of memory in addition to the token.
    pub(crate) fn weight(&self) -> usize {
        let headers = self.headers_of.iter().chain([&self.headers]);
        let headers: usize = headers
            .flat_map(|h| h.iter())
            .map(|(_, value)| value.len())
            .sum();
        self.principal
            .claims
            .len()
            .saturating_mul(2)
            .saturating_add(headers)
            .saturating_add(512)
    }
}

impl Registered {
    fn read(claims: &Object<'_>) -> Result<Self, Refusal> {
        text(claims, "iss")?;
        Ok(Self {
            sub: text(claims, "sub")?,
            jti: text(claims, "jti")?,
            aud: match claims.get("aud") {
                None => Vec::new(),
                Some(Value::String(one)) => Vec::from([Box::from(&**one)]),
                Some(Value::Array(items)) => {
                    let texts = items.iter().map(|item| item.as_str().map(Box::from));
                    texts.collect::<Option<_>>().ok_or_else(|| invalid("aud"))?
                }
                Some(_) => return Err(invalid("aud")),
            },
            times: Times {
                exp: time(claims, "exp")?,
                nbf: time(claims, "nbf")?,
                iat: time(claims, "iat")?,
            },
        })
    }
}

fn invalid(claim: &str) -> Refusal {
    Refusal::claim(Code::ClaimsInvalid, claim)
}

fn text(claims: &Object<'_>, name: &str) -> Result<Option<Box<str>>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(Box::from(&**text))),
        Some(_) => Err(invalid(name)),
    }
}

fn time(claims: &Object<'_>, name: &str) -> Result<Option<i64>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_milliseconds()
            .map(Some)
            .ok_or_else(|| invalid(name)),
    }
}

fn text_at(claims: &Value<'_>, pointer: &Pointer) -> Result<Option<Box<str>>, Refusal> {
    match pointer.resolve(claims) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(Box::from(&**text))),
        Some(_) => Err(invalid(pointer.as_str())),
    }
}

/// Collects the words at all places without duplicates. Items of an array are
/// words; `text` adds the words of a string.
fn words_at(
    claims: &Value<'_>,
    places: &ListMapping,
    text: fn(&mut Words, &str),
) -> Result<Vec<Box<str>>, Refusal> {
    let mut words = Words::default();
    for pointer in &places.claims {
        match pointer.resolve(claims) {
            None | Some(Value::Null) => {}
            Some(Value::String(one)) => text(&mut words, one),
            Some(Value::Array(items)) if items.iter().all(|item| item.as_str().is_some()) => {
                let items = items.iter().filter_map(Value::as_str);
                items.for_each(|item| words.add(item));
            }
            Some(_) if places.strict => return Err(invalid(pointer.as_str())),
            Some(_) => {}
        }
    }
    Ok(words.list)
}

/// Words in order, without duplicates.
#[derive(Default)]
struct Words {
    list: Vec<Box<str>>,
    seen: Set,
}

impl Words {
    /// Adds each word of a space-separated text (RFC 6749 §3.3).
    fn add_each(&mut self, text: &str) {
        text.split(' ').for_each(|word| self.add(word));
    }

    /// Adds a word. It scans a short list and uses a set for a long one: a
    /// token can have thousands of words.
    fn add(&mut self, word: &str) {
        const SCAN: usize = 16;
        if word.is_empty() {
            return;
        }
        if self.list.len() == SCAN && self.seen.len() == 0 {
            self.list.iter().for_each(|word| {
                self.seen.insert(word.as_bytes());
            });
        }
        let known = if self.list.len() < SCAN {
            self.list.iter().any(|w| **w == *word)
        } else {
            !self.seen.insert(word.as_bytes())
        };
        if !known {
            self.list.push(word.into());
        }
    }
}

/// Maps the issuer's groups to roles of the policy. If there is a map, it drops
/// groups that are not in it.
fn map_roles(issuer: &Issuer, groups: Vec<Box<str>>) -> Vec<Box<str>> {
    let Some(map) = &issuer.role_map else {
        return groups;
    };
    let mut roles = Words::default();
    for role in groups
        .iter()
        .filter_map(|group| map.get(group.as_bytes()))
        .flatten()
    {
        roles.add(role);
    }
    roles.list
}

fn admit_audience(audiences: &Audiences, aud: &[Box<str>]) -> Result<(), Refusal> {
    let admitted = match audiences {
        Audiences::Any => true,
        Audiences::OneOf(wanted) => wanted.iter().any(|wanted| aud.contains(wanted)),
        Audiences::All(wanted) => wanted.iter().all(|wanted| aud.contains(wanted)),
    };
    if admitted {
        Ok(())
    } else {
        Err(Refusal::claim(Code::AudienceMismatch, "aud"))
    }
}

/// Formats a comma-separated list for [`explain`](crate::Gate::explain).
pub(crate) fn list(words: &[Box<str>]) -> String {
    if words.is_empty() {
        "nothing".into()
    } else {
        words.join(", ")
    }
}

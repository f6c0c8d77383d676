//! Makes a [`Verified`] from claims with a verified signature: the content of
//! the token in the terms of the policy, and the results of all checks that do
//! not depend on time.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use super::{
    Confirmation, Principal, Times,
    forward::{self, Headers},
    mapped::{admit_captures, invalid, map_roles, text_at, words_at},
    types,
};
use crate::{
    base::Limits,
    documents::Revocable,
    jose::Key,
    json::{Object, Value},
    model::{Accepts, Audiences, Context, Policy, Source, TenantFrom, text_of},
    refusal::{Code, Refusal},
};

/// A token with a verified signature, as the gate remembers it.
pub(crate) struct Verified {
    /// [`Grant::number`](crate::Grant::number).
    pub(crate) number: u64,
    /// Index into the policy's issuers.
    pub(crate) issuer: usize,
    pub(crate) origin: Origin,
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
    /// `None` if the gate need not look at the sender.
    pub(crate) confirmation: Option<Box<Confirmation>>,
    /// The results of checks that depend only on the token and the policy. The
    /// gate reports each at its place in the order of checks.
    pub(crate) audience: Result<(), Refusal>,
    pub(crate) token_type: Result<(), Refusal>,
    pub(crate) required: Result<(), Refusal>,
    /// The values of the policy's `kept` sources.
    kept: Box<[Kept]>,
    /// The principal for each of its first tenants, if it has several. The gate
    /// makes them when a request names one.
    pub(crate) views: Vec<Option<View>>,
}

/// What vouches for the content of a token.
pub(crate) enum Origin {
    /// Its signature by this key.
    Key {
        key: Arc<Key>,
        /// Whether the token has a `kid`.
        named: bool,
    },
    /// The issuer's document of API keys.
    ApiKeys,
    /// The answer of the authorization server.
    Introspection {
        /// From when until when the answer is used, in milliseconds.
        since_ms: u64,
        until_ms: u64,
    },
}

/// The value of a source: `None` if there is none, an error if its shape cannot
/// be read.
pub(crate) type Kept = Result<Option<Value<'static>>, ()>;

/// A principal whose request is for one of its tenants.
#[derive(Clone)]
pub(crate) struct View {
    /// [`Grant::number`](crate::Grant::number).
    pub(crate) number: u64,
    pub(crate) principal: Arc<Principal>,
    pub(crate) headers: Headers,
}

/// The tenants of a token for which a view is remembered.
const VIEWS: usize = 16;

/// The parts of the header that checks need after the signature.
pub(crate) struct HeaderFacts<'h> {
    pub(crate) origin: Origin,
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
        header: HeaderFacts<'_>,
        claims: Object<'_>,
        text: Arc<str>,
    ) -> Result<Self, Refusal> {
        let issuer = policy.issuers.get(index).ok_or(Code::InternalError)?;
        let mapping = &issuer.mapping;
        let numbers = mapping.numbers_as_text;
        let registered = Registered::read(&claims, numbers)?;
        let iss = claims
            .get("iss")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let iss = Box::<str>::from(iss);
        let auth_time = claims.get("auth_time").and_then(Value::as_milliseconds);
        let acr = claims.get("acr").and_then(Value::as_str).map(Box::from);
        let confirmation = Confirmation::read(&claims, issuer.sender);
        let claims = Value::Object(claims);
        let limits = &policy.limits;
        let context = &Context::token(limits);
        let mut subject = None;
        for source in &mapping.subject {
            if subject.is_none() {
                subject = text_at(&claims, source, numbers, limits)?;
            }
        }
        let tenants = match &mapping.tenant {
            TenantFrom::None => Vec::new(),
            TenantFrom::Fixed(tenant) => Vec::from([tenant.clone()]),
            TenantFrom::Claim(source) => Vec::from_iter(text_at(&claims, source, numbers, limits)?),
            TenantFrom::Claims(places) => words_at(&claims, places, numbers, limits)?,
        };
        let tenant = match &*tenants {
            [only] => Some(only.clone()),
            _ => None,
        };
        let roles = words_at(&claims, &mapping.roles, numbers, limits)?;
        let roles = map_roles(issuer, roles);
        let scopes = words_at(&claims, &mapping.scopes, false, limits)?;
        if let Accepts::Template(captures) = &issuer.accepts {
            admit_captures(captures, &iss, &claims, limits)?;
        }

        let token_type = types::find(issuer, &claims, header.typ, context);
        let required = token_type.clone().and_then(|found| {
            types::check_required(found, issuer, &claims, &registered.times, &scopes, context)
        });
        let principal = Principal {
            issuer: Box::from(&*issuer.name),
            iss,
            subject,
            token_type: token_type
                .as_ref()
                .ok()
                .copied()
                .flatten()
                .map(|t| t.name.clone()),
            tenant,
            tenants: tenants.into(),
            roles: roles.into(),
            scopes: scopes.into(),
            expires_at_ms: registered.times.exp,
            claims: text,
        };
        Ok(Self {
            number,
            issuer: index,
            origin: header.origin,
            headers: forward::headers(&policy.forward, &principal, &claims, limits),
            headers_of: policy
                .forward_of
                .iter()
                .map(|(_, forward)| forward::headers(forward, &principal, &claims, limits))
                .collect(),
            auth_time,
            acr,
            confirmation,
            principal: Arc::new(principal),
            audience: admit_audience(&issuer.audiences, &registered.aud),
            audiences: registered.aud,
            times: registered.times,
            jti: registered.jti,
            sub: registered.sub,
            token_type: token_type.map(|_| ()),
            required,
            kept: policy
                .kept
                .iter()
                .map(|source| keep(source, &claims, limits))
                .collect(),
            views: Vec::new(),
        })
    }

    /// Returns the value of a kept source.
    pub(crate) fn kept(&self, index: usize) -> Option<&Kept> {
        self.kept.get(index)
    }

    /// Returns the remembered view of a tenant.
    pub(crate) fn view(&self, tenant: usize) -> Option<&View> {
        self.views.get(tenant)?.as_ref()
    }

    /// Makes the view of a tenant.
    pub(crate) fn make_view(&self, policy: &Policy, tenant: usize, number: u64) -> Option<View> {
        let tenant = self.principal.tenants.get(tenant)?;
        let headers = forward::with_tenant(&self.headers, &policy.forward, tenant);
        let principal = Arc::new(Principal {
            tenant: Some(tenant.clone()),
            ..Principal::clone(&self.principal)
        });
        Some(View {
            number,
            principal,
            headers,
        })
    }

    /// Remembers the view of one of the first tenants.
    pub(crate) fn remember_view(&mut self, tenant: usize, view: &Option<View>) {
        if tenant < VIEWS {
            if self.views.len() <= tenant {
                self.views.resize_with(tenant.saturating_add(1), || None);
            }
            if let Some(place) = self.views.get_mut(tenant) {
                place.clone_from(view);
            }
        }
    }

    pub(crate) fn revocable(&self) -> Revocable<'_> {
        Revocable {
            jti: self.jti.as_deref(),
            sub: self.sub.as_deref(),
            issued_at_ms: self.times.iat,
            kid: match &self.origin {
                Origin::Key { key, .. } => key.kid.as_deref(),
                Origin::ApiKeys | Origin::Introspection { .. } => None,
            },
        }
    }

    /// Approximate bytes of memory in addition to the token, with the views to
    /// come.
    pub(crate) fn weight(&self) -> usize {
        let headers = self.headers_of.iter().chain([&self.headers]);
        let headers: usize = headers
            .flat_map(|h| h.iter())
            .map(|(_, value)| value.len())
            .sum();
        let one = self.principal.claims.len().saturating_add(headers);
        let views = match self.principal.tenants.len() {
            0 | 1 => 0,
            several => several.min(VIEWS),
        };
        let kept: usize = self.kept.iter().flatten().flatten().map(bytes).sum();
        one.saturating_add(512)
            .saturating_mul(views.saturating_add(1))
            .saturating_add(self.principal.claims.len())
            .saturating_add(kept)
    }
}

/// Approximate bytes of a kept value.
fn bytes(value: &Value<'_>) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(bytes).sum(),
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| name.len().saturating_add(bytes(value)))
            .sum(),
        _ => 0,
    };
    inside.saturating_add(64)
}

/// Reads a source for as long as the token is remembered.
pub(crate) fn keep(source: &Source, claims: &Value<'_>, limits: &Limits) -> Kept {
    match source.read(claims, limits) {
        Ok(value) => Ok(value.map(|value| value.into_owned().into_owned())),
        Err(_) => Err(()),
    }
}

impl Registered {
    fn read(claims: &Object<'_>, numbers: bool) -> Result<Self, Refusal> {
        text(claims, "iss", false)?;
        Ok(Self {
            sub: text(claims, "sub", numbers)?,
            jti: text(claims, "jti", false)?,
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

fn text(claims: &Object<'_>, name: &str, numbers: bool) -> Result<Option<Box<str>>, Refusal> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let text = text_of(value, numbers).ok_or_else(|| invalid(name))?;
    Ok(Some(text.into()))
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

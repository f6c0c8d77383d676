//! Tokens of a development issuer.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{error::Error, issuer::Issuer};

/// The contents of a token. Its claims are the defaults of the issuer, then those
/// of the type, then those given here.
#[derive(Clone, Debug, Default)]
pub struct TokenSpec {
    /// `pat` (a person's token), `njt` (lets a node join), `nat` (a node's
    /// token), `access` (RFC 9068, header `at+jwt`); any other word becomes the
    /// claim `typ`.
    pub token_type: String,
    /// `sub`; `None`: `dev-user`.
    pub subject: Option<String>,
    /// `tenant_id`; `None`: `acme`.
    pub tenant: Option<String>,
    /// `aud`; empty: that of the issuer.
    pub audience: Vec<String>,
    /// `scopes`, or `scope` of an access token; empty: those of the type.
    pub scope: Vec<String>,
    /// `roles`; empty: those of the type.
    pub role: Vec<String>,
    /// Other claims by name; they replace the ones above.
    pub claim: Vec<(String, Value)>,
    /// Members of the JOSE header by name.
    pub header: Vec<(String, Value)>,
    /// Claims that are left out.
    pub without: Vec<String>,
    /// From `iat` to `exp`, in whole seconds; `None`: that of the type.
    pub lifetime: Option<Duration>,
    /// How long ago it was issued, in whole seconds; `None`: now.
    pub age: Option<Duration>,
    /// The published key that signs; `None`: the newest.
    pub kid: Option<String>,
}

/// The defaults of a token type.
struct Preset {
    header_typ: Option<&'static str>,
    lifetime_s: u64,
    roles: &'static [&'static str],
    scopes: &'static [&'static str],
}

impl TokenSpec {
    /// A token of this type with its defaults.
    pub fn of(token_type: &str) -> Self {
        Self {
            token_type: token_type.to_owned(),
            ..Self::default()
        }
    }

    /// A signed token (compact JWS, RFC 7515 §3.1). `now_ms` is milliseconds
    /// since 1970.
    ///
    /// # Errors
    /// The issuer has no such key.
    pub fn mint(&self, issuer: &Issuer, now_ms: u64) -> Result<String, Error> {
        let signer = match &self.kid {
            None => issuer.signer()?,
            Some(kid) => issuer
                .keys
                .iter()
                .find(|key| key.kid.as_ref() == Some(kid))
                .ok_or_else(|| Error::key(format!("the issuer has no key `{kid}`")))?,
        };
        let (header, claims) = self.parts(issuer, now_ms);
        signer.sign(&header, &claims)
    }

    fn parts(&self, issuer: &Issuer, now_ms: u64) -> (Map<String, Value>, Map<String, Value>) {
        let preset = Preset::of(&self.token_type);
        let issued_at_s = (now_ms / 1000).saturating_sub(self.age.unwrap_or_default().as_secs());
        let lifetime_s = self
            .lifetime
            .map_or(preset.lifetime_s, |lifetime| lifetime.as_secs());
        let mut header = Map::new();
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);

        claim("iss", json!(issuer.url));
        claim("sub", json!(self.subject.as_deref().unwrap_or("dev-user")));
        claim("aud", audiences(&self.audience, &issuer.audience));
        claim("iat", json!(issued_at_s));
        claim("exp", json!(issued_at_s.saturating_add(lifetime_s)));
        claim("tenant_id", json!(self.tenant.as_deref().unwrap_or("acme")));
        match preset.header_typ {
            Some(typ) => {
                header.insert("typ".to_owned(), json!(typ));
                claim("scope", json!(or(&self.scope, preset.scopes).join(" ")));
            }
            None => {
                claim("typ", json!(self.token_type));
                claim("scopes", json!(or(&self.scope, preset.scopes)));
            }
        }
        let roles = or(&self.role, preset.roles);
        if !roles.is_empty() {
            claim("roles", json!(roles));
        }
        claims.extend(self.claim.iter().cloned());
        header.extend(self.header.iter().cloned());
        claims.retain(|name, _| !self.without.contains(name));
        (header, claims)
    }
}

impl Preset {
    fn of(token_type: &str) -> Self {
        let plain = Self {
            header_typ: None,
            lifetime_s: 30 * 60,
            roles: &[],
            scopes: &[],
        };
        match token_type {
            "pat" => Self {
                roles: &["editor"],
                scopes: &["api:assets:read"],
                ..plain
            },
            "njt" => Self {
                lifetime_s: 10 * 60,
                scopes: &["node:join"],
                ..plain
            },
            "nat" => Self {
                scopes: &["node:ingest"],
                ..plain
            },
            "access" => Self {
                header_typ: Some("at+jwt"),
                scopes: &["api:assets:read"],
                ..plain
            },
            _ => plain,
        }
    }
}

fn or<'a>(given: &'a [String], default: &'a [&'a str]) -> Vec<&'a str> {
    if given.is_empty() {
        default.to_vec()
    } else {
        given.iter().map(String::as_str).collect()
    }
}

fn audiences(given: &[String], default: &str) -> Value {
    match given {
        [] => json!(default),
        [one] => json!(one),
        several => json!(several),
    }
}

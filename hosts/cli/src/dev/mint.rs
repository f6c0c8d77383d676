//! Tokens of a development issuer.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use super::Issuer;
use crate::{failure::Failure, moment};

/// What to put into a token. Claims are the issuer's usual ones, then those
/// of the type, then those said one by one.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Recipe {
    /// `pat` (a person's token), `njt` (lets a node join), `nat` (a node's
    /// token), `access` (RFC 9068, header `at+jwt`); any other word becomes
    /// the claim `typ`
    #[arg(long = "type", value_name = "TYPE", default_value = "pat")]
    pub(crate) kind: String,
    /// `sub`
    #[arg(long, value_name = "ID")]
    pub(crate) subject: Option<String>,
    /// `tenant_id`
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<String>,
    /// `aud`, repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Vec<String>,
    /// One of `scopes`, repeatable
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,
    /// One of `roles`, repeatable
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<String>,
    /// Any claim; the value is JSON where it reads as JSON, or else text
    #[arg(long, value_name = "NAME=VALUE", value_parser = member)]
    pub(crate) claim: Vec<(String, Value)>,
    /// Any member of the JOSE header, in the same way
    #[arg(long = "jose", value_name = "NAME=VALUE", value_parser = member)]
    pub(crate) header: Vec<(String, Value)>,
    /// Leave this claim out
    #[arg(long, value_name = "NAME")]
    pub(crate) without: Vec<String>,
    /// How long it is good for, from when it was issued
    #[arg(long, value_name = "DURATION", value_parser = moment::parse_duration)]
    pub(crate) expires: Option<Duration>,
    /// As if it had been issued this long ago
    #[arg(long, value_name = "DURATION", value_parser = moment::parse_duration)]
    pub(crate) age: Option<Duration>,
    /// Sign with this published key instead of the newest
    #[arg(long, value_name = "KID")]
    pub(crate) kid: Option<String>,
}

/// What a type of token has unless it is said otherwise.
struct Preset {
    header_typ: Option<&'static str>,
    lifetime_s: u64,
    roles: &'static [&'static str],
    scopes: &'static [&'static str],
}

impl Recipe {
    /// A token of this type.
    pub(crate) fn of(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            ..Self::default()
        }
    }

    /// A signed token.
    pub(crate) fn mint(&self, issuer: &Issuer, now_ms: u64) -> Result<String, Failure> {
        let signer = match &self.kid {
            None => issuer.signer()?,
            Some(kid) => issuer
                .keys
                .iter()
                .find(|key| key.kid.as_ref() == Some(kid))
                .ok_or_else(|| Failure::usage(format!("the issuer has no key `{kid}`")))?,
        };
        let (header, claims) = self.parts(issuer, now_ms);
        signer.sign(&header, &claims).map_err(Failure::Usage)
    }

    fn parts(&self, issuer: &Issuer, now_ms: u64) -> (Map<String, Value>, Map<String, Value>) {
        let preset = Preset::of(&self.kind);
        let issued_at_s = (now_ms / 1000).saturating_sub(self.age.unwrap_or_default().as_secs());
        let lifetime_s = self
            .expires
            .map_or(preset.lifetime_s, |expires| expires.as_secs());
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
                claim("typ", json!(self.kind));
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
    fn of(kind: &str) -> Self {
        let plain = Self {
            header_typ: None,
            lifetime_s: 30 * 60,
            roles: &[],
            scopes: &[],
        };
        match kind {
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

fn or<'a>(said: &'a [String], usual: &'a [&'a str]) -> Vec<&'a str> {
    if said.is_empty() {
        usual.to_vec()
    } else {
        said.iter().map(String::as_str).collect()
    }
}

fn audiences(said: &[String], usual: &str) -> Value {
    match said {
        [] => json!(usual),
        [one] => json!(one),
        several => json!(several),
    }
}

fn member(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    Ok((name.to_owned(), value))
}

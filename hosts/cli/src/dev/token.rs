//! The arguments of a token.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use countersign_dev_issuer::TokenSpec;
use serde_json::{Value, json};

use crate::moment;

/// The contents of a token. Its claims are the defaults of the issuer, then those
/// of the type, then those of the arguments.
#[derive(Args, Debug)]
pub(super) struct TokenArgs {
    /// `pat` (a person's token), `njt` (lets a node join), `nat` (a node's
    /// token), `access` (RFC 9068, header `at+jwt`); any other word becomes
    /// the claim `typ`
    #[arg(long = "type", value_name = "TYPE", default_value = "pat")]
    token_type: String,
    /// `sub`
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// `tenant_id`
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// `aud`, repeatable
    #[arg(long, value_name = "NAME")]
    audience: Vec<String>,
    /// One of `scopes`, repeatable
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// One of `roles`, repeatable
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    /// Any claim; the value is JSON if it parses as JSON, or else text
    #[arg(long, value_name = "NAME=VALUE", value_parser = member)]
    claim: Vec<(String, Value)>,
    /// Any member of the JOSE header, in the same way
    #[arg(long = "jose", value_name = "NAME=VALUE", value_parser = member)]
    header: Vec<(String, Value)>,
    /// Leave this claim out
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Its lifetime, counted from when it was issued
    #[arg(long, value_name = "DURATION", value_parser = moment::parse_duration)]
    expires: Option<Duration>,
    /// As if it had been issued this long ago
    #[arg(long, value_name = "DURATION", value_parser = moment::parse_duration)]
    age: Option<Duration>,
    /// Sign with this published key instead of the newest
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
    /// Bind it to a client's key, and print a proof for this request too (DPoP, RFC 9449):
    /// `GET https://api.example.com/assets`
    #[arg(long, value_name = "METHOD URL", value_parser = line)]
    pub(super) dpop: Option<(String, String)>,
    /// The file of the client's key; by default a new key that is not kept
    #[arg(long, value_name = "FILE", requires = "dpop")]
    pub(super) dpop_key: Option<PathBuf>,
    /// The nonce of the server's last response
    #[arg(long, value_name = "NONCE", requires = "dpop")]
    pub(super) dpop_nonce: Option<String>,
    /// Bind it to this certificate of a client (RFC 8705): PEM or DER
    #[arg(long, value_name = "FILE")]
    pub(super) client_cert: Option<PathBuf>,
}

impl TokenArgs {
    pub(super) fn into_spec(self) -> TokenSpec {
        TokenSpec {
            token_type: self.token_type,
            subject: self.subject,
            tenant: self.tenant,
            audience: self.audience,
            scope: self.scope,
            role: self.role,
            claim: self.claim,
            header: self.header,
            without: self.without,
            lifetime: self.expires,
            age: self.age,
            kid: self.kid,
        }
    }
}

fn line(text: &str) -> Result<(String, String), String> {
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        [method, url] => Ok(((*method).to_owned(), (*url).to_owned())),
        _ => Err("expected a method and a URL".to_owned()),
    }
}

fn member(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    Ok((name.to_owned(), value))
}

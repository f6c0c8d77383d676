//! The configuration: one file, every problem with its place.
//!
//! Each section is a file with a `read` of its own; [`parse`] puts them together.

mod clients;
mod database;
mod exchange;
mod issuer;
mod keys;
mod limits;
mod login;
mod organisations;
mod pairing;
mod parse;
mod revocations;
mod tokens;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

pub use countersign_server::{ConfigError, Secret, Tls};
use ipnet::IpNet;

pub use clients::{ClientConfig, ClientCredentials, GrantType};
pub(crate) use clients::{NODE_PREFIX, PERSON_PREFIX, is_client_id, is_scope};
pub use database::{Database, DatabaseFrom};
pub(crate) use exchange::Pairs;
pub use exchange::{AppAssertions, Exchange, OwnTokens, TrustedIssuer};
pub use issuer::IssuerUrl;
pub(crate) use keys::REFRESH_S;
pub use keys::{Algorithm, KeySettings};
pub use limits::Limits;
pub(crate) use login::is_askable;
pub use login::{Login, ProviderConfig, Tenancy};
pub use organisations::Organisations;
pub use pairing::Pairing;
pub use revocations::{ApiKeySettings, Pepper, RevocationSettings};
pub(crate) use tokens::LONGEST_S;
pub use tokens::TokenSettings;

/// The JSON Schema of the configuration, for editors.
pub const CONFIG_SCHEMA: &str = include_str!("schema.json");

/// What a bridge is started with: [`Config::parse`] reads it from one YAML file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// `iss` of its tokens, and where it is reached.
    pub issuer: IssuerUrl,
    /// Where it listens.
    pub listen: SocketAddr,
    /// TLS on the listener.
    pub tls: Option<Tls>,
    /// Proxies before it, whose `x-forwarded-for` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub operations: Option<SocketAddr>,
    /// Its database.
    pub database: Database,
    /// Seal what is secret in the database: the first seals, all open.
    pub master_keys: Vec<Secret>,
    /// The keys that sign tokens.
    pub keys: KeySettings,
    /// The tokens.
    pub tokens: TokenSettings,
    /// Who may ask at the token endpoint, by client id.
    pub clients: BTreeMap<String, ClientConfig>,
    /// Where gates find what is revoked.
    pub revocations: RevocationSettings,
    /// API keys, where there are any.
    pub api_keys: Option<ApiKeySettings>,
    /// Pairing of nodes; without it there is none.
    pub pairing: Option<Pairing>,
    /// Login, sessions and members.
    pub login: Login,
    /// Token exchange.
    pub exchange: Exchange,
    /// The audit.
    pub audit: Audit,
    /// Limits.
    pub limits: Limits,
}

/// The record of what was issued, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// How long the database keeps it.
    pub keep_days: u32,
    /// How long it keeps that a token was issued: nodes that renew make most of the rows.
    pub keep_tokens_days: u32,
    /// Where each entry is written as a line of JSON too; `-` is the standard output.
    pub file: Option<PathBuf>,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            keep_days: 400,
            keep_tokens_days: 30,
            file: None,
        }
    }
}

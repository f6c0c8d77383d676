//! The auth bridge: login by any OpenID Connect provider, and tokens that gates verify.
//!
//! It is no identity provider: it has no passwords and no directory of users. Every token
//! that it accepts is verified by the sealed module through a gate; every token that it
//! makes is of one class ([`Class`]), short-lived, and recorded. Each room uses those above
//! it in the list of `tests/rooms`.
#![forbid(unsafe_code)]

mod app;
mod audit;
mod bridge;
mod clients;
mod clock;
mod config;
mod egress;
mod exchange;
mod form;
mod gates;
mod keys;
mod listen;
mod login;
mod machines;
mod members;
mod mint;
mod operations;
mod peer;
mod providers;
mod published;
mod refusal;
mod reply;
mod router;
mod seal;
mod sessions;
mod store;
mod subjects;
mod token;

pub use app::Parts;
pub use bridge::{Bridge, Listener};
pub use clock::{Clock, SystemClock};
pub use config::{
    Algorithm, AppAssertions, Audit, CONFIG_SCHEMA, ClientConfig, ClientCredentials, Config,
    ConfigError, Database, DatabaseFrom, Exchange, GrantType, IssuerUrl, KeySettings, Limits,
    Login, OwnTokens, ProviderConfig, Secret, Tenancy, Tls, TokenSettings, TrustedIssuer,
};
pub use keys::{KeysError, Rotated};
pub use mint::{Class, gate_policy};

//! The auth bridge: login by any OpenID Connect provider, and tokens that gates verify.
//!
//! It is no identity provider: it has no passwords and no directory of users. Every token
//! that it accepts is verified by the sealed module through a gate; every token that it
//! makes is of one class ([`Class`]), short-lived, and recorded. Each room uses those above
//! it in the list of `tests/rooms`.
#![forbid(unsafe_code)]

mod api_keys;
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
mod introspect;
mod keys;
mod listen;
mod login;
mod machines;
mod members;
mod metrics;
mod mint;
mod node_gate;
mod operations;
mod own;
mod own_keys;
mod own_providers;
mod pairing;
mod peer;
mod people;
mod providers;
mod published;
mod refusal;
mod reply;
mod revocation;
mod revoke;
mod router;
mod seal;
mod sessions;
mod snapshot;
mod store;
mod subjects;
mod token;

pub use app::Parts;
pub use bridge::{Bridge, Listener, RevokeError};
pub use clock::{Clock, SystemClock};
pub use config::{
    Algorithm, ApiKeySettings, AppAssertions, Audit, CONFIG_SCHEMA, ClientConfig,
    ClientCredentials, Config, ConfigError, Database, DatabaseFrom, Exchange, GrantType, IssuerUrl,
    KeySettings, Limits, Login, Organisations, OwnTokens, Pairing, Pepper, ProviderConfig,
    RevocationSettings, Secret, Tenancy, Tls, TokenSettings, TrustedIssuer,
};
pub use keys::{KeysError, Rotated};
pub use members::Membership;
pub use mint::{Class, gate_policy};
pub use people::{Asked, People, Unknown};
pub use published::OPENAPI;
pub use revocation::Revoke;
pub use sessions::Session;

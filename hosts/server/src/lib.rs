//! A decision server: proxies that cannot load the module ask it, each in its own
//! dialect, and the same sealed module decides.
//!
//! The server has no logic of tokens or policies. A dialect turns what a proxy
//! sends into the request that its client sent, or refuses it where that can be read in
//! more than one way, and turns the gate's decision into what that proxy understands.
#![forbid(unsafe_code)]

mod admin;
mod config;
mod dialect;
mod files;
mod grpc;
mod introspection;
mod journal;
mod listen;
mod metrics;
mod operations;
mod peer;
mod policies;
mod run;
mod serve;
mod tls;
mod told;

pub use config::{
    Address, CONFIG_SCHEMA, Config, ConfigError, DecisionLogTo, DialectName, Fact, Introspection,
    IntrospectionClient, IntrospectionCredentials, Limits, PolicyFiles, PolicyFrom, Secret, Signed,
    SignedFrom, Tls,
};
pub use countersign_host::Signatures;
pub use countersign_policy_source::{Position, Problem};
pub use listen::Listener;
pub use policies::{Outcome, Reloaded};
pub use serve::Server;

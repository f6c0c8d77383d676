//! A decision server: proxies that cannot load the module ask it, each in its own
//! dialect, and the same sealed module decides.
//!
//! The server has no logic of tokens or policies. A dialect turns what a proxy
//! sends into the request that its client sent, or refuses it where that can be read in
//! more than one way, and turns the gate's decision into what that proxy understands.
#![forbid(unsafe_code)]

mod config;
mod dialect;
mod introspection;
mod listen;
mod peer;
mod policies;
mod secret;
mod serve;

pub use config::{Address, Config, ConfigError, DialectName, PolicyFiles};
pub use introspection::{ClientConfig, IntrospectionConfig};
pub use listen::Listener;
pub use policies::Policies;
pub use secret::SecretSource;
pub use serve::Server;

//! The proxy's half of a decision server, generated from the policy.
//!
//! A proxy that asks a decision server must say exactly the request that its backend
//! will see, must remove what a client could forge, and must refuse everything
//! when the server is down. This library prints a configuration that does, with
//! comments, and refuses a policy that needs what the proxy cannot do. It reads no file,
//! prints nothing and decides nothing: `countersign proxy-config` does the rest.
//!
//! ```
//! use countersign_proxy_config::{Kind, Options, generate};
//!
//! let policy = serde_json::json!({
//!     "contract": "1",
//!     "rules": [{ "path": "/**", "require": {} }],
//!     "forward": { "x-auth-subject": "subject" },
//! });
//! let generated = generate(Kind::Nginx, &policy, &Options::default())?;
//! assert!(generated.text.contains("proxy_set_header X-Auth-Subject"));
//! # Ok::<(), countersign_proxy_config::Refused>(())
//! ```
#![forbid(unsafe_code)]

mod attacks;
mod caddy;
mod envoy;
mod envoy_gateway;
mod facts;
mod forged;
mod gateway_api;
mod haproxy;
mod headers;
mod istio;
mod kind;
mod names;
mod nginx;
mod options;
mod problem;
mod server;
mod service;
mod template;
mod traefik;

pub use attacks::{
    Aim, Attack, Credential, Expected, MARK, Probe, Seen, attacks, findings, while_down,
};
pub use kind::Kind;
pub use options::{Options, Version};
pub use problem::{Generated, Problem, Refused};
pub use server::ServerAddress;

use serde_json::Value;

use self::{envoy::Protocol, facts::Facts, problem::Problems};

/// The configuration of a proxy for this policy, which must have no problems of its own
/// (`countersign policy lint`).
///
/// # Errors
/// What this proxy, or this version of it, cannot do for this policy.
pub fn generate(kind: Kind, policy: &Value, options: &Options) -> Result<Generated, Refused> {
    let facts = Facts::of(policy);
    let mut problems = Problems::default();
    let text = match kind {
        Kind::EnvoyGrpc => envoy::write(Protocol::Grpc, &facts, options, &mut problems),
        Kind::EnvoyHttp => envoy::write(Protocol::Http, &facts, options, &mut problems),
        Kind::EnvoyGateway => envoy_gateway::write(&facts, options, &mut problems),
        Kind::GatewayApi => gateway_api::write(&facts, options, &mut problems),
        Kind::Istio => istio::write(&facts, options, &mut problems),
        Kind::Caddy => caddy::write(&facts, options, &mut problems),
        Kind::Haproxy => haproxy::configuration(&facts, options, &mut problems),
        Kind::HaproxyLua => haproxy::action(options, &mut problems),
        Kind::Nginx => nginx::write(&facts, options, &mut problems),
        Kind::Traefik => traefik::write(&facts, options, &mut problems),
    };
    problems.finish(text)
}

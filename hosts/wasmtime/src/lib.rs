//! Countersign in a Rust service: who issued this token, for whom, with which
//! scopes, and whether this request may pass.
//!
//! Decisions come from the sealed module (its digest is [`SHA256`]), run in
//! wasmtime; this crate passes requests to it, fetches the documents that the
//! gate needs, and turns decisions into HTTP. It verifies nothing itself. Each
//! module uses those above it in the list of `tests/rooms`.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use countersign_host::{Decision, Gate};
//!
//! let policy = r#"{
//!     "contract": "1",
//!     "issuers": [{
//!         "name": "platform",
//!         "issuer": "https://auth.example.com",
//!         "audiences": ["platform"],
//!         "algorithms": ["RS256"],
//!         "keys": { "jwks_uri": "https://auth.example.com/.well-known/jwks.json" }
//!     }],
//!     "credentials": [{ "header": "authorization", "scheme": "Bearer" }],
//!     "rules": [
//!         { "path": "/healthz", "public": true },
//!         { "path": "/assets/**", "require": { "scopes": { "all": ["api:assets:read"] } } }
//!     ],
//!     "default": "deny"
//! }"#;
//! let gate = Gate::builder().policy(policy).build().await?;
//!
//! let request = http::Request::get("/healthz").body(())?;
//! assert!(gate.check(&request).await.grant().is_some());
//!
//! let request = http::Request::get("/assets/logo.svg").body(())?;
//! match gate.check(&request).await {
//!     Decision::Allow(grant) => println!("{:?} may pass", grant.principal),
//!     Decision::Deny(denial) => assert_eq!((denial.status, &*denial.code), (401, "token_missing")),
//!     Decision::Answer(_) => println!("the gate answers it itself"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! With axum or another tower service: [`GateLayer`], and `examples/axum.rs`.
//!
//! - **Documents** are fetched in the background, on monotonic timers; a process
//!   that is frozen between requests needs [`Refresh::Inline`]. A large one is
//!   read bit by bit, and the old one is in force meanwhile.
//! - **Requests wait** for documents in a room for each issuer, so that one that
//!   does not respond affects only its own callers ([`GateBuilder::max_waiting`]).
//! - **Policies as YAML text**: the feature `yaml`, off by default.
//! - `{:?}` of anything here prints neither a token nor a claim.
#![forbid(unsafe_code)]

mod background;
mod bindings;
#[cfg(feature = "tower")]
mod body;
mod clock;
mod decision;
mod document;
#[cfg(test)]
mod faults;
mod fetch;
mod flights;
mod gate;
mod generation;
mod grants;
#[cfg(feature = "tower")]
mod headers;
#[cfg(feature = "https")]
mod https;
mod instance;
mod journal;
#[cfg(feature = "tower")]
mod layer;
mod module;
#[cfg(feature = "axum")]
mod nested;
mod pool;
mod problem;
mod random;
mod report;
mod request;
mod requirement;
mod rooms;
mod settings;
#[cfg(feature = "yaml")]
pub mod yaml;

#[cfg(feature = "tower")]
pub use body::GatedBody;
pub use decision::{Answer, Answered, Change, Decision, Denial, Grant, Principal};
pub use document::{DocumentKind, DocumentStatus, Fetch, Outcome, Response, Supplied};
pub use fetch::{FetchError, Fetcher, Fetching};
pub use gate::{Gate, GateBuilder};
#[cfg(feature = "https")]
pub use https::HttpsFetcher;
pub use instance::{Instance, inspect, lint};
#[cfg(feature = "tower")]
pub use layer::{GateLayer, GateService};
pub use module::{INTERFACE, POLICY_SCHEMA, SHA256};
pub use problem::{OpenError, Problem, Severity, Trap};
pub use report::{Inspection, Step, Verdict};
pub use request::{Header, Request};
pub use requirement::Requirement;
pub use settings::Refresh;

/// The README's example compiles.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;

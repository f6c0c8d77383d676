//! Countersign in a Rust service: who issued this token, for whom, with which
//! scopes, and whether this request may pass.
//!
//! Decisions come from the sealed module (its digest is [`SHA256`]), run in
//! wasmtime; this crate passes requests to it, fetches the documents that the
//! gate needs, and turns decisions into HTTP. It decides nothing itself. Each
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
//! - **Signatures** are verified by the module, or by AWS-LC ([`Signatures`]; the
//!   features `native` and `fips`, off by default).
//! - **Policies as YAML text**: the feature `yaml`, off by default.
//! - **Events** of decisions and documents, a decision log, a candidate in shadow,
//!   readiness: [`GateBuilder::on_decision`], [`DecisionLog`],
//!   [`GateBuilder::shadow`], [`Gate::ready`]. OpenTelemetry: the feature
//!   `opentelemetry`, off by default.
//! - **Signed policies** from a file or an address: [`PolicySource`].
//! - `{:?}` of anything here prints neither a token nor a claim.
#![forbid(unsafe_code)]

mod background;
mod bindings;
#[cfg(feature = "tower")]
mod body;
mod clock;
mod connection;
mod decision;
mod document;
mod event;
#[cfg(test)]
mod faults;
mod fetch;
mod flights;
mod gate;
mod generation;
mod grants;
#[cfg(feature = "tower")]
mod headers;
mod hooks;
#[cfg(feature = "https")]
mod https;
mod instance;
mod journal;
#[cfg(feature = "tower")]
mod layer;
mod log;
mod module;
mod need;
#[cfg(feature = "axum")]
mod nested;
mod pool;
mod problem;
mod proofs;
mod random;
#[cfg(feature = "tower")]
mod ready;
mod report;
mod request;
mod requirement;
mod rooms;
mod secrets;
mod settings;
mod signatures;
mod source;
#[cfg(feature = "opentelemetry")]
mod telemetry;
mod uri;
#[cfg(feature = "yaml")]
pub mod yaml;

#[cfg(feature = "tower")]
pub use body::GatedBody;
pub use connection::Connection;
pub use decision::{Answer, Answered, Change, Decision, Denial, Grant, Principal};
pub use document::{Accepted, DocumentKind, DocumentStatus, Fetch, Outcome, Response, Supplied};
pub use event::{
    Comparison, DecisionEvent, DecisionKind, DocumentEvent, DocumentOutcome, Facts, MatchedRule,
    Mode,
};
pub use fetch::{FetchError, Fetcher, Fetching, Reason};
pub use gate::{Gate, GateBuilder, ShadowCount, ShadowStatus, Status};
#[cfg(feature = "https")]
pub use https::HttpsFetcher;
pub use instance::{Instance, SignedPolicy, inspect, lint, open_signed, policy_digest};
#[cfg(feature = "tower")]
pub use layer::{GateLayer, GateService, Observed};
pub use log::{DecisionLog, DecisionLogBuilder};
pub use module::{INTERFACE, POLICY_SCHEMA, SHA256};
pub use need::{Need, Outgoing};
pub use problem::{OpenError, Problem, Severity, Trap};
pub use proofs::{FirstUse, Proof, ProofStore};
#[cfg(feature = "tower")]
pub use ready::ReadyService;
pub use report::{Inspection, Step, Verdict};
pub use request::{Header, Request};
pub use requirement::Requirement;
pub use settings::Refresh;
pub use signatures::{Cryptography, Signatures};
pub use source::{PolicySource, SourceStatus};
#[cfg(feature = "opentelemetry")]
pub use telemetry::Telemetry;

/// The README's example compiles.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;

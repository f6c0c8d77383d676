//! A first policy for an identity provider: what its tokens look like is known,
//! only the names of one's own tenant, API or project are asked for.
//!
//! Each provider is a YAML file in `providers/` whose comments explain every
//! line, and a row in `list.rs`; `tests/providers` holds it to tokens of the
//! documented shape. A new provider needs these three. This library reads no file, prints nothing and
//! asks nobody: `countersign init` does.
//!
//! ```
//! let auth0 = countersign_init::provider("auth0").unwrap();
//! let given = [("domain", "acme.eu.auth0.com"), ("audience", "https://api.example.com")];
//! let policy = auth0.policy(&given)?;
//! assert!(policy.contains(r#"issuer: "https://acme.eu.auth0.com/""#));
//!
//! let missing = auth0.policy(&given[..1]).unwrap_err().to_string();
//! assert!(missing.contains("--audience"));
//! # Ok::<(), countersign_init::Error>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod kind;
mod list;
mod provider;
mod template;
mod value;

pub use error::Error;
pub use list::{PROVIDERS, provider};
pub use provider::Provider;
pub use value::Value;

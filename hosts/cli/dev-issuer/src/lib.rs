//! A development issuer: keys, the documents that it publishes, tokens, rotation.
//!
//! With a [`Provider`] people sign in: the responses of an OpenID provider, without
//! passwords.
//!
//! For development and for tests, never for production: the private keys are in
//! a file. Nothing here verifies a token, and nothing opens a socket: a caller
//! publishes [`Issuer::document`], or sends what [`Provider::answer`] returns. The
//! library reads and writes only the
//! directory that it is given, and prints nothing.
//!
//! ```
//! use countersign_dev_issuer::{Issuer, TokenSpec};
//!
//! let mut issuer = Issuer::new("http://127.0.0.1:8181", "platform", "EdDSA")?;
//! let token = TokenSpec::of("access").mint(&issuer, 1_790_000_000_000)?;
//! assert_eq!(token.split('.').count(), 3);
//! // The old key stays published, the new one signs.
//! issuer.rotate("ES256", false)?;
//! let keys = issuer.document("/.well-known/jwks.json").unwrap();
//! assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
//! assert_eq!(issuer.signer()?.algorithm(), "ES256");
//! # Ok::<(), countersign_dev_issuer::Error>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod issuer;
mod proof;
mod provider;
mod signer;
mod template;
mod token;

pub use error::Error;
pub use issuer::Issuer;
pub use proof::{ProofKey, Proven};
pub use provider::{Client, Fault, Person, Provider, Settings};
pub use signer::{PUBLISHABLE, Signer};
pub use template::{id_token_policy, starter_policy};
pub use token::TokenSpec;

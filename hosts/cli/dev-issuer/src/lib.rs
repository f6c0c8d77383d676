//! A development issuer: keys, the documents that it publishes, tokens, rotation.
//!
//! For development and for tests, never for production: the private keys are in
//! a file. Nothing here verifies a token, and nothing opens a socket: a caller
//! publishes [`Issuer::document`]. The library reads and writes only the
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
mod signer;
mod template;
mod token;

pub use error::Error;
pub use issuer::Issuer;
pub use proof::{ProofKey, Proven};
pub use signer::{PUBLISHABLE, Signer};
pub use template::starter_policy;
pub use token::TokenSpec;

//! A development issuer: keys, the documents that it publishes, tokens, rotation.
//!
//! For development and for tests, never for production: the private keys are in
//! a file. Nothing here verifies a token, and nothing opens a socket: a caller
//! publishes [`Issuer::document`]. The library reads and writes only the
//! directory that it is given, and prints nothing.
#![forbid(unsafe_code)]

mod error;
mod issuer;
mod signer;
mod template;
mod token;

pub use error::Error;
pub use issuer::Issuer;
pub use signer::{PUBLISHABLE, Signer};
pub use template::starter_policy;
pub use token::TokenSpec;

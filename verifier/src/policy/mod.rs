//! Parses a policy into the model and reports all its problems. Only this room
//! knows the policy's JSON. Uses `base`, `json`, `jose`, `model` and `request`.

mod accepts;
mod api_keys;
mod challenge;
mod claims;
mod codes;
mod conditions;
mod credentials;
mod digest;
mod fields;
mod grammar;
mod headers;
mod introspection;
mod issuers;
mod keys;
mod names;
mod opener;
mod parse;
mod pattern;
mod reach;
mod reader;
mod report;
mod requirement;
mod rules;
mod secrets;
mod sender;
mod signatures;
mod signed;
mod suggest;
mod token_types;
mod tokens;
mod values;

pub(crate) use digest::digest;
pub use digest::policy_digest;
pub use opener::Host;
pub(crate) use opener::Opener;
pub use parse::{lint, policy_json};
pub(crate) use parse::{parse, parse_requirement};
pub use signed::{SignedPolicy, open_signed};

/// The JSON Schema (2020-12) of the policy. A test compares it with the parser.
pub const POLICY_SCHEMA: &str = include_str!("../../policy.schema.json");

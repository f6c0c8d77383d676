//! Reads a policy's text, once, into the model, and says all that is wrong with
//! it. Uses `base`, `json`, `jose`, `model` and `request`.

mod claims;
mod codes;
mod fields;
mod grammar;
mod headers;
mod issuers;
mod keys;
mod names;
mod parse;
mod pattern;
mod reach;
mod reader;
mod report;
mod requirement;
mod rules;
mod suggest;
mod token_types;

pub use parse::{lint, policy_json};
pub(crate) use parse::{parse, parse_requirement};

/// JSON Schema (2020-12) of the policy; a test holds it against the parser.
pub const POLICY_SCHEMA: &str = include_str!("../../policy.schema.json");

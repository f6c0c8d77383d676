//! The token checks of Envoy (`jwt_authn` and RBAC filters) or Istio
//! (`RequestAuthentication` and `AuthorizationPolicy`) as a policy.
//!
//! The policy admits nothing that the input denies, but for claims with a line
//! break: a dot of a regular expression, and Istio's `*`, do not match one. What
//! a policy cannot express is denied, and every difference is reported with its
//! position in the input ([`Imported::notes`]).
//!
//! This library reads no file, prints nothing and decides nothing. It uses
//! `countersign-policy-source`, for positions and for the gate's own lint of the
//! result.
//!
//! ```
//! use countersign_importer::{Options, from_istio};
//! use countersign_policy_source::Source;
//!
//! let text = r#"
//! kind: RequestAuthentication
//! spec: { jwtRules: [{ issuer: "https://auth.example.com" }] }
//! "#;
//! let documents = Source::parse_foreign("istio.yaml", text.into()).unwrap();
//! let imported = from_istio(documents, &Options::default()).unwrap();
//! assert_eq!(imported.policy["issuers"][0]["issuer"], "https://auth.example.com");
//! // Istio accepts a token in the query too: the policy does not, and says so.
//! assert!(imported.notes.iter().any(|note| note.code == "stricter"));
//! ```
#![forbid(unsafe_code)]

mod access;
mod bounds;
mod claim;
mod credentials;
mod envoy;
mod formula;
mod forward;
mod gateway;
mod input;
mod istio;
mod keys;
mod options;
mod path;
mod place;
mod plugin;
mod policy;
mod provider;
mod request;
mod required;
mod requirement;
mod rewrite;
mod rule;
#[cfg(test)]
mod tests;
mod text;
mod tokens;

use std::{error, fmt};

use countersign_policy_source::{Problem, Source};
use serde_json::{Value, json};

use self::{
    input::{Document, Notes},
    plugin::Plugin,
};

pub use options::Options;

/// A policy made from another configuration.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The policy, which [`Source::lint`] finds no error in. Its members are in
    /// the order in which people read them.
    pub policy: Value,
    /// What only the filter in Envoy needs: `clusters`, `bypass_cors_preflight`.
    pub envoy: Value,
    /// The differences between input and policy, in the order of the input. The
    /// code is `stricter` (requests that passed are denied), `changed` (a caller
    /// can observe a difference), `dropped` (it takes no part in decisions) or
    /// `rewritten` (a route serves another path or host than is judged).
    pub notes: Vec<Problem>,
}

/// Why no policy was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The document of this name is not JSON.
    NotJson(String),
    /// The input has nothing that could be imported.
    Empty,
    /// The problems, at least one of which is an error: either of code
    /// `refused`, or what the gate finds wrong with the resulting policy.
    Refused(Vec<Problem>),
}

/// The policy for the one filter chain with `jwt_authn` in an Envoy
/// configuration (a whole bootstrap file, or a part of it such as a listener).
///
/// # Errors
/// The input has no such chain or several, or no sound policy can be made of it.
pub fn from_envoy(document: Source, options: &Options) -> Result<Imported, Error> {
    let notes = Notes::default();
    let documents = documents([document])?;
    let plugin = documents
        .first()
        .and_then(|document| envoy::plugin(document, &notes, options));
    finish(plugin, notes)
}

/// The policy for one workload, of Istio's resources: one in each document, or
/// several in a `List`.
///
/// # Errors
/// The resources are for several workloads and `options` choose none, or no
/// sound policy can be made of them.
pub fn from_istio(sources: Vec<Source>, options: &Options) -> Result<Imported, Error> {
    let notes = Notes::default();
    let plugin = istio::plugin(&documents(sources)?, &notes, options);
    finish(plugin, notes)
}

fn documents(sources: impl IntoIterator<Item = Source>) -> Result<Vec<Document>, Error> {
    let document = |source: Source| {
        let name = source.name.clone();
        Document::new(source).ok_or(Error::NotJson(name))
    };
    sources.into_iter().map(document).collect()
}

fn finish(plugin: Option<Plugin>, notes: Notes) -> Result<Imported, Error> {
    let mut imported = made(plugin, notes)?;
    let text = imported.policy.to_string().into_bytes();
    let found = Source::from_json("the imported policy", text).lint();
    if found.iter().any(|problem| problem.is_error) {
        imported.notes.extend(found);
        return Err(Error::Refused(imported.notes));
    }
    Ok(imported)
}

fn made(plugin: Option<Plugin>, notes: Notes) -> Result<Imported, Error> {
    let mut notes = notes.into_problems();
    notes.sort_by_key(|note| note.position.map(|at| (at.line, at.column)));
    if notes.iter().any(|note| note.is_error) {
        return Err(Error::Refused(notes));
    }
    let plugin = plugin.ok_or(Error::Empty)?;
    Ok(Imported {
        policy: json!(plugin.policy),
        envoy: json!(plugin.envoy),
        notes,
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(name) => write!(f, "`{name}` is not JSON"),
            Self::Empty => f.write_str("there is nothing to import"),
            Self::Refused(problems) => write!(f, "the import has {} problems", problems.len()),
        }
    }
}

impl error::Error for Error {}

//! Another configuration, as a policy.
//!
//! The policy admits nothing that the input denies. What it cannot say is
//! denied, and everything that becomes different is told with its place.

mod access;
mod envoy;
mod formula;
mod input;
mod istio;
mod keys;
mod path;
mod place;
mod plugin;
mod policy;
mod provider;
mod request;
mod requirement;
mod rewrite;
mod rule;
mod shape;
mod text;
mod tokens;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use self::{
    input::{Document, Notes},
    plugin::Plugin,
};
use crate::{
    Exit, Output,
    failure::{self, Failure, Problem},
    session,
    source::{Source, to_yaml},
};

#[derive(Subcommand, Debug)]
#[command(after_help = "\
    The policy goes to the standard output; what it says otherwise than the input goes beside it, a \
    line each:\n  \
    stricter  requests that passed are denied\n  \
    changed   somebody could tell the difference\n  \
    dropped   it takes no part in decisions\n  \
    rewritten a route serves another path or host than is judged\n  \
    refused   nothing sound can be made of it: there is no policy")]
pub(crate) enum Import {
    /// `jwt_authn` and RBAC filters of an Envoy configuration
    Envoy(ImportArgs),
    /// `RequestAuthentication` and `AuthorizationPolicy` of Istio, for one workload
    Istio(ImportArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// YAML, of which Istio's may have several documents, or JSON; `-` for the standard input
    file: PathBuf,
    #[command(flatten)]
    options: Options,
}

#[derive(Args, Debug)]
struct Options {
    /// Print the configuration of the filter in Envoy: the policy, and who fetches its documents
    #[arg(long)]
    plugin: bool,
    /// What issuers sign with, where the input has not their keys: RS256 unless said, repeatable
    #[arg(long, value_name = "ALG")]
    algorithm: Vec<String>,
    /// A claim that is always a list, never a text of words, as `groups` or `/realm/roles`, repeatable
    #[arg(long, value_name = "CLAIM")]
    list_claim: Vec<String>,
    /// A prefix such as `/api` means `/api` and what is below it, not `/apis`
    #[arg(long)]
    whole_segments: bool,
    /// Read tokens of every issuer from every place that one of them has
    #[arg(long)]
    all_places: bool,
    /// Of several listeners, the one at this JSON Pointer or below
    #[arg(long, value_name = "POINTER", help_heading = "Envoy")]
    at: Option<String>,
    /// The workload's namespace
    #[arg(long, value_name = "NAME", help_heading = "Istio")]
    namespace: Option<String>,
    /// A label of the workload, repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = label, help_heading = "Istio")]
    label: Vec<(String, String)>,
    /// What the resources are attached to, such as `Gateway/ingress`
    #[arg(long, value_name = "KIND/NAME", help_heading = "Istio")]
    target: Option<String>,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(crate) fn run(command: &Import, output: Output) -> Result<Exit, Failure> {
    let notes = Notes::default();
    let (Import::Envoy(args) | Import::Istio(args)) = command;
    let options = &args.options;
    let plugin = match command {
        Import::Envoy(_) => {
            let documents = documents(Source::read_documents(&args.file)?)?;
            documents
                .first()
                .and_then(|document| envoy::plugin(document, &notes, options))
        }
        Import::Istio(_) => {
            let documents = documents(Source::read_documents(&args.file)?)?;
            istio::plugin(&documents, &notes, options)
        }
    };
    let mut problems = notes.into_problems();
    problems.sort_by_key(|problem| problem.position.map(|at| (at.line, at.column)));
    let is_refused = problems.iter().any(|problem| problem.is_error);
    match plugin.filter(|_| !is_refused) {
        Some(plugin) => print(&plugin, problems, options, output),
        None => Err(refused(problems, &args.file)),
    }
}

fn documents(sources: Vec<Source>) -> Result<Vec<Document>, Failure> {
    let not_json = |name: String| Failure::Usage(format!("`{name}` is not JSON"));
    let document = |source: Source| {
        let name = source.name.clone();
        Document::new(source).ok_or_else(|| not_json(name))
    };
    sources.into_iter().map(document).collect()
}

fn refused(problems: Vec<Problem>, from: &std::path::Path) -> Failure {
    if problems.iter().any(|problem| problem.is_error) {
        return Failure::Problems(problems);
    }
    Failure::Usage(format!("`{}` has nothing to import", from.display()))
}

/// Nothing leaves that the gate would refuse.
fn print(
    plugin: &Plugin,
    problems: Vec<Problem>,
    options: &Options,
    output: Output,
) -> Result<Exit, Failure> {
    let policy = Source::from_json("the imported policy", json(&plugin.policy)?);
    let mut found = session::lint(&policy);
    if found.iter().any(|problem| problem.is_error) {
        found.splice(0..0, problems);
        return Err(Failure::Problems(found));
    }
    if output.json {
        let mut shape = failure::as_json(&problems);
        shape["policy"] = json!(plugin.policy);
        shape["envoy"] = json!(plugin.envoy);
        anstream::println!("{shape}");
        return Ok(Exit::Good);
    }
    let printed = match options.plugin {
        true => json(plugin)?,
        false => policy.json,
    };
    anstream::print!("{}", to_yaml(&printed)?);
    anstream::eprint!("{}", failure::as_text(&problems));
    Ok(Exit::Good)
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value)
        .map_err(|error| Failure::Usage(format!("the policy cannot be written: {error}")))
}

//! The token checks of Envoy or Istio, as a policy.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_importer::{Error, Imported, Options, from_envoy, from_istio};
use countersign_policy_source::to_yaml;
use serde_json::json;

use crate::{
    failure::{self, Failure},
    files::read_foreign,
    output::{Exit, Output},
};

#[derive(Subcommand, Debug)]
#[command(after_help = "\
    The policy goes to the standard output, its differences to the input to the standard error, one \
    line each:\n  \
    stricter  requests that passed are denied\n  \
    changed   a caller can observe a difference\n  \
    dropped   it takes no part in decisions\n  \
    rewritten a route serves another path or host than the gate checks\n  \
    refused   it cannot be imported safely: there is no policy")]
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
    options: OptionArgs,
}

#[derive(Args, Clone, Debug)]
struct OptionArgs {
    /// Print the configuration of the filter in Envoy: the policy, and the clusters for its documents
    #[arg(long)]
    plugin: bool,
    /// The algorithm of issuers whose keys are not in the input; RS256 by default, repeatable
    #[arg(long, value_name = "ALG")]
    algorithm: Vec<String>,
    /// A prefix such as `/api` means `/api` and what is below it, not `/apis`
    #[arg(long)]
    whole_segments: bool,
    /// Read tokens from `access_token` in the query too, where the input names no place
    #[arg(long)]
    query_token: bool,
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
    let (Import::Envoy(args) | Import::Istio(args)) = command;
    let documents = read_foreign(&args.file)?;
    let options = args.options.clone().into();
    let imported = match command {
        Import::Envoy(_) => match documents.into_iter().next() {
            Some(document) => from_envoy(document, &options),
            None => Err(Error::Empty),
        },
        Import::Istio(_) => from_istio(documents, &options),
    };
    match imported {
        Ok(imported) => print(&imported, &options, output),
        Err(Error::Refused(problems)) => Err(Failure::Problems(problems)),
        Err(Error::Empty) => Err(Failure::Usage(format!(
            "`{}` has nothing to import",
            args.file.display()
        ))),
        Err(other) => Err(Failure::Usage(other.to_string())),
    }
}

fn print(imported: &Imported, options: &Options, output: Output) -> Result<Exit, Failure> {
    let Imported {
        policy,
        envoy,
        notes,
        ..
    } = imported;
    if output.json {
        let mut shape = failure::as_json(notes);
        shape["policy"] = policy.clone();
        shape["envoy"] = envoy.clone();
        anstream::println!("{shape}");
        return Ok(Exit::Good);
    }
    let printed = match options.plugin {
        true => to_yaml(&json!({ "policy": policy, "envoy": envoy }).to_string()),
        false => to_yaml(&policy.to_string()),
    };
    let printed = printed.ok_or_else(|| Failure::usage("the YAML cannot be written"))?;
    anstream::print!("{printed}");
    anstream::eprint!("{}", failure::as_text(notes));
    Ok(Exit::Good)
}

impl From<OptionArgs> for Options {
    fn from(args: OptionArgs) -> Self {
        Self {
            plugin: args.plugin,
            algorithm: args.algorithm,
            whole_segments: args.whole_segments,
            query_token: args.query_token,
            at: args.at,
            namespace: args.namespace,
            label: args.label,
            target: args.target,
        }
    }
}

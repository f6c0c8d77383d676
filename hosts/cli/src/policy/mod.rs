//! Policies: lint, schema, show, test.

mod case;
mod compare;
mod mint;
mod suite;
mod test;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_host::POLICY_SCHEMA;

use crate::{
    failure::{self, Failure},
    files::read_source,
    output::{Exit, Output},
    style::GOOD,
};

#[derive(Subcommand, Debug)]
pub(crate) enum Policy {
    /// Report all problems of a policy
    Lint(LintArgs),
    /// Print the JSON Schema of policies, for editors
    Schema,
    /// Print a policy as the JSON that the gate reads
    Show(ShowArgs),
    /// Run your own cases: requests and the decisions that you expect
    Test(test::TestArgs),
}

#[derive(Args, Debug)]
pub(crate) struct LintArgs {
    /// YAML, TOML or JSON; `-` for the standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Warnings count as errors
    #[arg(long)]
    strict: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// YAML, TOML or JSON; `-` for the standard input
    file: PathBuf,
}

pub(crate) async fn run(command: Policy, output: Output) -> Result<Exit, Failure> {
    match command {
        Policy::Lint(args) => lint(&args, output),
        Policy::Schema => {
            anstream::print!("{POLICY_SCHEMA}");
            Ok(Exit::Good)
        }
        Policy::Show(args) => {
            anstream::println!("{}", read_source(&args.file)?.pretty()?);
            Ok(Exit::Good)
        }
        Policy::Test(args) => test::run(&args, output).await,
    }
}

/// A policy with errors ends with exit code 2, as in every command.
fn lint(args: &LintArgs, output: Output) -> Result<Exit, Failure> {
    let mut problems = Vec::new();
    for file in &args.files {
        match read_source(file) {
            Ok(source) => problems.extend(source.lint()),
            Err(Failure::Problems(found)) => problems.extend(found),
            Err(other) => return Err(other),
        }
    }
    let errors = problems.iter().filter(|problem| problem.is_error).count();
    let warnings = problems.len() - errors;
    if errors > 0 || (warnings > 0 && args.strict) {
        return Err(Failure::Problems(problems));
    }
    if output.json {
        anstream::println!("{}", failure::as_json(&problems));
    } else {
        anstream::print!("{}", failure::as_text(&problems));
        anstream::println!("{GOOD}good{GOOD:#}");
    }
    Ok(Exit::Good)
}

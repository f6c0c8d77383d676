//! Policies: lint, schema, show, test, diff, digest, key, sign, verify.

mod case;
mod compare;
mod coverage;
mod diff;
mod difference;
mod junit;
mod mint;
mod recording;
mod signed;
mod suite;
mod test;
mod trial;

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
    /// Find what a new policy decides differently from an old one
    Diff(diff::DiffArgs),
    /// Print the SHA-256 of a policy's canonical form, which every host says too
    Digest(signed::DigestArgs),
    /// Make a key that signs policies, and print its public part
    Key(signed::KeyArgs),
    /// Sign a policy for hosts that take theirs from an address
    Sign(signed::SignArgs),
    /// Verify a signed policy as a host does
    Verify(signed::VerifyArgs),
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
        Policy::Diff(args) => diff::run(&args, output).await,
        Policy::Digest(args) => signed::digest(&args, output),
        Policy::Key(args) => signed::key(&args),
        Policy::Sign(args) => signed::sign(&args),
        Policy::Verify(args) => signed::verify(&args, output),
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

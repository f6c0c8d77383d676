//! A user's own cases, run by the gate.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{
    compare::Difference,
    coverage::Coverage,
    junit::JUnit,
    suite::{Outcome, Suite},
};
use crate::{
    arguments::HostArgs,
    decision,
    failure::Failure,
    output::{Exit, Output},
    style::{BAD, FAINT, GOOD, STRONG, visible},
};

#[derive(Args, Debug)]
#[command(after_help = "A file of cases:\n\n  \
    policy: api.yaml\n  \
    now: 2026-11-21T09:30:00Z\n  \
    cases:\n    \
    - name: a reader reads\n      \
    token: { sub: alice, typ: pat, tenant_id: acme, roles: [], scopes: [\"api:assets:read\"] }\n      \
    request: GET /assets/1\n      \
    expect: { decision: allow, tenant: acme }\n    \
    - name: without a token nobody reads\n      \
    request: GET /assets/1\n      \
    expect: token_missing\n\n\
    `token` is a complete token, or claims that this run signs for the policy's first issuer (or\n\
    `issuer: NAME`) with a key of its own. `iss`, `aud`, `iat` and `exp` have defaults.\n\n\
    `--coverage` lists the branches of each rule: that it allows, that it refuses a request without\n\
    a token, and that each part of its requirement refuses.")]
pub(crate) struct TestArgs {
    /// Files of cases: YAML, TOML or JSON
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Only cases with this text in their name
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Report the rules, and the branches of each, that no case reaches
    #[arg(long)]
    coverage: bool,
    /// Report as `--coverage` does, and end with exit code 1 if fewer branches are reached
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    coverage_min: Option<u8>,
    /// Write the results as JUnit XML too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    host: HostArgs,
}

pub(crate) async fn run(args: &TestArgs, output: Output) -> Result<Exit, Failure> {
    let (outcomes, coverage) = run_cases(args, output).await?;
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    let passed = outcomes.len() - failed;
    if output.json {
        let cases: Vec<_> = outcomes.iter().map(as_json).collect();
        let mut shape = json!({ "passed": passed, "failed": failed, "cases": cases });
        if let Some(coverage) = &coverage {
            shape["coverage"] = coverage.as_json();
        }
        anstream::println!("{shape}");
    } else {
        let style = if failed == 0 { GOOD } else { BAD };
        anstream::println!("{style}{passed} passed, {failed} failed{style:#}");
        if let Some(coverage) = &coverage {
            coverage.print();
        }
    }
    let percent = coverage.map_or(100, |coverage| coverage.percent());
    let least = args.coverage_min.unwrap_or_default();
    let is_enough = percent >= usize::from(least);
    if !is_enough {
        anstream::eprintln!("{BAD}error{BAD:#}: coverage is {percent} %, and less than {least} %");
    }
    Ok(match failed == 0 && is_enough {
        true => Exit::Good,
        false => Exit::Bad,
    })
}

/// Runs the cases of all files, prints each, and writes the JUnit XML.
async fn run_cases(
    args: &TestArgs,
    output: Output,
) -> Result<(Vec<Outcome>, Option<Coverage>), Failure> {
    let host = args.host.read()?;
    let is_covered = args.coverage || args.coverage_min.is_some();
    let mut coverage = is_covered.then(Coverage::default);
    let mut junit = JUnit::new();
    let mut outcomes = Vec::new();
    for file in &args.files {
        let mut suite = Suite::read(file)?;
        let first = outcomes.len();
        for index in suite.matching(args.only.as_deref()) {
            let question = suite.question(index)?;
            let outcome = suite.run(index, &question, &host).await?;
            if let Some(coverage) = &mut coverage {
                let explained = &outcome.explained;
                coverage.add(&suite, &question, explained, &host).await?;
            }
            if !output.json {
                print(&outcome);
            }
            outcomes.push(outcome);
        }
        junit.add(file, &outcomes[first..]);
    }
    if outcomes.is_empty() {
        return Err(Failure::usage("no case was run"));
    }
    if let Some(path) = &args.junit {
        junit.write(path)?;
    }
    Ok((outcomes, coverage))
}

fn print(outcome: &Outcome) {
    let Outcome {
        name, differences, ..
    } = outcome;
    let (style, mark) = if outcome.passed() {
        (GOOD, '✓')
    } else {
        (BAD, '✗')
    };
    anstream::println!("{style}{mark}{style:#} {name}");
    for Difference {
        field,
        expected,
        got,
    } in differences
    {
        let (expected, got) = (expected.to_string(), got.to_string());
        anstream::println!(
            "    {STRONG}{field:<14}{STRONG:#} {FAINT}expected{FAINT:#} {GOOD}{}{GOOD:#} {FAINT}got{FAINT:#} {BAD}{}{BAD:#}",
            visible(&expected),
            visible(&got),
        );
    }
}

fn as_json(outcome: &Outcome) -> Value {
    let differences = outcome.differences.iter().map(
        |Difference {
             field,
             expected,
             got,
         }| { json!({ "field": field, "expected": expected, "got": got }) },
    );
    json!({
        "name": outcome.name,
        "passed": outcome.passed(),
        "differences": differences.collect::<Vec<_>>(),
        "got": decision::as_json(&outcome.explained.decision),
    })
}

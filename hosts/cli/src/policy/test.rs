//! A user's own cases, run by the gate.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{
    compare::Difference,
    suite::{Outcome, Suite},
};
use crate::{
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
    `issuer: NAME`) with a key of its own. `iss`, `aud`, `iat` and `exp` have defaults.")]
pub(crate) struct TestArgs {
    /// Files of cases: YAML, TOML or JSON
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Only cases with this text in their name
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

pub(crate) async fn run(args: &TestArgs, output: Output) -> Result<Exit, Failure> {
    let mut outcomes = Vec::new();
    for file in &args.files {
        let mut suite = Suite::read(file)?;
        for index in suite.matching(args.only.as_deref()) {
            let outcome = suite.run(index).await?;
            if !output.json {
                print(&outcome);
            }
            outcomes.push(outcome);
        }
    }
    if outcomes.is_empty() {
        return Err(Failure::usage("no case was run"));
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    let passed = outcomes.len() - failed;
    if output.json {
        let cases: Vec<_> = outcomes.iter().map(as_json).collect();
        anstream::println!(
            "{}",
            json!({ "passed": passed, "failed": failed, "cases": cases })
        );
    } else {
        let style = if failed == 0 { GOOD } else { BAD };
        anstream::println!("{style}{passed} passed, {failed} failed{style:#}");
    }
    Ok(if failed == 0 { Exit::Good } else { Exit::Bad })
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
        "got": decision::as_json(&outcome.decision),
    })
}

//! `demo`: an issuer on a loopback port, three types of tokens, a policy, and
//! requests that the sealed module decides.

mod environment;
mod row;
mod scenes;
mod table;

use clap::Args;
use serde_json::json;

use crate::{
    failure::Failure,
    output::{Exit, Output},
    style::{BAD, FAINT, GOOD, STRONG, WARN},
};
use environment::Environment;
use row::Row;

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Print the policy of the demo and stop
    #[arg(long)]
    policy: bool,
}

pub(crate) async fn run(args: DemoArgs, output: Output) -> Result<Exit, Failure> {
    let mut environment = Environment::open().await?;
    if args.policy {
        anstream::print!("{}", environment.policy);
        return Ok(Exit::Good);
    }
    if !output.json {
        announce(&environment);
    }
    scenes::run(&mut environment).await?;
    let rows = environment.rows;
    let unexpected = rows.iter().filter(|row| !row.is_as_expected()).count();
    if output.json {
        let rows: Vec<_> = rows.iter().map(as_json).collect();
        let shape = json!({
            "sha256": countersign_host::SHA256,
            "issuer": environment.issuer.url,
            "start_ms": environment.start_ms,
            "as_expected": unexpected == 0,
            "rows": rows,
        });
        anstream::println!("{shape}");
    } else {
        table::print(&rows);
        anstream::println!();
        if unexpected == 0 {
            anstream::println!("{GOOD}{} decisions, all as expected{GOOD:#}", rows.len());
        } else {
            anstream::println!(
                "{BAD}{unexpected} of {} decisions are wrong{BAD:#}",
                rows.len()
            );
        }
        anstream::println!(
            "{FAINT}µs: what the module took for that one decision. Whole challenges: --json. \
             The policy: countersign demo --policy{FAINT:#}"
        );
    }
    Ok(if unexpected == 0 {
        Exit::Good
    } else {
        Exit::Bad
    })
}

fn announce(environment: &Environment) {
    anstream::println!("{STRONG}Countersign{STRONG:#}");
    anstream::println!(
        "{FAINT}module{FAINT:#}  sha256 {}",
        countersign_host::SHA256
    );
    anstream::println!(
        "{FAINT}issuer{FAINT:#}  {}  {WARN}development only{WARN:#}",
        environment.issuer.url
    );
    anstream::println!(
        "{FAINT}start{FAINT:#}   compiled by wasmtime and policy opened in {} ms",
        environment.start_ms
    );
}

fn as_json(row: &Row) -> serde_json::Value {
    json!({
        "scene": row.scene,
        "what": row.what,
        "request": row.request,
        "decision": row.decision,
        "code": row.code,
        "status": row.status,
        "challenge": row.challenge,
        "microseconds": (row.microseconds * 10.0).round() / 10.0,
        "expected": row.expected,
        "as_expected": row.is_as_expected(),
    })
}

//! `demo`: an issuer on a loopback port, three types of tokens, a policy, and
//! requests that the sealed module decides.

mod row;
mod scenes;
mod stage;
mod table;

use clap::Args;
use serde_json::json;

use crate::{
    failure::Failure,
    output::{Exit, Output},
    style::{BAD, FAINT, GOOD, STRONG, WARN},
};
use row::Row;
use stage::Stage;

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Print the policy of the demo and stop
    #[arg(long)]
    policy: bool,
}

pub(crate) async fn run(args: DemoArgs, output: Output) -> Result<Exit, Failure> {
    let mut stage = Stage::open().await?;
    if args.policy {
        anstream::print!("{}", stage.policy);
        return Ok(Exit::Good);
    }
    if !output.json {
        announce(&stage);
    }
    scenes::play(&mut stage).await?;
    let rows = stage.rows;
    let surprises = rows.iter().filter(|row| !row.is_as_expected()).count();
    if output.json {
        let rows: Vec<_> = rows.iter().map(as_json).collect();
        let shape = json!({
            "sha256": countersign_host::SHA256,
            "issuer": stage.issuer.url,
            "start_ms": stage.start_ms,
            "as_expected": surprises == 0,
            "rows": rows,
        });
        anstream::println!("{shape}");
    } else {
        table::print(&rows);
        anstream::println!();
        if surprises == 0 {
            anstream::println!("{GOOD}{} decisions, all as expected{GOOD:#}", rows.len());
        } else {
            anstream::println!(
                "{BAD}{surprises} of {} decisions are wrong{BAD:#}",
                rows.len()
            );
        }
        anstream::println!(
            "{FAINT}µs: what the module took for that one decision. Whole challenges: --json. \
             The policy: countersign demo --policy{FAINT:#}"
        );
    }
    Ok(if surprises == 0 {
        Exit::Good
    } else {
        Exit::Bad
    })
}

fn announce(stage: &Stage) {
    anstream::println!("{STRONG}Countersign{STRONG:#}");
    anstream::println!(
        "{FAINT}module{FAINT:#}  sha256 {}",
        countersign_host::SHA256
    );
    anstream::println!(
        "{FAINT}issuer{FAINT:#}  {}  {WARN}development only{WARN:#}",
        stage.issuer.url
    );
    anstream::println!(
        "{FAINT}start{FAINT:#}   compiled by wasmtime and policy opened in {} ms",
        stage.start_ms
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

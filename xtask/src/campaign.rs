//! `cargo xtask campaign`: runs the random tests of the suite with many more
//! cases. [`crate::fuzz`] runs coverage-guided tests.

use std::{process::ExitCode, time::SystemTime};

use anyhow::{Context, Result, bail};

use crate::project;

struct Campaign {
    package: &'static str,
    test: &'static str,
    /// The variable for the number of cases, and the number that the suite
    /// uses.
    cases: (&'static str, u64),
}

const CAMPAIGNS: &[Campaign] = &[Campaign {
    package: "countersign-kernel",
    test: "differential",
    cases: ("COUNTERSIGN_CASES", 20_000),
}];

/// Runs each campaign with `times` times the cases of the suite, and a new
/// seed.
pub(crate) fn run(times: &str) -> Result<ExitCode> {
    let times: u64 = times.parse().context("how many times is a number")?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let seed = now.as_secs().to_string();
    let mut code = ExitCode::SUCCESS;
    for Campaign {
        package,
        test,
        cases,
    } in CAMPAIGNS
    {
        let (variable, usual) = *cases;
        let count = usual.saturating_mul(times).to_string();
        println!("{test} of {package}: {variable}={count} COUNTERSIGN_SEED={seed}");
        let status = project::cargo()
            .current_dir(project::root())
            .args(["test", "--quiet", "--release", "--locked"])
            .args(["--package", package, "--test", test, "--", "--nocapture"])
            .env(variable, count)
            .env("COUNTERSIGN_SEED", &seed)
            .status()?;
        if !status.success() {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

/// The gate server near its limit, for so many minutes.
pub(crate) fn server(minutes: &str) -> Result<ExitCode> {
    let minutes: u64 = minutes.parse().context("how many minutes is a number")?;
    let seconds = minutes.saturating_mul(60).to_string();
    let status = project::cargo()
        .current_dir(project::root())
        .args(["run", "--quiet", "--release", "--locked"])
        .args([
            "--package",
            "countersign-bench",
            "--",
            "--campaign",
            &seconds,
        ])
        .status()?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Hosts whose signatures are compared, by the names of their tests.
const HOSTS: [&str; 6] = ["crate", "sealed", "go", "node", "deno", "bun"];

/// Compares the module with a host's own cryptography: `--host NAME|all`, `--count
/// N`, `--seed N`.
pub(crate) fn signatures(options: &[&str]) -> Result<ExitCode> {
    let (mut host, mut count, mut seed) = ("all", "1000000", "1");
    for option in options.chunks(2) {
        match option {
            ["--host", name] if *name == "all" || HOSTS.contains(name) => host = name,
            ["--host", _] => bail!("the hosts are all, {}", HOSTS.join(", ")),
            ["--count", number] => count = number,
            ["--seed", number] => seed = number,
            _ => bail!("the options are --host NAME, --count NUMBER and --seed NUMBER"),
        }
    }
    let test = match host {
        "all" => "signatures_in_".to_owned(),
        name => format!("signatures_in_{name}"),
    };
    let status = project::cargo()
        .current_dir(project::root())
        .args(["test", "--quiet", "--locked"])
        .args(["--package", "countersign-conformance", "--test", "campaign"])
        .args(["--", "--nocapture", &test])
        .env("COUNTERSIGN_CASES", count)
        .env("COUNTERSIGN_SEED", seed)
        .status()?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

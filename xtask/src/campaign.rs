//! `cargo xtask campaign`: runs the random tests of the suite with many more
//! cases. [`crate::fuzz`] runs coverage-guided tests.

use std::{process::ExitCode, time::SystemTime};

use anyhow::{Context, Result};

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

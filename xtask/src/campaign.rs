//! `cargo xtask campaign`: random tests, of which the suite plays a few minutes, for as long as
//! one has. Coverage-guided ones are [`crate::fuzz`].

use std::{process::ExitCode, time::SystemTime};

use anyhow::{Context, Result};

use crate::project;

struct Campaign {
    package: &'static str,
    test: &'static str,
    /// The variable that says how many cases are played, and how many the suite plays.
    cases: (&'static str, u64),
}

const CAMPAIGNS: &[Campaign] = &[Campaign {
    package: "countersign-kernel",
    test: "differential",
    cases: ("COUNTERSIGN_CASES", 20_000),
}];

/// Each with so many times the cases of the suite, from another seed every time.
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

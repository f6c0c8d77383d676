//! `cargo xtask fuzz`: libFuzzer over `tests/fuzz/`, without a nightly compiler.

use std::{fs, process::ExitCode};

use anyhow::{Context, Result, bail};

use crate::project;

const TARGETS: &[&str] = &[
    "rsa",
    "p256",
    "ed25519",
    "gate",
    "senders",
    "policy",
    "documents",
    "json",
];

/// Flags for LLVM's pass, which adds the instrumentation that libFuzzer needs.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// Runs each target, or the given one, for `seconds` seconds. The corpus and
/// failing inputs stay in `target/fuzz/`.
pub(crate) fn run(target: Option<&str>, seconds: &str) -> Result<ExitCode> {
    if let Some(unknown) = target.filter(|target| !TARGETS.contains(target)) {
        bail!(
            "there is no target `{unknown}`; there are {}",
            TARGETS.join(", ")
        );
    }
    let root = project::root();
    let host = host()?;
    for name in TARGETS
        .iter()
        .filter(|name| target.is_none_or(|target| target == **name))
    {
        let corpus = project::target(root).join("fuzz").join(name);
        fs::create_dir_all(&corpus)?;
        println!("{name}: {seconds} s");
        let status = project::cargo()
            .current_dir(root.join("tests/fuzz"))
            .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"))
            .args(["run", "--quiet", "--release", "--locked", "--target-dir"])
            .arg(project::target(root).join("fuzz/build"))
            // With `--target`, build scripts and macros are not instrumented.
            .args(["--target", &host])
            .args(["--bin", name, "--"])
            .arg(&corpus)
            .args([
                &format!("-max_total_time={seconds}"),
                "-print_final_stats=1",
            ])
            .arg(format!("-artifact_prefix={}/failed-", corpus.display()))
            .status()?;
        if !status.success() {
            println!("{name} failed: the input is in {}", corpus.display());
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn host() -> Result<String> {
    let text = project::rustc(project::root(), &["-vV"])?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("rustc does not say its host")?.to_owned())
}

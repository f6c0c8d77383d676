//! Checks the Go host: format, `go vet`, staticcheck, and tests with the race
//! detector.

use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::tally::Tally;
use crate::{project, tools};

/// The core module, the modules with further dependencies, the benchmark, and what
/// operators see.
const MODULES: [&str; 8] = [
    "hosts/go",
    "hosts/go/grpc",
    "hosts/go/otel",
    "hosts/go/redis",
    "hosts/go/routers",
    "hosts/go/yaml",
    "tests/bench/go",
    "tests/operators",
];

const STATICCHECK: &str = "honnef.co/go/tools/cmd/staticcheck@v0.8.2";

pub(crate) fn run() -> Result<Tally> {
    match Command::new("go").arg("version").output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            println!("skipped: Go is not installed");
            return Ok(Tally {
                skipped: 1,
                ..Tally::default()
            });
        }
        other => other.context("cannot start go")?,
    };
    let mut gofmt = Command::new("gofmt");
    gofmt.arg("-l").args(MODULES.map(folder));
    let unformatted = tools::output(&mut gofmt)?;
    ensure!(unformatted.is_empty(), "gofmt would change {unformatted}");
    let has_race = has_race_detector()?;
    // Without it, the tests that need it are skipped.
    let redis = tools::redis().map_err(|error| println!("Redis could not be installed: {error:#}"));
    let mut total = Tally::default();
    if !has_race {
        println!("skipped: the race detector needs cgo and a C compiler");
        total.skipped += 1;
    }
    for module in MODULES {
        tools::output(&mut go(module, &["vet", "./..."]))?;
        tools::output(&mut go(module, &["run", STATICCHECK, "./..."]))?;
        total += tests(module, has_race, redis.as_deref().ok())?;
    }
    Ok(total)
}

fn tests(module: &str, has_race: bool, redis: Option<&Path>) -> Result<Tally> {
    let mut command = go(module, &["test", "-v"]);
    command.envs(redis.map(|program| ("COUNTERSIGN_REDIS", program)));
    if has_race {
        command.arg("-race");
    }
    let output = command.arg("./...").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let tally = Tally::of_go(&text);
    if !output.status.success() {
        println!("{text}{}", String::from_utf8_lossy(&output.stderr));
        ensure!(tally.failed > 0, "go test failed");
    }
    println!("            {module}: {tally}");
    Ok(tally)
}

/// Returns whether the race detector works. It needs cgo, which the host does
/// not.
fn has_race_detector() -> Result<bool> {
    if tools::output(&mut go(MODULES[0], &["env", "CGO_ENABLED"]))? != "1" {
        return Ok(false);
    }
    let compiler = tools::output(&mut go(MODULES[0], &["env", "CC"]))?;
    Ok(Command::new(compiler).arg("--version").output().is_ok())
}

fn folder(module: &str) -> PathBuf {
    project::root().join(module)
}

fn go(module: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("go");
    command.current_dir(folder(module)).args(arguments);
    command
}

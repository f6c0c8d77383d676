//! `cargo xtask test`: everything that has to hold, in stages.

mod cargo_tests;
mod dependencies;
mod go;
mod npm;
mod tally;

use std::{
    env,
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Result, ensure};

use self::tally::Tally;
use crate::{bench, build, project, tools};

const WASM: &str = "wasm32-unknown-unknown";

pub(crate) fn run() -> ExitCode {
    let mut stages = Stages {
        start: Instant::now(),
        total: Tally::default(),
    };
    stages.check("format", || cargo(&["fmt", "--all", "--", "--check", "-l"]));
    stages.check(
        "dependencies: licences, banned, duplicates",
        dependencies::check,
    );
    stages.check("the file is built and sealed", build::run);
    stages.check("clippy", || {
        cargo(&[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
    });
    stages.check("clippy of what is in the file", || {
        let own = dependencies::own_in_the_file()?;
        let mut arguments = vec!["clippy", "--quiet", "--locked", "--target", WASM];
        arguments.extend(own.iter().flat_map(|name| ["--package", name]));
        arguments.extend(["--", "-D", "warnings"]);
        cargo(&arguments)
    });
    stages.check("the verifier needs no std", || {
        cargo(&[
            "build",
            "--quiet",
            "--locked",
            "--package",
            "countersign-no-std",
            "--target",
            WASM,
        ])
    });
    stages.run("the Go host", go::run);
    let envoy = tools::envoy();
    if let Err(error) = &envoy {
        println!("Envoy could not be installed: {error:#}");
    }
    if let Err(error) = tools::npm_packages(bench::NODE) {
        println!("the peers in Node could not be installed: {error:#}");
    }
    let mut nodes = None;
    stages.check("the npm package is packed", || {
        nodes = Some(npm::prepare()?);
        Ok(())
    });
    let programs = cargo_tests::Programs {
        envoy: envoy.ok(),
        node: nodes.as_ref().map(|nodes| nodes.new.clone()),
    };
    stages.run("tests", || cargo_tests::run(programs));
    if let Some(nodes) = nodes {
        stages.run("the npm package in its runtimes and frameworks", || {
            npm::run(&nodes)
        });
    }
    stages.end()
}

struct Stages {
    start: Instant,
    total: Tally,
}

impl Stages {
    /// A stage that holds or does not.
    fn check(&mut self, name: &str, stage: impl FnOnce() -> Result<()>) {
        self.run(name, || {
            stage().map(|()| Tally {
                passed: 1,
                ..Tally::default()
            })
        });
    }

    /// A stage that counts; where it could not run, it is one failure.
    fn run(&mut self, name: &str, stage: impl FnOnce() -> Result<Tally>) {
        println!("[{:>6.1} s] {name}", self.start.elapsed().as_secs_f32());
        self.total += stage().unwrap_or_else(|error| {
            println!("failed: {name}: {error:#}");
            Tally {
                failed: 1,
                ..Tally::default()
            }
        });
    }

    fn end(mut self) -> ExitCode {
        if env::var_os("CI").is_some() && self.total.skipped > 0 {
            println!("failed: in CI nothing may be skipped");
            self.total.failed += 1;
        }
        println!("[{:>6.1} s] done", self.start.elapsed().as_secs_f32());
        println!("{}", self.total);
        if self.total.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let mut command: Command = project::cargo();
    let status = command
        .current_dir(project::root())
        .args(arguments)
        .status()?;
    ensure!(status.success(), "cargo {} failed", arguments[0]);
    Ok(())
}

//! `cargo xtask test`: runs all checks and tests, in stages.

mod cargo_tests;
mod dependencies;
mod go;
mod npm;
mod python;
mod stages;
mod tally;

use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};

use self::stages::Stages;
use crate::{bench, build, packages::WASM, project, release, tools, version};

pub(crate) fn run() -> ExitCode {
    let mut stages = Stages::new();
    stages.check("format", || cargo(&["fmt", "--all", "--", "--check", "-l"]));
    stages.check("one version everywhere", version::check);
    stages.check(
        "dependencies: licences, banned, duplicates",
        dependencies::check,
    );
    stages.check(
        "the file is built, sealed and the committed one",
        build::run,
    );
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
    stages.check("the public items are the listed ones", || {
        succeeded(release::api(&[])?)
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
    let mut programs = cargo_tests::Programs::default();
    // If one of them cannot be installed, the tests that need it are skipped. In CI this is a failure.
    stages.check("Envoy and nginx are installed", || {
        programs.envoy = tools::envoy()
            .map_err(|error| missing("Envoy", &error))
            .ok();
        programs.nginx = tools::nginx()
            .map_err(|error| missing("nginx", &error))
            .ok();
        Ok(())
    });
    let mut nodes = None;
    stages.check("the npm package is packed, and its peers installed", || {
        if let Err(error) = tools::npm_packages(bench::NODE) {
            missing("the peers in Node", &error);
        }
        nodes = Some(npm::prepare()?);
        Ok(())
    });
    stages.check("the wheel is built and installed", || {
        programs.python = Some(python::prepare()?);
        Ok(())
    });
    programs.node = nodes.as_ref().map(|nodes| nodes.new.clone());
    stages.check("the tests are compiled", cargo_tests::compile);
    let python = programs.python.clone();
    stages.run("tests", || cargo_tests::run(programs));
    if let Some(python) = &python {
        stages.run("the Python host", || python::run(python));
    }
    if let Some(nodes) = nodes {
        stages.run("the npm package in its runtimes and frameworks", || {
            npm::run(&nodes)
        });
    }
    stages.check(
        "a release: made, checked and installed, as a dry run",
        || succeeded(release::dry_run()?),
    );
    stages.end()
}

fn succeeded(code: ExitCode) -> Result<()> {
    ensure!(code == ExitCode::SUCCESS, "it failed");
    Ok(())
}

fn missing(what: &str, error: &anyhow::Error) {
    println!("{what} could not be installed: {error:#}");
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

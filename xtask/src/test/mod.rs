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
use crate::{bench, build, debian, packages::WASM, project, release, tools, traefik, version};

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
    stages.check("the tests are compiled", cargo_tests::compile);
    stages.check("the public items are the listed ones", || {
        release_program(&["api"])
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
    stages.check(
        "the proxies and Prometheus are installed, and Traefik's middlewares built",
        || {
            programs.envoy = tools::envoy()
                .map_err(|error| missing("Envoy", &error))
                .ok();
            programs.nginx = tools::nginx()
                .map_err(|error| missing("nginx", &error))
                .ok();
            programs.caddy = tools::caddy()
                .map_err(|error| missing("Caddy", &error))
                .ok();
            programs.oldest_caddy = tools::oldest_caddy()
                .map_err(|error| missing("the oldest Caddy", &error))
                .ok();
            programs.traefik = traefik::program()
                .map_err(|error| missing("Traefik's middlewares", &error))
                .ok();
            programs.debian_nginx = debian::program("nginx", "nginx")
                .map_err(|error| missing("Debian's nginx", &error))
                .ok();
            programs.haproxy = tools::haproxy()
                .map_err(|error| missing("HAProxy", &error))
                .ok();
            programs.debian_haproxy = debian::program("haproxy", "haproxy")
                .map_err(|error| missing("Debian's HAProxy", &error))
                .ok();
            programs.prometheus = debian::prometheus()
                .map_err(|error| missing("Prometheus", &error))
                .ok();
            programs.kubernetes_validate = tools::kubernetes_validate()
                .map_err(|error| missing("the validator of Kubernetes manifests", &error))
                .ok();
            Ok(())
        },
    );
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
        // Of what is built and packed already, with a key that is thrown away.
        || release_program(&["release", version::VERSION, "--dry-run"]),
    );
    stages.end()
}

/// Runs the program of releases, which is compiled with the tests.
fn release_program(arguments: &[&str]) -> Result<()> {
    let program = project::target(project::root())
        .join("debug")
        .join(release::PROGRAM);
    let status = Command::new(program).args(arguments).status()?;
    ensure!(
        status.success(),
        "{} {} failed",
        release::PROGRAM,
        arguments[0]
    );
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

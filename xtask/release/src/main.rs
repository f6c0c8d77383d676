//! `cargo xtask release`: makes all that is published in `dist/release/`, signs
//! it, checks it, and installs it as a user would.
//!
//! `cargo xtask` has built the module, the npm package and the inspector
//! before. Nothing is uploaded.

mod api;
mod artefacts;
mod crates;
mod files;
mod go;
mod install;
mod program;
mod python;
mod sbom;
mod server_image;
mod signature;
mod source;
mod statement;
mod tags;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser};
use xtask::version::VERSION;

use self::{program::Plan, signature::Key};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Command {
    /// Make, sign and check everything that is published, in dist/release/
    Release(Arguments),
    /// Compare the public items of the crates with the lists in their folders
    Api {
        /// Write the lists anew
        #[arg(long)]
        renew: bool,
    },
}

#[derive(Args)]
struct Arguments {
    /// The version to release: the one that Cargo.toml says
    version: String,
    /// The secret key of minisign; its password is in COUNTERSIGN_KEY_PASSWORD, if it has one
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    key: Option<PathBuf>,
    /// Sign with a new key that is thrown away; the tree may have changes, and the
    /// command is compiled for this machine only, without optimisation
    #[arg(long, conflicts_with = "key")]
    dry_run: bool,
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Release(arguments) => run(&arguments),
        Command::Api { renew } => api::run(renew),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        arguments.version == VERSION,
        "Cargo.toml says {VERSION}: `cargo xtask version {}` changes it",
        arguments.version
    );
    let source = source::Source::read(arguments.dry_run)?;
    let key = match &arguments.key {
        Some(file) => Key::read(file)?,
        None => Key::throw_away()?,
    };
    let release = files::dist().join("release");
    files::empty(&release)?;

    let plan = if arguments.dry_run {
        Plan::dry_run()
    } else {
        Plan::release()
    };
    step("the file, its image, the npm package", || {
        artefacts::write(&release)
    })?;
    step("the crates, compiled by the oldest Rust", || {
        crates::write(&release)
    })?;
    step("the Go modules", || go::write(&release, &source))?;
    for target in &plan.targets {
        step(&format!("the command for {target}"), || {
            program::write(&release, target, &plan)
        })?;
    }
    step("the image of the decision server", || {
        server_image::write(&release, &plan.targets)
    })?;
    step("the wheel", || python::write(&release, &plan))?;
    step("bills of materials", || sbom::write(&release))?;
    step("the statement and the signature", || {
        statement::write(&release, &source)?;
        signature::write(&release, &source, &key)
    })?;
    install::all(&release, &key)?;
    println!("{}", release.display());
    Ok(())
}

/// Runs a step and prints how long it took.
fn step(what: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("release     {what}");
    let start = Instant::now();
    run().with_context(|| what.to_owned())?;
    println!("            {:.0} s", start.elapsed().as_secs_f32());
    Ok(())
}

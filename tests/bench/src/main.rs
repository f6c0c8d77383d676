//! `cargo xtask bench`: compares Countersign with other JWT verifiers.

mod arguments;
mod bar;
mod chart;
mod child;
mod contestant;
mod envoy;
mod figure;
mod go;
mod growth;
mod large;
mod log;
mod machine;
mod mix;
mod node;
mod npm;
mod openssl;
mod policy;
mod progress;
mod python;
mod race;
mod readme;
mod report;
mod rsa_alone;
mod save;
mod server;
mod suite;
mod table;
mod token;

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;

use arguments::{Arguments, Scale, Suite};
use report::Report;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(config) = &arguments.serve {
        server::serve(config)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(seconds) = arguments.campaign {
        server::campaign(Duration::from_secs(seconds))?;
        return Ok(ExitCode::SUCCESS);
    }
    let scale = Scale::new(arguments.quick);
    let has = |part| arguments.suite.has(part);
    let mut races = Vec::new();
    let mut child_versions = BTreeMap::new();
    if has(Suite::Native) {
        races.extend(suite::native(&scale)?);
    }
    if has(Suite::Wasmtime) {
        races.extend(suite::wasmtime(&scale)?);
    }
    if has(Suite::Node) {
        let answer = node::run(&scale)?;
        races.extend(answer.races);
        child_versions.extend(answer.versions);
    }
    if has(Suite::Npm) {
        let answer = npm::run(&scale)?;
        races.extend(answer.races);
        child_versions.extend(answer.versions);
    }
    if has(Suite::Go) {
        let answer = go::run(&scale)?;
        races.extend(answer.races);
        child_versions.extend(answer.versions);
    }
    if arguments.suite == Suite::Python || (has(Suite::Python) && python::is_possible()) {
        let answer = python::run(&scale)?;
        races.extend(answer.races);
        child_versions.extend(answer.versions);
    }
    if arguments.suite == Suite::Envoy || (has(Suite::Envoy) && envoy::is_possible()) {
        races.extend(envoy::run(&scale)?);
    }
    if has(Suite::Server) {
        let answer = server::run(&scale)?;
        races.extend(answer.races);
        child_versions.extend(answer.versions);
    }
    if has(Suite::Growth) {
        races.extend(growth::growth(&scale)?);
    }
    if has(Suite::Documents) {
        races.extend(large::run(&scale)?);
    }
    if has(Suite::Log) {
        races.extend(log::run(&scale)?);
    }
    let report = Report::new(races, child_versions, arguments.quick);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        table::print(&report);
    }
    save::latest(&report)?;
    if arguments.save {
        save::result(&report)?;
    }
    let failed = arguments.strict && report.missed() > 0;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

//! Tests the packed npm package in its runtimes and frameworks.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::tally::Tally;
use crate::{bench, package, project, tools};

const TESTS: &str = "npm/tests";
const EXAMPLE: &str = "npm/examples/next";

/// The suites in the oldest Node.js that the package supports.
const OLD: &[&str] = &[
    "node",
    "commonjs",
    "cryptography",
    "edge",
    "frameworks",
    "operator",
    "tarball",
    "parts",
    "process",
    "publish",
    "redis",
    "seams",
    "senders",
    "yaml",
];

/// The suites in the newest Node.js, which some of them need.
const NEW: &[&str] = &[
    "node",
    "commonjs",
    "cryptography",
    "frameworks",
    "operator",
    "senders",
    "workerd",
    "browser",
    "chromium",
    "inspector",
    "deno",
    "bun",
    "next-turbopack-proxy",
    "next-turbopack-middleware",
    "next-webpack-proxy",
    "next-webpack-middleware",
    "next-seams",
    "interface",
];

/// The paths of both versions of Node.js.
pub(crate) struct Nodes {
    old: PathBuf,
    pub(crate) new: PathBuf,
}

/// Packs the package and unpacks it for the tests and the corpus.
pub(crate) fn prepare() -> Result<Nodes> {
    package::run()?;
    for folder in [TESTS, EXAMPLE] {
        tools::npm_packages(folder)?;
    }
    for folder in [TESTS, EXAMPLE, bench::NODE] {
        package::unpack_for(folder)?;
    }
    Ok(Nodes {
        old: tools::node(tools::NODE_20)?,
        new: tools::node(tools::NODE_24)?,
    })
}

pub(crate) fn run(nodes: &Nodes) -> Result<Tally> {
    let mut tally = suite(&nodes.old, OLD)?;
    tally += suite(&nodes.new, NEW)?;
    Ok(tally)
}

fn suite(node: &Path, runtimes: &[&str]) -> Result<Tally> {
    let mut command = Command::new(node);
    command
        .current_dir(project::root().join(TESTS))
        .arg("main.mjs")
        .args(runtimes);
    // Without it, its suite is skipped, and says so.
    if let Ok(redis) = tools::redis() {
        command.env("COUNTERSIGN_REDIS", redis);
    }
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let (lines, result) = stdout.trim_end().rsplit_once('\n').unwrap_or(("", &stdout));
    println!("{lines}");
    Tally::of_result(result).with_context(|| {
        let fault = String::from_utf8_lossy(&output.stderr);
        format!("{command:?} said no result: {result}\n{fault}")
    })
}

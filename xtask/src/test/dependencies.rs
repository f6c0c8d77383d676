//! What comes from outside: its licences, what is banned, and what would be
//! in the file twice.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use spdx::{Expression, ParseMode};

use super::WASM;
use crate::project;

/// Licences that ask for nothing but to be named.
const LICENCES: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// What a Rust library does here, and what is not built from source.
const BANNED: [&str; 4] = ["native-tls", "openssl", "openssl-sys", "ring"];

pub(crate) fn check() -> Result<()> {
    let mut problems = Vec::new();
    let everything = ["--workspace", "--target", "all", "-e", "normal,build,dev"];
    for package in tree(&everything)? {
        if BANNED.contains(&package.name.as_str()) {
            problems.push(format!("`{}` is banned", package.name));
        }
        if !is_allowed(&package)? {
            let Package { name, licence, .. } = package;
            problems.push(format!("`{name}` has the licence `{licence}`"));
        }
    }
    problems.extend(duplicates(in_the_file()?));
    ensure!(problems.is_empty(), "\n  {}", problems.join("\n  "));
    Ok(())
}

fn is_allowed(package: &Package) -> Result<bool> {
    let Package { name, licence, .. } = package;
    let licence = Expression::parse_mode(licence, ParseMode::LAX)
        .with_context(|| format!("the licence of `{name}` is `{licence}`"))?;
    Ok(licence.evaluate(|asked| {
        let id = asked.license.id();
        id.is_some_and(|id| LICENCES.contains(&id.name))
    }))
}

/// Two versions of one crate would both be in the file.
fn duplicates(packages: BTreeSet<Package>) -> Vec<String> {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let of_name = versions.entry(package.name).or_default();
        of_name.insert(package.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let problem = |(name, versions)| format!("the file would hold `{name}` as {versions:?}");
    versions.into_iter().map(problem).collect()
}

/// Our own crates whose code is in the file.
pub(crate) fn own_in_the_file() -> Result<Vec<String>> {
    let own = in_the_file()?.into_iter().filter(|package| package.is_ours);
    Ok(own.map(|package| package.name).collect())
}

fn in_the_file() -> Result<BTreeSet<Package>> {
    tree(&[
        "--package",
        "countersign-module",
        "--target",
        WASM,
        "-e",
        "normal,no-proc-macro",
    ])
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    is_ours: bool,
    licence: String,
}

/// What cargo would build.
fn tree(options: &[&str]) -> Result<BTreeSet<Package>> {
    let output = project::cargo()
        .current_dir(project::root())
        .args([
            "tree", "--locked", "--prefix", "none", "--format", "{p}|{l}|",
        ])
        .args(options)
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| package(line).with_context(|| format!("cargo tree said `{line}`")))
        .collect()
}

/// `name v1.2.3 (/path)|licence|`, and perhaps ` (*)`.
fn package(line: &str) -> Option<Package> {
    let mut parts = line.split('|');
    let mut words = parts.next()?.split(' ');
    Some(Package {
        name: words.next()?.to_owned(),
        version: words.next()?.to_owned(),
        is_ours: words.any(|word| word.starts_with('(') && word != "(proc-macro)"),
        licence: parts.next()?.to_owned(),
    })
}

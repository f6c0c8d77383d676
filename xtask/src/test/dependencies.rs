//! Checks the dependencies: licences, banned packages, and packages that would
//! be in the module twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context, Result, ensure};
use spdx::{Expression, ParseMode};

use crate::{
    packages::{Package, in_the_file, tree},
    project,
};

/// Allowed licences: they require only attribution.
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

/// Banned packages: a Rust library replaces them, or they are not built from
/// source.
const BANNED: [&str; 4] = ["native-tls", "openssl", "openssl-sys", "ring"];

pub(crate) fn check() -> Result<()> {
    let mut problems = Vec::new();
    let everything = ["--workspace", "--target", "all", "-e", "normal,build,dev"];
    for package in tree(project::root(), &everything)? {
        if BANNED.contains(&package.name.as_str()) {
            problems.push(format!("`{}` is banned", package.name));
        }
        if !is_allowed(&package)? {
            let Package { name, licence, .. } = package;
            problems.push(format!("`{name}` has the licence `{licence}`"));
        }
    }
    problems.extend(duplicates(in_the_file(project::root())?));
    problems.extend(without_level()?);
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

/// Returns a problem for each crate with two versions in the module.
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

/// Returns our own crates whose code is in the module.
pub(crate) fn own_in_the_file() -> Result<Vec<String>> {
    let own = in_the_file(project::root())?.into_iter();
    let own = own.filter(|package| package.is_ours);
    Ok(own.map(|package| package.name).collect())
}

/// Returns a problem for each package in the module without an optimisation
/// level in the profile. The profile names each package, because `"*"` would
/// apply to macros too.
fn without_level() -> Result<Vec<String>> {
    let manifest = fs::read_to_string(project::root().join("Cargo.toml"))?;
    let levels = manifest.split_once("[profile.module.package]");
    let levels = levels
        .context("Cargo.toml has no [profile.module.package]")?
        .1;
    let named = |name: &str| {
        levels
            .lines()
            .any(|line| line.starts_with(&format!("{name} = ")))
    };
    let problem = |name| format!("Cargo.toml's [profile.module.package] does not name `{name}`");
    let packages = in_the_file(project::root())?.into_iter();
    let packages = packages.filter(|package| !package.is_ours && !named(&package.name));
    Ok(packages.map(|package| problem(package.name)).collect())
}

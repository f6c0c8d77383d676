//! What comes from outside: its licences, what is banned, and what would be
//! in the file twice.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

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

/// C and assembly that a Rust library does the work of here.
const BANNED: [&str; 4] = ["native-tls", "openssl", "openssl-sys", "ring"];

pub(crate) fn check() -> Result<()> {
    let everything = metadata(&[])?;
    let mut problems = licences(&everything)?;
    problems.extend(banned()?);
    let for_the_file = metadata(&["--filter-platform", super::WASM])?;
    problems.extend(duplicates_in_the_file(&for_the_file)?);
    ensure!(problems.is_empty(), "\n  {}", problems.join("\n  "));
    Ok(())
}

/// Asked of `cargo tree`: `cargo metadata` also lists what an optional feature
/// that nobody turned on would bring.
fn banned() -> Result<Vec<String>> {
    let output = project::cargo()
        .current_dir(project::root())
        .args(["tree", "--workspace", "--locked", "--target", "all"])
        .args(["--prefix", "none", "--format", "{p}"])
        .output()?;
    ensure!(output.status.success(), "cargo tree failed");
    let built = String::from_utf8(output.stdout)?;
    let names: BTreeSet<&str> = built
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let banned = BANNED.into_iter().filter(|name| names.contains(name));
    Ok(banned.map(|name| format!("`{name}` is banned")).collect())
}

fn metadata(options: &[&str]) -> Result<Value> {
    let output = project::cargo()
        .current_dir(project::root())
        .args(["metadata", "--locked", "--format-version", "1"])
        .args(options)
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn licences(metadata: &Value) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for package in packages(metadata) {
        let name = text(package, "name");
        let licence = text(package, "license");
        let allowed = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX)
            .with_context(|| format!("the licence of `{name}`: `{licence}`"))?
            .evaluate(|required| {
                required
                    .license
                    .id()
                    .is_some_and(|id| LICENCES.contains(&id.name))
            });
        if !allowed {
            problems.push(format!(
                "`{name}` has the licence `{licence}`, which is not allowed here"
            ));
        }
    }
    Ok(problems)
}

/// Two versions of one crate would both be in the file.
fn duplicates_in_the_file(metadata: &Value) -> Result<Vec<String>> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in in_the_file(metadata)? {
        let of_name = versions.entry(text(package, "name")).or_default();
        of_name.insert(text(package, "version"));
    }
    Ok(versions
        .iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, versions)| format!("the file would hold `{name}` in versions {versions:?}"))
        .collect())
}

/// Our own crates whose code is in the file.
pub(crate) fn own_in_the_file() -> Result<Vec<String>> {
    let metadata = metadata(&["--filter-platform", super::WASM])?;
    let own = in_the_file(&metadata)?
        .into_iter()
        .filter(|package| package["source"].is_null());
    Ok(own
        .map(|package| text(package, "name").to_owned())
        .collect())
}

/// Every package that is linked into the file.
fn in_the_file(metadata: &Value) -> Result<Vec<&Value>> {
    let by_id: BTreeMap<_, _> = packages(metadata)
        .map(|package| (text(package, "id"), package))
        .collect();
    let nodes: BTreeMap<_, _> = array(&metadata["resolve"]["nodes"])
        .map(|node| (text(node, "id"), node))
        .collect();
    let module = packages(metadata)
        .find(|package| text(package, "name") == "countersign-module")
        .context("there is no `countersign-module`")?;

    let mut linked = BTreeMap::new();
    let mut next = vec![text(module, "id")];
    while let Some(id) = next.pop() {
        let package = by_id[id];
        if is_macro(package) || linked.insert(id, package).is_some() {
            continue;
        }
        let plain = |edge: &&Value| array(&edge["dep_kinds"]).any(|kind| kind["kind"].is_null());
        next.extend(
            array(&nodes[id]["deps"])
                .filter(plain)
                .map(|edge| text(edge, "pkg")),
        );
    }
    Ok(linked.into_values().collect())
}

fn is_macro(package: &Value) -> bool {
    array(&package["targets"]).any(|target| array(&target["kind"]).any(|kind| kind == "proc-macro"))
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    array(&metadata["packages"])
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

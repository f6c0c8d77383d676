//! `cargo xtask weigh`: prints the size of each part of the module. It uses the
//! function names of the compiler, before sealing removes them.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};
use rustc_demangle::demangle;
use wasmparser::{KnownCustom, Name, NameSectionReader, Parser, Payload};

use crate::{
    build::{self, report},
    project,
};

/// The parts of the module and marks in the names of their functions. A
/// function belongs to the first part with a mark in its name. Generic code of
/// the standard library belongs to the crate in its name.
const PARTS: &[(&str, &[&str])] = &[
    (
        "component face",
        &["countersign:gate/", "countersign_wit::", "cabi_"],
    ),
    (
        "JavaScript face",
        &[
            "gate_",
            "countersign_npm::",
            "wasm_bindgen::",
            "__wbg",
            "__wbindgen",
        ],
    ),
    ("Envoy face", &["countersign_envoy::", "proxy_"]),
    ("RSA", &["countersign_kernel::rsa"]),
    ("P-256", &["countersign_kernel::curve::p256"]),
    ("Ed25519", &["countersign_kernel::curve::ed25519"]),
    ("SHA-2", &["countersign_kernel::hash", "sha2::"]),
    ("runs of bytes", &["countersign_kernel::bytes"]),
    ("P-384, P-521", &["countersign_kernel::"]),
    (
        "API keys",
        &["api_key", "ApiKey", "countersign::policy::secrets"],
    ),
    (
        "opaque tokens",
        &[
            "introspection",
            "countersign::token::answers",
            "countersign::token::server",
            "countersign::token::response",
            "countersign::token::outgoing",
        ],
    ),
    (
        "senders",
        &[
            "sender",
            "dpop",
            "countersign::token::proofs",
            "countersign::token::confirmation",
            "countersign::request::htu",
            "countersign::jose::nonce",
            "countersign::jose::key::carried",
            "countersign::jose::proof",
            "countersign::check::proof",
            "countersign::request::certificate",
        ],
    ),
    ("policy", &["countersign::policy", "countersign::model"]),
    (
        "keys and documents",
        &[
            "countersign::jose::key",
            "countersign::documents",
            "countersign::json::elements",
            "countersign::gate::Gate>::supply",
        ],
    ),
    ("check", &["countersign::"]),
    ("formatting", &["core::fmt::", "core::str::", "::fmt::"]),
    ("allocation", &["talc::", "__rust", "alloc::raw_vec"]),
    ("maps", &["hashbrown::"]),
];
const REST: &str = "the rest of the standard library";

/// Prints the table. With `all`, it also prints every function, the largest
/// first.
pub(crate) fn run(all: bool) -> Result<()> {
    let named = build::named(project::root())?;
    let path = project::target(project::root()).join("countersign.named.wasm");
    fs::write(&path, &named).with_context(|| format!("cannot write {}", path.display()))?;

    let functions = functions(&named)?;
    let mut parts: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for function in &functions {
        parts
            .entry(part(&function.name))
            .or_default()
            .extend(function.body);
    }
    parts.entry("data").or_default().extend(data(&named)?);
    let mut rows: Vec<(&str, Vec<u8>)> = parts.into_iter().collect();
    rows.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.len()));

    println!("| part | raw bytes | gzip by itself |\n|---|---:|---:|");
    for (name, bytes) in &rows {
        println!("| {name} | {} | {} |", bytes.len(), report::gzip(bytes)?);
    }
    if all {
        let mut functions = functions;
        functions.sort_by_key(|function| std::cmp::Reverse(function.body.len()));
        println!();
        for function in functions {
            let part = part(&function.name);
            println!("{:>7}  {part:<20} {}", function.body.len(), function.name);
        }
    }
    println!("\nwith names, for a profiler: {}", path.display());
    Ok(())
}

fn part(name: &str) -> &'static str {
    PARTS
        .iter()
        .find(|(_, marks)| marks.iter().any(|mark| name.contains(mark)))
        .map_or(REST, |(part, _)| part)
}

struct Function<'m> {
    name: String,
    body: &'m [u8],
}

fn functions(module: &[u8]) -> Result<Vec<Function<'_>>> {
    let mut imported = 0;
    let mut bodies = Vec::new();
    let mut names = BTreeMap::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => imported = imports.count(),
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes()),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(section) = section.as_known() {
                    names = function_names(section)?;
                }
            }
            _ => {}
        }
    }
    let named = (imported..).zip(bodies);
    Ok(named
        .map(|(index, body)| Function {
            name: names.remove(&index).unwrap_or_default(),
            body,
        })
        .collect())
}

fn function_names(section: NameSectionReader<'_>) -> Result<BTreeMap<u32, String>> {
    let mut names = BTreeMap::new();
    for subsection in section {
        if let Name::Function(map) = subsection? {
            for naming in map {
                let naming = naming?;
                names.insert(naming.index, format!("{:#}", demangle(naming.name)));
            }
        }
    }
    Ok(names)
}

fn data(module: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::DataSection(segments) = payload? {
            for segment in segments {
                bytes.extend(segment?.data);
            }
        }
    }
    Ok(bytes)
}

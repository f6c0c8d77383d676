//! Tests of the built module: its imports, exports and content.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use countersign_artefact_tests::dist;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use wasmparser::{
    ExternalKind, Operator, Parser, Payload, TypeRef, ValType, Validator, WasmFeatures,
};

const IMPORTS: &str = include_str!("../../../module/imports.txt");
const EXPORTS: &str = include_str!("../../../module/exports.txt");
const BUDGET: &str = include_str!("../../../module/budget.json");
const COMMITTED: &str = include_str!("../../../module/countersign.wasm.sha256");

#[test]
fn it_imports_only_functions_of_envoy() {
    let imports: BTreeSet<_> = payloads(&file())
        .flat_map(|payload| match payload {
            Payload::ImportSection(section) => section
                .into_imports()
                .map(|import| import.unwrap())
                .map(|import| {
                    assert_eq!(import.module, "env", "{}", import.name);
                    assert!(matches!(import.ty, TypeRef::Func(_)), "{}", import.name);
                    import.name.to_owned()
                })
                .collect(),
            _ => vec![],
        })
        .collect();
    let allowed: BTreeSet<_> = IMPORTS.lines().map(str::to_owned).collect();
    assert_eq!(imports, allowed);
    assert!(allowed.iter().all(|name| name.starts_with("proxy_")));
}

#[test]
fn it_exports_exactly_what_the_hosts_call() {
    let file = file();
    let exports: BTreeSet<_> = exports(&file).map(|(name, _)| name).collect();
    let expected: BTreeSet<_> = EXPORTS.lines().map(str::to_owned).collect();
    assert_eq!(exports, expected);
}

/// The module uses Rust's default features for the target, and SIMD128 inside
/// functions.
#[test]
fn it_needs_only_features_that_all_hosts_have() {
    let features = WasmFeatures::WASM1
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::SIMD;
    Validator::new_with_features(features)
        .validate_all(&file())
        .unwrap();
}

/// Envoy 1.40 crashes on a vector type in an exported signature.
#[test]
fn its_exported_functions_have_only_numbers() {
    let file = file();
    let types = Validator::new().validate_all(&file).unwrap();
    let types = types.as_ref();
    for (name, export) in exports(&file) {
        let (ExternalKind::Func, index) = export else {
            continue;
        };
        let ty = types[types.core_function_at(index)].unwrap_func();
        let plain = |ty: &ValType| {
            matches!(
                ty,
                ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64
            )
        };
        assert!(
            ty.params().iter().chain(ty.results()).all(plain),
            "{name}: {ty}"
        );
    }
}

/// With a start section, or a call to the host from `_initialize`,
/// instantiation would depend on the host.
#[test]
fn it_starts_without_calls_to_the_host() {
    let file = file();
    assert!(!payloads(&file).any(|payload| matches!(payload, Payload::StartSection { .. })));

    let imported = u32::try_from(IMPORTS.lines().count()).unwrap();
    let calls = calls(&file, imported);
    let (_, (_, initialize)) = exports(&file)
        .find(|(name, _)| name == "_initialize")
        .unwrap();
    let (mut seen, mut next) = (BTreeSet::new(), vec![initialize]);
    while let Some(function) = next.pop() {
        assert!(
            function >= imported,
            "`_initialize` reaches import {function}"
        );
        if seen.insert(function) {
            next.extend(&calls[&function]);
        }
    }
}

#[test]
fn it_contains_no_path_of_the_build_machine() {
    let file = file();
    for payload in payloads(&file) {
        if let Payload::CustomSection(section) = payload {
            assert_eq!(section.name(), "producers");
        }
    }
    for path in ["/home/", "/root/", "/Users/", ".cargo/", "registry/"] {
        let found = file
            .windows(path.len())
            .any(|window| window == path.as_bytes());
        assert!(!found, "`{path}` is in the file");
    }
    let sources = source_files(&file);
    assert!(sources.len() > 10, "{sources:?}");
    for source in sources {
        // A source is of the standard library, of its dependencies, of a
        // package with a version, or our own.
        let known = [
            "/rustc/",
            "/rust/deps/",
            "verifier/",
            "wit/",
            "npm/",
            "envoy-filter/",
            "module/",
        ];
        let package = source.split('/').next().unwrap_or_default();
        let package = package
            .rsplit_once('-')
            .is_some_and(|(_, version)| version.starts_with(|first: char| first.is_ascii_digit()));
        let ours = known.iter().any(|place| source.starts_with(place));
        assert!(ours || package, "`{source}` is a place on some machine");
    }
}

/// Returns the paths in panic locations: the text before `.rs`, if it contains
/// a folder.
fn source_files(file: &[u8]) -> Vec<String> {
    let is_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/\\-_.:@+".contains(byte);
    let ends = file
        .windows(4)
        .enumerate()
        .filter(|(_, text)| text.starts_with(b".rs") && !is_path(&text[3]));
    let mut sources: Vec<_> = ends
        .map(|(end, _)| {
            let length = file[..end]
                .iter()
                .rev()
                .take_while(|byte| is_path(byte))
                .count();
            String::from_utf8_lossy(&file[end - length..end + 3]).into_owned()
        })
        .filter(|path| path.contains(['/', '\\']))
        .collect();
    sources.sort();
    sources.dedup();
    sources
}

/// `module/budget.json` has the budget and its reason.
#[test]
fn it_is_within_its_budget() {
    let budget: serde_json::Value = serde_json::from_str(BUDGET).unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&file()).unwrap();
    for (what, bytes) in [
        ("raw", file().len()),
        ("gzip", gzip.finish().unwrap().len()),
    ] {
        let most = budget[what].as_u64().unwrap();
        assert!(bytes as u64 <= most, "{what}: {bytes} bytes of {most}");
    }
}

#[test]
fn the_component_contains_this_module() {
    let component = dist::read("countersign.component.wasm");
    let core = Parser::new(0)
        .parse_all(&component)
        .find_map(|payload| match payload.unwrap() {
            Payload::ModuleSection {
                unchecked_range, ..
            } => Some(unchecked_range),
            _ => None,
        });
    let core = core.unwrap();
    let core = usize::try_from(core.start).unwrap()..usize::try_from(core.end).unwrap();
    assert!(component[core] == file(), "another core module");
}

/// Hosts without stubs can instantiate the component.
#[test]
fn the_component_imports_nothing() {
    let component = dist::read("countersign.component.wasm");
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&component) {
        match payload.unwrap() {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            // Modules and components inside it import from each other.
            Payload::ComponentImportSection(section) if depth == 1 => {
                assert_eq!(section.count(), 0);
            }
            _ => {}
        }
    }
}

#[test]
fn its_digest_equals_the_published_and_the_committed_one() {
    let digest = Sha256::digest(file());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let published = String::from_utf8(dist::read("countersign.wasm.sha256")).unwrap();
    assert_eq!(published, format!("{digest}  countersign.wasm\n"));
    assert_eq!(published, COMMITTED, "`cargo xtask build` says what to do");
}

fn file() -> Vec<u8> {
    dist::read("countersign.wasm")
}

fn payloads(file: &[u8]) -> impl Iterator<Item = Payload<'_>> {
    Parser::new(0).parse_all(file).map(Result::unwrap)
}

fn exports(file: &[u8]) -> impl Iterator<Item = (String, (ExternalKind, u32))> {
    payloads(file)
        .filter_map(|payload| match payload {
            Payload::ExportSection(section) => Some(section),
            _ => None,
        })
        .flatten()
        .map(Result::unwrap)
        .map(|export| (export.name.to_owned(), (export.kind, export.index)))
}

/// Returns the functions that each function can call, directly or through a
/// table.
fn calls(file: &[u8], imported: u32) -> BTreeMap<u32, Vec<u32>> {
    let bodies = payloads(file).filter_map(|payload| match payload {
        Payload::CodeSectionEntry(body) => Some(body),
        _ => None,
    });
    (imported..)
        .zip(bodies)
        .map(|(function, body)| {
            let called = body
                .get_operators_reader()
                .unwrap()
                .into_iter()
                .filter_map(|operator| {
                    match operator.unwrap() {
                        Operator::Call { function_index } => Some(function_index),
                        // The start needs no call through the table.
                        Operator::CallIndirect { .. } => Some(0),
                        _ => None,
                    }
                });
            (function, called.collect())
        })
        .collect()
}

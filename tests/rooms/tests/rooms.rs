//! The rooms (top-level modules) of each crate depend on each other in one
//! direction: each uses only rooms that are before it in the list.

use std::{
    fs,
    path::{Path, PathBuf},
};

use countersign_rooms::violations;

const VERIFIER: [&str; 12] = [
    "base",
    "json",
    "refusal",
    "jose",
    "model",
    "documents",
    "token",
    "request",
    "policy",
    "decision",
    "check",
    "gate",
];

const COMMAND: [&str; 27] = [
    "style",
    "output",
    "moment",
    "server",
    "failure",
    "files",
    "certificate",
    "sealed",
    "place",
    "request",
    "documents",
    "arguments",
    "session",
    "decision",
    "check",
    "explain",
    "inspect",
    "policy",
    "init",
    "import",
    "proxy_config",
    "digest",
    "verify_release",
    "keys",
    "serve",
    "dev",
    "demo",
];

const POLICY_SOURCE: [&str; 6] = ["problem", "parsed", "foreign", "toml", "write", "source"];

const REGIONS: [&str; 13] = [
    "shape",
    "region",
    "fact",
    "formula",
    "requirement",
    "policy",
    "token",
    "routing",
    "difference",
    "settings",
    "example",
    "issuers",
    "diff",
];

const IMPORTER: [&str; 25] = [
    "options",
    "bounds",
    "path",
    "input",
    "text",
    "claim",
    "required",
    "formula",
    "place",
    "keys",
    "rewrite",
    "access",
    "provider",
    "tokens",
    "request",
    "forward",
    "rule",
    "gateway",
    "requirement",
    "credentials",
    "policy",
    "plugin",
    "envoy",
    "istio",
    "tests",
];

const DEV_ISSUER: [&str; 6] = ["error", "signer", "issuer", "proof", "token", "template"];

const INIT: [&str; 6] = ["kind", "value", "error", "template", "provider", "list"];

const PROXY_CONFIG: [&str; 19] = [
    "server",
    "options",
    "kind",
    "problem",
    "template",
    "service",
    "facts",
    "forged",
    "names",
    "headers",
    "attacks",
    "caddy",
    "envoy",
    "envoy_gateway",
    "gateway_api",
    "haproxy",
    "istio",
    "nginx",
    "traefik",
];

const WASMTIME: [&str; 40] = [
    "bindings",
    "problem",
    "yaml",
    "clock",
    "random",
    "uri",
    "secrets",
    "connection",
    "proofs",
    "request",
    "report",
    "document",
    "need",
    "fetch",
    "https",
    "decision",
    "grants",
    "module",
    "event",
    "log",
    "telemetry",
    "signatures",
    "instance",
    "source",
    "requirement",
    "journal",
    "flights",
    "rooms",
    "pool",
    "hooks",
    "settings",
    "generation",
    "background",
    "gate",
    "nested",
    "headers",
    "body",
    "layer",
    "ready",
    "faults",
];

const SERVER: [&str; 16] = [
    "config",
    "files",
    "peer",
    "metrics",
    "journal",
    "told",
    "policies",
    "dialect",
    "grpc",
    "tls",
    "introspection",
    "serve",
    "listen",
    "operations",
    "admin",
    "run",
];

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

#[test]
fn rooms_use_those_above_them() {
    let crates: [(&str, &[&str]); 10] = [
        ("verifier", &VERIFIER),
        ("hosts/wasmtime", &WASMTIME),
        ("hosts/cli", &COMMAND),
        ("hosts/cli/policy-source", &POLICY_SOURCE),
        ("hosts/cli/regions", &REGIONS),
        ("hosts/cli/importer", &IMPORTER),
        ("hosts/cli/dev-issuer", &DEV_ISSUER),
        ("hosts/cli/init", &INIT),
        ("hosts/cli/proxy-config", &PROXY_CONFIG),
        ("hosts/server", &SERVER),
    ];
    let found: Vec<_> = crates
        .into_iter()
        .flat_map(|(path, rooms)| violations(&folder(path).join("src"), rooms))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_verifier_depends_on_no_host() {
    let manifest = fs::read_to_string(folder("verifier/Cargo.toml")).unwrap();
    for host in [
        "wasmtime",
        "wasm-bindgen",
        "proxy-wasm",
        "wit-bindgen",
        "tokio",
    ] {
        assert!(!manifest.contains(host), "{host}");
    }
}

#[test]
fn the_libraries_beside_the_command_print_nothing_and_know_no_arguments() {
    for library in ["policy-source", "regions", "importer", "dev-issuer", "init"] {
        let folder = folder("hosts/cli").join(library);
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for dependency in ["clap", "anstream", "anstyle", "tokio"] {
            assert!(!manifest.contains(dependency), "{library}: {dependency}");
        }
        for (path, source) in sources(&folder.join("src")) {
            for word in ["print!", "println!", "process::exit", "std::env"] {
                assert!(!source.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

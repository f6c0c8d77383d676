//! Runs the bench with very few repeats, to test that it works.

use std::{path::Path, process::Command};

use serde_json::Value;

fn rows(suite: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign-bench"))
        .args([suite, "--quick", "--json"])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    assert_eq!(report["quick"], true);
    let rows = report["rows"].as_array().expect("it has rows").clone();
    for row in &rows {
        let best = row["ours"]["best"].as_f64();
        assert!(best.is_some(), "{row}");
    }
    rows
}

fn has(rows: &[Value], work: &str, peer: &str) -> bool {
    rows.iter()
        .any(|row| row["work"] == work && row["peer"]["name"] == peer)
}

/// Whether the package and its peers are installed.
fn package_is_here() -> bool {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/node_modules/countersign");
    if !package.is_dir() {
        println!("skipped: the package is not unpacked (`cargo xtask test` does it)");
    }
    package.is_dir()
}

#[test]
fn the_crate_is_measured_against_its_peer() {
    let rows = rows("native");
    assert!(has(&rows, "RS256, fresh", "jsonwebtoken"), "{rows:?}");
    assert!(has(&rows, "RS256, remembered", "jsonwebtoken"), "{rows:?}");
}

#[test]
fn the_sealed_file_in_wasmtime_is_measured_against_the_same_peer() {
    let rows = rows("wasmtime");
    assert!(has(&rows, "RS256, fresh", "jsonwebtoken"), "{rows:?}");
    assert!(has(&rows, "RS256, remembered", "jsonwebtoken"), "{rows:?}");
}

#[test]
fn the_npm_package_is_measured_from_import_and_in_a_bundle() {
    if !package_is_here() {
        return;
    }
    let rows = rows("npm");
    for peer in ["fast-jwt", "jose", "aws-jwt-verify", "jsonwebtoken"] {
        assert!(
            has(&rows, "import to first decision", peer),
            "{peer}: {rows:?}"
        );
    }
    assert!(has(&rows, "an edge bundle, raw", "jose"), "{rows:?}");
    let gzip = |row: &&Value| row["peer"]["name"] == "budget";
    let verdicts = rows.iter().filter(gzip).map(|row| &row["verdict"]);
    let verdicts: Vec<_> = verdicts.collect();
    assert_eq!(verdicts.len(), 2, "{rows:?}");
    assert!(
        verdicts.iter().all(|verdict| verdict.is_string()),
        "{rows:?}"
    );
}

#[test]
fn the_npm_package_in_node_is_measured_against_its_peers() {
    if !package_is_here() {
        return;
    }
    let rows = rows("node");
    for peer in ["fast-jwt", "aws-jwt-verify", "jose"] {
        assert!(has(&rows, "RS256, fresh", peer), "{peer}: {rows:?}");
    }
    assert!(
        has(&rows, "RS256, remembered", "fast-jwt with cache"),
        "{rows:?}"
    );
    assert!(
        has(&rows, "mix of clients", "fast-jwt with cache"),
        "{rows:?}"
    );
    assert!(
        has(&rows, "memory, 100 keys, 1,000 tokens", "goal"),
        "{rows:?}"
    );
}

#[test]
fn the_log_is_measured_in_each_host() {
    if !package_is_here() {
        return;
    }
    let rows = rows("log");
    for host in ["wasmtime", "node", "go"] {
        let of_host: Vec<_> = rows.iter().filter(|row| row["host"] == host).collect();
        let is_whole = |row: &&Value| row["peer"]["name"] == "without" && row["ratio"].is_f64();
        assert_eq!(of_host.len(), 4, "{rows:?}");
        assert!(of_host.iter().all(is_whole), "{rows:?}");
    }
}

#[test]
fn the_gate_server_is_measured_over_tcp_and_over_a_unix_socket() {
    let rows = rows("server");
    let of = |work: &str, name: &str| {
        let fits = |row: &&Value| row["work"] == work && row["ours"]["name"] == name;
        rows.iter().find(fits).is_some()
    };
    for tokens in ["one token", "new tokens"] {
        for what in ["a request", "p50", "p99"] {
            for name in ["server, TCP", "server, Unix socket"] {
                let work = format!("{what}, {tokens}");
                assert!(of(&work, name), "{work}, {name}: {rows:?}");
            }
        }
    }
    assert!(has(&rows, "memory", "with 1 issuer"), "{rows:?}");
}

#[test]
fn the_gate_server_decides_rightly_near_its_limit_while_everything_changes() {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign-bench"))
        .args(["--campaign", "20"])
        .output()
        .expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("none decided wrongly"), "{said}");
}

//! The file in V8 decides as the native crate does.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_artefact_tests::{
    cases::{self, Answer, Case},
    dist,
    token::Key,
};
use serde_json::{Value, json};

#[test]
fn v8_decides_as_the_native_crate() {
    if !present() {
        return;
    }
    let (key, stranger) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let now_ms = cases::now_ms();
    let policy = cases::policy(&key);
    let cases = cases::cases(&key, &stranger, now_ms);

    let decisions = decide(&policy, &cases, now_ms);
    let expected = cases::native(&policy, &cases, now_ms);
    assert_eq!(decisions.len(), cases.len());
    for ((case, decision), expected) in cases.iter().zip(&decisions).zip(expected) {
        assert_eq!(answer(decision), expected, "{}", case.name);
    }
    assert_eq!(decisions[0]["principal"]["subject"], "user-1");
    let set = decisions[0]["set_headers"].as_array().unwrap();
    assert!(
        set.contains(&json!(["x-auth-subject", "user-1"])),
        "{set:?}"
    );
}

/// A host that is absent is said to be; in CI it fails the run.
fn present() -> bool {
    let found = Command::new("node").arg("--version").output().is_ok();
    let ci = std::env::var_os("CI").is_some();
    assert!(found || !ci, "node is not installed");
    if !found {
        println!("skipped: node is not installed");
    }
    found
}

fn decide(policy: &Value, cases: &[Case], now_ms: u64) -> Vec<Value> {
    let strings = |case: &Case| -> Vec<String> {
        let mut strings = vec![
            case.method.as_bytes(),
            cases::AUTHORITY.as_bytes(),
            case.target.as_bytes(),
        ];
        for (name, value) in &case.headers {
            strings.extend([name.as_bytes(), value]);
        }
        strings
            .into_iter()
            .map(|string| STANDARD.encode(string))
            .collect()
    };
    let cases: Vec<_> = cases.iter().map(strings).collect();
    let input = json!({ "policy": policy.to_string(), "now_ms": now_ms, "cases": cases });

    let mut node = Command::new("node")
        .arg(dist::root().join("tests/artefact/node.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin
        .take()
        .unwrap()
        .write_all(input.to_string().as_bytes())
        .unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "node failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn answer(decision: &Value) -> Answer {
    let text = |member: &str| decision[member].as_str().unwrap_or_default().to_owned();
    let status = match decision["decision"].as_str() {
        Some("allow") => 200,
        _ => u16::try_from(decision["status"].as_u64().unwrap()).unwrap(),
    };
    Answer {
        status,
        code: text("code"),
        challenge: text("challenge"),
    }
}

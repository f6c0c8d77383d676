//! Tests that the module in V8 decides like the native crate.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use countersign::inspect;
use countersign_artefact_tests::{
    cases::{self, Answer, Case},
    dist,
    token::Key,
};
use serde_json::{Value, json};

#[test]
fn v8_decides_like_the_native_crate() {
    if !present() {
        return;
    }
    let (key, stranger) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let now_ms = cases::now_ms();
    let policy = cases::policy(&key);
    let cases = cases::cases(&key, &stranger, now_ms);

    let answers = ask(&policy, now_ms, &cases, &[]);
    let decisions = answers["decisions"].as_array().unwrap();
    let expected = cases::native(&policy, &cases, now_ms);
    assert_eq!(decisions.len(), cases.len());
    for ((case, decision), expected) in cases.iter().zip(decisions).zip(expected) {
        assert_eq!(answer(decision), expected, "{}", case.name);
    }
    assert_eq!(decisions[0]["principal"]["subject"], "user-1");
    let set = decisions[0]["set_headers"].as_array().unwrap();
    assert!(
        set.contains(&json!(["x-auth-subject", "user-1"])),
        "{set:?}"
    );
}

/// In WebAssembly the decoder uses vector instructions, natively it does not.
#[test]
fn v8_decodes_tokens_like_the_native_crate() {
    if !present() {
        return;
    }
    let mut random = Random(20_261_121);
    let tokens: Vec<Vec<u8>> = (0..20_000).map(|_| random.token()).collect();
    let policy = cases::policy(&Key::read("rsa-2048-a"));

    let answers = ask(&policy, 0, &[], &tokens);
    let inspections = answers["inspections"].as_array().unwrap();
    assert_eq!(inspections.len(), tokens.len());
    let mut good = 0;
    for (token, inspection) in tokens.iter().zip(inspections) {
        let native = inspect(token);
        let expected = json!({
            "header": native.header,
            "claims": native.claims,
            "signature_bytes": native.signature_bytes,
            "fault": native.fault.map(|code| code.as_str()),
            "detail": native.detail,
        });
        assert_eq!(*inspection, expected, "{}", token.escape_ascii());
        good += u32::from(native.fault.is_none());
    }
    assert!((5_000..15_000).contains(&good), "{good} are good");
}

/// SplitMix64 with a fixed seed gives the same cases in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as usize % end
    }

    /// Returns a token of any length. Every second one is damaged in one place.
    fn token(&mut self) -> Vec<u8> {
        let text: String = (0..self.below(90))
            .map(|_| char::from(b' ' + self.below(95) as u8))
            .collect();
        let signature: Vec<u8> = (0..self.below(70)).map(|_| self.below(256) as u8).collect();
        let parts = [
            URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#),
            URL_SAFE_NO_PAD.encode(json!({ "text": text }).to_string()),
            URL_SAFE_NO_PAD.encode(signature),
        ];
        let mut token = parts.join(".").into_bytes();
        let place = self.below(token.len());
        match self.below(8) {
            0 => token[place] = self.below(256) as u8,
            1 => token[place] = b"-_AQgw.+/=Zz09"[self.below(14)],
            2 => token.truncate(place),
            3 => drop(token.remove(place)),
            _ => {}
        }
        token
    }
}

/// Returns whether Node.js is installed. If not, a message says so; in CI that
/// fails the run.
fn present() -> bool {
    let found = Command::new("node").arg("--version").output().is_ok();
    let ci = std::env::var_os("CI").is_some();
    assert!(found || !ci, "node is not installed");
    if !found {
        println!("skipped: node is not installed");
    }
    found
}

fn ask(policy: &Value, now_ms: u64, cases: &[Case], tokens: &[Vec<u8>]) -> Value {
    let strings = |case: &Case| -> Vec<String> {
        let mut strings = vec![
            case.method.as_bytes(),
            cases::AUTHORITY.as_bytes(),
            case.target.as_bytes(),
            // Nothing is known about the connection.
            b"",
            b"",
            b"",
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
    let tokens: Vec<_> = tokens.iter().map(|token| STANDARD.encode(token)).collect();
    let policy = policy.to_string();
    let input = json!({ "policy": policy, "now_ms": now_ms, "cases": cases, "tokens": tokens });

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

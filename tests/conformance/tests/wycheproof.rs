//! Runs Wycheproof: tokens and keys at the layer of JWS, and MACs over raw
//! bytes. `exceptions.json` lists the differences with reasons. The tests of
//! the kernel run the suites for signatures over raw bytes.

use std::path::Path;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign::{Algorithm, Jws, Limits};
use countersign_conformance::corpora::{
    self,
    exceptions::Tally,
    jose::{verifies, verifies_bytes},
};
use serde_json::{Value, json};

#[test]
fn json_web_signature() {
    tokens("json_web_signature_test.json");
}

#[test]
fn json_web_key() {
    tokens("json_web_key_test.json");
}

#[test]
fn json_web_crypto() {
    tokens("json_web_crypto_test.json");
}

#[test]
fn an_encrypted_token_does_not_pass_as_a_signed_one() {
    tokens("json_web_encryption_test.json");
}

fn tokens(file: &str) {
    let Some(folder) = corpora::folder("wycheproof") else {
        return;
    };
    let mut tally = Tally::new(&format!("wycheproof/{file}"));
    for (group, test) in tests(&folder.join(file)) {
        let keys = if group["public"].is_null() {
            &group["private"]
        } else {
            &group["public"]
        };
        let comment = test["comment"].as_str().unwrap_or_default();
        let id = &test["tcId"];
        // JSON serialisations are objects in the suite.
        let text = |token: &Value| {
            token
                .as_str()
                .map_or_else(|| token.to_string(), str::to_owned)
        };
        let Some(token) = test.get("jws") else {
            // A JWE, valid or invalid, is not a JWS.
            let ours = Jws::parse(text(&test["jwe"]).as_bytes(), &Limits::DEFAULT).is_ok();
            tally.add(id, false, ours, comment);
            continue;
        };
        match verifies(keys, &text(token)) {
            Ok(ours) => tally.add(id, test["result"] == "valid", ours, comment),
            Err(reason) => tally.not_applicable(id, reason),
        }
    }
    tally.finish();
}

#[test]
fn hmac_tags() {
    let Some(folder) = corpora::folder("wycheproof") else {
        return;
    };
    for hash in [256, 384, 512] {
        let file = format!("hmac_sha{hash}_test.json");
        let mut tally = Tally::new(&format!("wycheproof/{file}"));
        let algorithm = Algorithm::from_name(&format!("HS{hash}")).expect("HS");
        for (group, test) in tests(&folder.join(&file)) {
            let key = json!({ "kty": "oct", "k": encode(&hex(&test["key"])) });
            let whole = group["tagSize"] == hash;
            let comment = test["comment"].as_str().unwrap_or_default();
            match verifies_bytes(&key, algorithm, &hex(&test["msg"]), &hex(&test["tag"])) {
                // RFC 7518 §3.2: no secret shorter than the hash.
                None => {
                    assert!(
                        group["keySize"].as_u64() < Some(hash),
                        "{comment}: the secret is refused"
                    );
                    tally.not_applicable(
                        &test["tcId"],
                        "the secret is shorter than the hash, and refused",
                    );
                }
                // A JWS has full tags: a truncated tag is invalid.
                Some(ours) => {
                    tally.add(
                        &test["tcId"],
                        whole && test["result"] == "valid",
                        ours,
                        comment,
                    );
                }
            }
        }
        tally.finish();
    }
}

fn tests(path: &Path) -> Vec<(Value, Value)> {
    let suite = corpora::json(path);
    let mut tests = Vec::new();
    for group in suite["testGroups"].as_array().expect("groups") {
        let mut head = group.clone();
        head.as_object_mut().expect("a group").shift_remove("tests");
        for test in group["tests"].as_array().expect("tests") {
            tests.push((head.clone(), test.clone()));
        }
    }
    tests
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hex");
    (0..text.len() / 2)
        .map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).expect("hex"))
        .collect()
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

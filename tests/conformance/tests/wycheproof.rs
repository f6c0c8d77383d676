//! Runs Wycheproof: tokens and keys at the layer of JWS, and MACs and signatures
//! over raw bytes. `exceptions.json` lists the differences with reasons. All are
//! verified twice, by the module's code and by AWS-LC as a host with its own
//! cryptography does it: the results must be equal.

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

#[test]
fn rsa_signatures() {
    for bits in [2048, 3072, 4096] {
        for hash in [256, 384, 512] {
            let file = format!("rsa_signature_{bits}_sha{hash}_test.json");
            signatures(&file, &format!("RS{hash}"), |group| {
                rsa(&group["publicKey"])
            });
        }
    }
    let file = "rsa_signature_8192_sha256_test.json";
    signatures(file, "RS256", |group| rsa(&group["publicKey"]));
    for (bits, hash, salt) in [
        (2048, 256, 32),
        (2048, 384, 48),
        (3072, 256, 32),
        (4096, 256, 32),
        (4096, 384, 48),
        (4096, 512, 64),
    ] {
        let file = format!("rsa_pss_{bits}_sha{hash}_mgf1_{salt}_test.json");
        signatures(&file, &format!("PS{hash}"), |group| {
            rsa(&group["publicKey"])
        });
    }
}

#[test]
fn curves() {
    for (file, name, curve) in [
        ("ecdsa_secp256r1_sha256_p1363_test.json", "ES256", "P-256"),
        ("ecdsa_secp384r1_sha384_p1363_test.json", "ES384", "P-384"),
        ("ecdsa_secp521r1_sha512_p1363_test.json", "ES512", "P-521"),
    ] {
        signatures(file, name, |group| {
            let point = hex(&group["publicKey"]["uncompressed"]);
            let (x, y) = point[1..].split_at(point.len() / 2);
            json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
        });
    }
    signatures("ed25519_test.json", "EdDSA", |group| {
        let x = encode(&hex(&group["publicKey"]["pk"]));
        json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
    });
}

/// The kernel's tests have the rule; here both have to agree on it.
#[test]
fn unusual_ed25519_signatures() {
    let Some(folder) = corpora::folder("cctv_ed25519") else {
        return;
    };
    let vectors = corpora::json(&folder.join("ed25519vectors.json"));
    let mut valid = 0;
    for vector in vectors.as_array().expect("vectors") {
        let x = encode(&hex(&vector["key"]));
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        let message = vector["msg"].as_str().expect("a text").as_bytes();
        let ours = verifies_bytes(&key, Algorithm::EdDSA, message, &hex(&vector["sig"]));
        valid += u32::from(ours == Some(true));
    }
    assert!(valid > 10, "{valid}");
}

fn signatures(file: &str, algorithm: &str, key: impl Fn(&Value) -> Value) {
    let Some(folder) = corpora::folder("wycheproof") else {
        return;
    };
    let mut tally = Tally::new(&format!("wycheproof/{file}"));
    let algorithm = Algorithm::from_name(algorithm).expect("an algorithm");
    for (group, test) in tests(&folder.join(file)) {
        let (message, signature) = (hex(&test["msg"]), hex(&test["sig"]));
        let ours = verifies_bytes(&key(&group), algorithm, &message, &signature);
        let comment = test["comment"].as_str().unwrap_or_default();
        tally.add(
            &test["tcId"],
            test["result"] == "valid",
            ours == Some(true),
            comment,
        );
    }
    tally.finish();
}

fn rsa(key: &Value) -> Value {
    let number = |name: &str| {
        let bytes = hex(&key[name]);
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        encode(&bytes[zeros..])
    };
    json!({ "kty": "RSA", "n": number("modulus"), "e": number("publicExponent") })
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

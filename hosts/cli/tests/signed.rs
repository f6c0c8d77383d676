//! `countersign policy digest`, `key`, `sign` and `verify`.
#![allow(missing_docs)]

mod common;

use common::{Folder, Run};
use serde_json::{Value, json};

const SIGN: &str =
    "policy sign policy.yaml --key key.pem --kid a --name shop --audience production";

const POLICY: &str = "\
# The comment is signed too.
contract: \"1\"
issuers:
  - { name: idp, issuer: https://idp.example, audiences: [shop], algorithms: [EdDSA], keys: { jwks_uri: https://idp.example/keys } }
rules:
  - { path: /**, require: {} }
";

/// With a policy, a key, its trust and a signed policy of version 7.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("policy.yaml", POLICY);
    let jwk = folder.run("policy key key.pem --kid a").expect(0).json();
    trust(&folder, &[jwk], json!({}));
    sign(&folder, "--version 7 --expires 1h");
    folder
}

fn trust(folder: &Folder, keys: &[Value], other: Value) {
    let mut trust = json!({ "keys": keys, "policy": "shop", "audience": "production" });
    for (name, value) in other.as_object().unwrap() {
        trust[name] = value.clone();
    }
    folder.write("trust.json", &trust.to_string());
}

fn sign(folder: &Folder, rest: &str) {
    let signed = folder.run(&format!("{SIGN} {rest}")).expect(0).stdout;
    folder.write("policy.jws", &signed);
}

fn verify(folder: &Folder) -> Run {
    folder.run("policy verify policy.jws --trust trust.json --json")
}

#[track_caller]
fn refused(folder: &Folder, code: &str) {
    let refused = verify(folder).expect(1).json();
    assert_eq!(
        (&refused["verified"], &refused["code"]),
        (&json!(false), &json!(code))
    );
}

#[test]
fn a_signed_policy_is_verified_and_its_bytes_are_those_of_the_file() {
    let folder = folder();
    let verified = verify(&folder).expect(0).json();
    assert_eq!(
        (
            &verified["verified"],
            &verified["version"],
            &verified["kid"]
        ),
        (&json!(true), &json!(7), &json!("a"))
    );
    let printed = folder.run("policy verify policy.jws --trust trust.json --print");
    assert_eq!(printed.expect(0).stdout, POLICY);
}

#[test]
fn what_the_trust_does_not_name_is_refused() {
    let folder = folder();
    let key: Value =
        serde_json::from_str::<Value>(&folder.read("trust.json")).unwrap()["keys"][0].clone();
    for (member, value, code) in [
        ("policy", json!("other"), "policy_mismatch"),
        ("audience", json!("staging"), "audience_mismatch"),
        ("min_version", json!(8), "version_old"),
        ("issuer", json!("x"), "field_unknown"),
    ] {
        trust(
            &folder,
            std::slice::from_ref(&key),
            json!({ member: value }),
        );
        refused(&folder, code);
    }
    let other = folder.run("policy key other.pem --kid a").expect(0).json();
    trust(&folder, &[other], json!({}));
    refused(&folder, "signature_invalid");
    let second = folder.run("policy key second.pem").expect(0).json();
    trust(&folder, &[second, key], json!({ "min_version": 7 }));
    verify(&folder).expect(0);
    sign(&folder, "--version 7 --expires 0s");
    refused(&folder, "expired");
}

#[test]
fn a_changed_policy_is_refused() {
    let folder = folder();
    let signed = folder.read("policy.jws");
    let parts: Vec<&str> = signed.trim().split('.').collect();
    sign(&folder, "--version 8 --expires 1h");
    let other = folder.read("policy.jws");
    let header = other.split('.').next().unwrap();
    folder.write("policy.jws", &format!("{header}.{}.{}", parts[1], parts[2]));
    refused(&folder, "signature_invalid");
}

#[test]
fn a_key_of_openssl_signs_too_and_a_key_is_never_overwritten() {
    let folder = folder();
    let made = std::process::Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out", "key.pem"])
        .current_dir(&folder.path)
        .status();
    assert!(made.unwrap().success());
    sign(&folder, "--version 9 --expires 1h");
    refused(&folder, "signature_invalid");
    let before = folder.read("key.pem");
    assert!(
        folder
            .run("policy key key.pem")
            .expect(2)
            .text()
            .contains("cannot write")
    );
    assert_eq!(folder.read("key.pem"), before);
}

#[test]
fn a_policy_with_errors_or_secrets_is_not_signed() {
    let folder = folder();
    folder.write(
        "policy.yaml",
        &POLICY.replace("require: {}", "requires: {}"),
    );
    let run = folder
        .run(&format!("{SIGN} --version 8 --expires 1h"))
        .expect(2);
    assert!(run.text().contains("requires"), "{run:?}");
    let secret =
        "keys: { secrets: [{ kid: a, k: c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA }] }";
    let policy = POLICY.replace("keys: { jwks_uri: https://idp.example/keys }", secret);
    folder.write("policy.yaml", &policy.replace("EdDSA", "HS256"));
    let run = folder
        .run(&format!("{SIGN} --version 8 --expires 1h"))
        .expect(2);
    assert!(run.text().contains("secret_from"), "{run:?}");
    assert!(!run.text().contains("c2VjcmV0"), "{run:?}");
}

#[test]
fn yaml_json_and_the_order_of_members_have_one_digest() {
    let folder = folder();
    let shown = folder.run("policy show policy.yaml").expect(0).json();
    let mut reversed = serde_json::Map::new();
    for (name, value) in shown.as_object().unwrap().iter().rev() {
        reversed.insert(name.clone(), value.clone());
    }
    folder.write("policy.json", &Value::Object(reversed).to_string());
    let digest = |file: &str| {
        let said = folder
            .run(&format!("policy digest {file} --json"))
            .expect(0)
            .json();
        said["digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(digest("policy.yaml"), digest("policy.json"));
    assert_eq!(digest("policy.yaml").len(), 64);
    folder.write("policy.json", &shown.to_string().replace("shop", "ship"));
    assert_ne!(digest("policy.yaml"), digest("policy.json"));
}

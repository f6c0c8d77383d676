//! Tests of the digest of a policy. The digests here were computed by Python's
//! `hashlib` over the canonical form.

use countersign::{Gate, policy_digest};

const DIGEST: &str = "62293272a63da3457e87425c001524c57faf25a904a8f5f49dbf96cf5f4f91a3";

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_digest_is_that_of_the_canonical_form() {
    for text in [
        r#"{"contract":"1","issuers":[]}"#,
        "{ \"issuers\" : [ ],\n\t\"contract\" : \"\\u0031\" }\n",
    ] {
        assert_eq!(
            hex(policy_digest(text.as_bytes()).unwrap()),
            DIGEST,
            "{text}"
        );
        let other = text.replace("[", "[1");
        assert_ne!(hex(policy_digest(other.as_bytes()).unwrap()), DIGEST);
    }
}

#[test]
fn a_gate_says_the_digest_of_its_policy() {
    let text = r#"{ "contract": "1", "issuers": [{ "name": "a", "issuer": "https://a.test",
        "audiences": ["api"], "algorithms": ["RS256"], "keys": { "jwks_uri": "https://a.test/keys" } }] }"#;
    let gate = Gate::open(text.as_bytes(), 5).unwrap();
    assert_eq!(gate.digest(), policy_digest(text.as_bytes()).unwrap());
}

#[test]
fn what_is_no_strict_json_has_no_digest() {
    for text in ["", "{", r#"{"a":1,"a":1}"#, "{} {}"] {
        assert!(policy_digest(text.as_bytes()).is_err(), "{text}");
    }
}

//! The digest of a policy.

use sha2::{Digest, Sha256};

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    topic("digest", "The digest of a policy", digests())
}

const FRONT: &str = r#"{"contract":"1","issuers":[{"algorithms":["RS256"],"audiences":["b"],"issuer":"https://a.example","keys":{"jwks_uri":"https://a.example/jwks"}"#;
const BACK: &str = "}]}";

fn digests() -> Vec<Draft> {
    // The canonical form, and its digest by other means.
    let canonical = |middle: &str| [FRONT, middle, BACK].concat();
    let digest = |text: &str| {
        let digest = Sha256::digest(text);
        let bytes = digest.iter().map(|byte| format!("{byte:02x}"));
        bytes.collect::<String>()
    };
    let plain = canonical(r#","name":"a""#);
    let asking = |id, title| vector(id, title, &["policy.digest"]);
    let spaced = plain
        .replace(r#""name":"a""#, r#" "na\u006de" : "\u0061" "#)
        .replace(r#"{"contract":"1","#, "{\n")
        .replace("]}", "] , \"contract\" :\t\"\\u0031\" }\n");
    // RFC 8785 §3.2.3 sorts by UTF-16: U+1F600 comes before U+FB33.
    let sorted = ",\"name\":\"a\",\"require\":{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
    let shuffled = ",\"name\":\"a\",\"require\":{\"\u{fb33}\":3,\"\u{1f600}\":5,\"\u{20ac}\":1,\"\\u0080\":6,\"1\":4,\"\\r\":2}";
    let numbers = r#","name":"a","require":{"a":3ff8000000000000,"b":100,"c":0,"d":9007199254740991,"e":"\u0001\b\"\\/"}"#;
    let written = r#","name":"a","require":{"a":1.5,"b":1.0e2,"c":-0,"d":9007199254740991,"e":"\u0001\u0008\u0022\\\/"}"#;
    vec![
        asking(
            "digest-canonical",
            "the digest of a policy in its canonical form",
        )
        .policy(plain.as_str())
        .digest(&digest(&plain)),
        asking(
            "digest-spaces",
            "spaces, escapes and the order of members do not change it",
        )
        .policy(spaced)
        .digest(&digest(&plain)),
        asking(
            "digest-order",
            "members are sorted by their UTF-16 code units",
        )
        .policy(canonical(shuffled))
        .digest(&digest(&canonical(sorted))),
        asking(
            "digest-numbers",
            "whole numbers are written in digits, others as their bits",
        )
        .policy(canonical(written))
        .digest(&digest(&canonical(numbers))),
        asking("digest-differs", "another value has another digest")
            .policy(canonical(r#","name":"b""#))
            .digest(&digest(&canonical(r#","name":"b""#))),
    ]
}

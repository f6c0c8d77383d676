//! Signed policies.

use super::prelude::*;
use crate::{
    operation::{Signed, SignedExpect, SignedPolicy},
    vector::ExpectedProblem,
};

const POLICY: &str = "contract: \"1\" # YAML is signed as it is\n";

pub(super) fn vectors() -> Topic {
    let drafts = [good(), headers(), tampered(), trusts()].concat();
    topic("signed-policies", "Signed policies", drafts)
}

fn header() -> Value {
    json!({
        "alg": "EdDSA", "typ": "countersign-policy+jws", "kid": ED.kid(), "policy": "edge", "aud": "production",
        "version": 7, "exp": NOW_S + 3_600,
    })
}

fn trust() -> Value {
    let keys = jwks([ED.public()])["keys"].take();
    json!({ "keys": keys, "policy": "edge", "audience": "production" })
}

fn with(mut object: Value, name: &str, value: impl Into<Value>) -> Value {
    object[name] = value.into();
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object
        .as_object_mut()
        .expect("an object")
        .shift_remove(name);
    object
}

/// Signs a policy with this header.
fn signed_by(key: &Key, header: &Value) -> String {
    signed_text(key, header.to_string())
}

fn signed_text(key: &Key, header: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", encode(header), encode(POLICY));
    let signature = sign(key, "EdDSA", input.as_bytes());
    format!("{input}.{}", encode(signature))
}

fn signed(header: &Value) -> String {
    signed_by(&ED, header)
}

fn says(version: u64, kid: &str) -> SignedExpect {
    SignedExpect::Opened(SignedPolicy {
        policy: POLICY.into(),
        version,
        expires_ms: (NOW_S.unsigned_abs() + 3_600) * 1_000,
        kid: kid.into(),
    })
}

fn refused(code: &str, pointer: &str) -> SignedExpect {
    SignedExpect::Refused(ExpectedProblem {
        pointer: pointer.into(),
        code: code.into(),
    })
}

fn opening(id: &str, title: &str, rule: &str) -> Draft {
    vector(id, title, &[rule])
}

/// A step of the signed text by this trust.
fn by(signed: impl Into<String>, trust: Value) -> Signed {
    Signed {
        signed: signed.into(),
        trust,
    }
}

fn good() -> Vec<Draft> {
    let two = || with(trust(), "keys", vec![ED.public(), ED_B.public()]);
    let rotated = with(header(), "kid", ED_B.kid());
    vec![
        opening(
            "signed-good",
            "a signed policy says what was signed",
            "signed-policy.form",
        )
        .opens_signed(by(signed(&header()), trust()), says(7, "ed25519"))
        .opens_signed(
            by(format!("{}\n", signed(&header())), trust()),
            says(7, "ed25519"),
        ),
        opening(
            "signed-two-keys",
            "either of two trusted keys is good",
            "signed-policy.signature",
        )
        .opens_signed(by(signed(&header()), two()), says(7, "ed25519"))
        .opens_signed(by(signed_by(&ED_B, &rotated), two()), says(7, "ed25519-b"))
        .opens_signed(
            by(signed_by(&ED_B, &rotated), trust()),
            refused("signature_invalid", ""),
        ),
        opening(
            "signed-version",
            "a version below the lowest one is refused",
            "signed-policy.version",
        )
        .opens_signed(
            by(signed(&header()), with(trust(), "min_version", 7)),
            says(7, "ed25519"),
        )
        .opens_signed(
            by(signed(&header()), with(trust(), "min_version", 8)),
            refused("version_old", ""),
        ),
        opening(
            "signed-expired",
            "an expired policy is refused",
            "signed-policy.expiry",
        )
        .at(3_599_999)
        .opens_signed(by(signed(&header()), trust()), says(7, "ed25519"))
        .at(3_600_000)
        .opens_signed(by(signed(&header()), trust()), refused("expired", "")),
        opening(
            "signed-names",
            "it is for another policy or another audience",
            "signed-policy.names",
        )
        .opens_signed(
            by(signed(&with(header(), "policy", "core")), trust()),
            refused("policy_mismatch", ""),
        )
        .opens_signed(
            by(signed(&with(header(), "aud", "staging")), trust()),
            refused("audience_mismatch", ""),
        )
        .opens_signed(
            by(
                signed(&with(header(), "aud", json!(["production"]))),
                trust(),
            ),
            refused("audience_mismatch", ""),
        ),
    ]
}

fn headers() -> Vec<Draft> {
    let invalid = || refused("header_invalid", "");
    let mut wrong = opening(
        "signed-header-wrong",
        "each member of the header has its value",
        "signed-policy.header",
    );
    for (name, value) in [
        ("alg", json!("Ed25519")),
        ("alg", json!("none")),
        ("typ", json!("JWT")),
        ("kid", json!(ED_B.kid())),
        ("version", json!("7")),
        ("version", json!(-1)),
        ("version", json!(7.5)),
        ("exp", json!("soon")),
    ] {
        wrong = wrong.opens_signed(by(signed(&with(header(), name, value)), trust()), invalid());
    }
    let mut missing = opening(
        "signed-header-missing",
        "each member of the header is needed",
        "signed-policy.header",
    );
    for name in ["alg", "typ", "kid", "version", "exp"] {
        missing = missing.opens_signed(by(signed(&without(header(), name)), trust()), invalid());
    }
    missing = missing
        .opens_signed(
            by(signed(&without(header(), "policy")), trust()),
            refused("policy_mismatch", ""),
        )
        .opens_signed(
            by(signed(&without(header(), "aud")), trust()),
            refused("audience_mismatch", ""),
        );
    let twice = header().to_string().replacen('{', r#"{"version":9,"#, 1);
    vec![
        wrong,
        missing,
        opening(
            "signed-header-unknown",
            "an unknown member of the header is refused",
            "signed-policy.header",
        )
        .opens_signed(
            by(signed(&with(header(), "crit", json!(["b64"]))), trust()),
            refused("field_unknown", "/crit"),
        )
        .opens_signed(
            by(signed(&with(header(), "iat", NOW_S)), trust()),
            refused("field_unknown", "/iat"),
        ),
        opening(
            "signed-header-strict",
            "the header is strict JSON",
            "signed-policy.header",
        )
        .opens_signed(by(signed_text(&ED, twice), trust()), refused("syntax", ""))
        .opens_signed(by(signed_text(&ED, "[]"), trust()), refused("syntax", ""))
        .opens_signed(
            by(
                signed_text(&ED, with(header(), "policy", "e".repeat(4_096)).to_string()),
                trust(),
            ),
            refused("syntax", ""),
        ),
    ]
}

fn tampered() -> Vec<Draft> {
    let good = signed(&header());
    let [head, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let newer = encode(with(header(), "version", 8).to_string());
    let other = encode("contract: \"1\"\n");
    let invalid = || refused("signature_invalid", "");
    let asking = |id, title| opening(id, title, "signed-policy.signature");
    vec![
        asking("signed-payload-changed", "a changed policy").opens_signed(
            by(format!("{head}.{other}.{signature}"), trust()),
            invalid(),
        ),
        asking("signed-header-changed", "a changed header").opens_signed(
            by(format!("{newer}.{payload}.{signature}"), trust()),
            invalid(),
        ),
        asking(
            "signed-signature-changed",
            "no signature, half of one, and one of something else",
        )
        .opens_signed(by(format!("{head}.{payload}."), trust()), invalid())
        .opens_signed(
            by(format!("{head}.{payload}.{}", &signature[..43]), trust()),
            invalid(),
        )
        .opens_signed(
            by(
                format!("{head}.{payload}.{}", encode(sign(&ED, "EdDSA", b"a"))),
                trust(),
            ),
            invalid(),
        ),
        asking("signed-other-forms", "what is no compact JWS")
            .opens_signed(by("", trust()), invalid())
            .opens_signed(by(POLICY, trust()), invalid())
            .opens_signed(by(format!("{good}.{signature}"), trust()), invalid())
            .opens_signed(
                by(format!("{head}.\n{payload}.{signature}"), trust()),
                invalid(),
            )
            .opens_signed(
                by(
                    json!({ "protected": head, "payload": payload, "signature": signature })
                        .to_string(),
                    trust(),
                ),
                invalid(),
            ),
    ]
}

fn trusts() -> Vec<Draft> {
    let asking = |id, title| opening(id, title, "signed-policy.trust");
    let wrong = |draft: Draft, trust: Value, code: &str, pointer: &str| {
        draft.opens_signed(by(signed(&header()), trust), refused(code, pointer))
    };
    let mut keys = asking(
        "signed-trust-keys",
        "one or two Ed25519 keys, each with a `kid` of its own",
    );
    for (list, code, pointer) in [
        (vec![], "value_invalid", "/keys"),
        (vec![ED.nameless(json!({}))], "value_invalid", "/keys"),
        (
            vec![ED.public(), ED_B.with(json!({ "kid": ED.kid() }))],
            "value_invalid",
            "/keys",
        ),
        (
            vec![ED.public(), ED_B.public(), ED.with(json!({ "kid": "c" }))],
            "value_invalid",
            "/keys",
        ),
        (vec![ED.public(), P256.public()], "key_unusable", "/keys/1"),
    ] {
        keys = wrong(keys, with(trust(), "keys", list), code, pointer);
    }
    let mut members = asking(
        "signed-trust-members",
        "a trust has the names, and at most the lowest version",
    );
    for (trust, code, pointer) in [
        (without(trust(), "policy"), "value_invalid", "/policy"),
        (with(trust(), "policy", ""), "value_invalid", "/policy"),
        (without(trust(), "audience"), "value_invalid", "/audience"),
        (
            with(trust(), "audience", json!(["production"])),
            "value_invalid",
            "/audience",
        ),
        (
            with(trust(), "min_version", "7"),
            "value_invalid",
            "/min_version",
        ),
        (
            with(trust(), "min_version", -1),
            "value_invalid",
            "/min_version",
        ),
        (
            with(trust(), "max_version", 7),
            "field_unknown",
            "/max_version",
        ),
        (json!("[]"), "syntax", ""),
        (json!("{"), "syntax", ""),
    ] {
        members = wrong(members, trust, code, pointer);
    }
    vec![keys, members]
}

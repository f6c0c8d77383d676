//! Algorithms: known ones and allowed ones, and keys that a token supplies.

use countersign::Algorithm;

use super::{form::raw, prelude::*};

pub(super) fn vectors() -> Topic {
    let drafts = [known(), listed(), key_sources()].concat();
    topic(
        "algorithms",
        "Algorithms, and keys that a token brings along",
        drafts,
    )
}

fn known() -> Vec<Draft> {
    let unknown = |id: &str, title: &str, alg: &str, signature: &[u8]| {
        vector(id, title, &["header.alg-known"])
            .attack("alg-none")
            .ask(
                token().header("alg", alg).signature(signature),
                Code::AlgorithmNotAllowed,
            )
    };
    let mut drafts: Vec<Draft> = ["none", "None", "NONE", "nOnE"]
        .iter()
        .enumerate()
        .map(|(n, name)| {
            unknown(
                &format!("alg-none-{}", n + 1),
                &format!("`{name}`, no signature"),
                name,
                b"",
            )
        })
        .collect();
    drafts.extend([
        unknown(
            "alg-none-junk",
            "`none` with junk for a signature",
            "none",
            b"junk",
        ),
        vector(
            "alg-none-signed",
            "`none` with a good signature",
            &["header.alg-known"],
        )
        .attack("alg-none")
        .ask(token().header("alg", "none"), Code::AlgorithmNotAllowed),
        unknown("alg-none-space", "`none` and a space", "none ", b""),
        unknown("alg-empty", "an empty name", "", b""),
        unknown("alg-lower", "`rs256`: names have case", "rs256", b""),
        unknown("alg-space", "`RS256` and a space", "RS256 ", b""),
        unknown("alg-encryption", "an algorithm of JWE", "RSA-OAEP", b""),
        vector(
            "alg-none-two-parts",
            "`none` without the last dot",
            &["token.three-parts"],
        )
        .attack("null-signature")
        .ask(
            raw(token().header("alg", "none").signing_input()),
            Code::TokenMalformed,
        ),
    ]);
    drafts
}

/// Returns the key for an algorithm. Add each new algorithm here.
fn key_of(alg: Algorithm) -> &'static Key {
    match alg.as_str() {
        "ES256" => &P256,
        "ES384" => &P384,
        "ES512" => &P521,
        "EdDSA" => &ED,
        "HS256" | "HS384" | "HS512" => &SECRET,
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => &A,
        other => panic!("no key for {other}"),
    }
}

fn listed() -> Vec<Draft> {
    let policy_of = |alg: Algorithm| {
        let policy = policy().issuer("algorithms", json!([alg.as_str()]));
        match alg.is_symmetric() {
            true => policy.issuer("keys", json!({ "secrets": [SECRET.secret()] })),
            false => policy.keys([key_of(alg).public()]),
        }
    };
    let mut drafts = Vec::new();
    for alg in Algorithm::ALL.iter().copied() {
        let good = || token().key(key_of(alg)).alg(alg.as_str());
        let signature = sign(key_of(alg), alg.as_str(), b"something else");
        let id = format!("algorithm-{}", alg.as_str().to_lowercase());
        let rules: &[&str] = match alg.is_symmetric() {
            true => &["algorithm.verify", "signature.hmac"],
            false => &["algorithm.verify"],
        };
        drafts.push(
            vector(&id, alg.as_str(), rules)
                .policy(policy_of(alg))
                .ask(good(), allow())
                .ask(good().signature(signature), Code::SignatureInvalid),
        );
    }
    drafts.extend([
        vector(
            "algorithm-not-listed",
            "a good algorithm that the issuer does not list",
            &["algorithm.allowed"],
        )
        .ask(token().alg("RS512"), Code::AlgorithmNotAllowed),
        vector(
            "algorithm-key-says-more",
            "a key for an algorithm that the issuer does not list",
            &["algorithm.allowed"],
        )
        .policy(policy().keys([A.public(), B.with(json!({ "alg": "RS512" }))]))
        .ask(token().key(&B).alg("RS512"), Code::AlgorithmNotAllowed),
        vector(
            "algorithm-psychic",
            "an ES256 signature of zeros, where RS256 is allowed",
            &["algorithm.allowed"],
        )
        .attack("psychic-signature")
        .attack("ecdsa-encoding")
        .ask(
            token().header("alg", "ES256").signature([0; 64]),
            Code::AlgorithmNotAllowed,
        ),
        vector(
            "algorithm-pss",
            "PS256, where RS256 is allowed",
            &["algorithm.allowed"],
        )
        .attack("pss-salt")
        .ask(token().header("alg", "PS256"), Code::AlgorithmNotAllowed),
    ]);
    drafts
}

fn key_sources() -> Vec<Draft> {
    // The token is signed with B, and its header contains B's public key.
    let stranger = || token().signed_by(&B);
    let ignored = |id, title, class: &str, token: Token| {
        vector(id, title, &["header.key-sources"])
            .attack(class)
            .ask(token, Code::SignatureInvalid)
    };
    vec![
        ignored(
            "key-source-jwk",
            "a key in `jwk`",
            "header-jwk",
            stranger().header("jwk", B.public()),
        ),
        ignored(
            "key-source-jwk-kid",
            "a key in `jwk` with the issuer's `kid`",
            "header-jwk",
            stranger().header("jwk", B.with(json!({ "kid": A.kid() }))),
        ),
        ignored(
            "key-source-jku",
            "a set at `jku`",
            "header-jku-x5u-x5c",
            stranger().header("jku", "https://evil.example/jwks.json"),
        ),
        ignored(
            "key-source-x5u",
            "a certificate at `x5u`",
            "header-jku-x5u-x5c",
            stranger().header("x5u", "https://evil.example/cert.pem"),
        ),
        ignored(
            "key-source-x5c",
            "a certificate in `x5c`",
            "header-jku-x5u-x5c",
            stranger().header("x5c", json!(["MIIB"])),
        ),
        vector(
            "key-source-good",
            "a good token that brings them all is judged by the issuer's key",
            &["header.key-sources"],
        )
        .ask(
            token()
                .header("jwk", B.public())
                .header("jku", "https://evil.example/jwks.json")
                .header("x5t", "AAAA")
                .header("whatever", json!({ "a": [1] })),
            allow(),
        ),
    ]
}

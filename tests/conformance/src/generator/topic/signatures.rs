//! The form of a signature, and attacks on it.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::Hmac;
use sha2::{Digest, Sha256};

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [signature(), padding(), confusion()].concat();
    topic(
        "signatures",
        "What a signature has to be, and tricks with it",
        drafts,
    )
}

fn signature() -> Vec<Draft> {
    let good = token().compact();
    let (input, _) = good.rsplit_once('.').expect("dots");
    let (header, _) = input.split_once('.').expect("a dot");
    let signature = sign(&A, "RS256", input.as_bytes());
    let flipped = |at: usize| {
        let mut bytes = signature.clone();
        bytes[at] ^= 1;
        token().signature(bytes)
    };
    let bad = |id, title, rule, token: Token| {
        vector(id, title, &[rule]).ask(token, Code::SignatureInvalid)
    };
    let strict = "signature.strict";
    vec![
        bad(
            "signature-empty",
            "no signature",
            strict,
            token().signature(""),
        )
        .attack("null-signature"),
        bad(
            "signature-short",
            "a byte less",
            strict,
            token().signature(&signature[..255]),
        ),
        bad(
            "signature-long",
            "a byte more",
            strict,
            token().signature([&signature[..], &[0]].concat()),
        ),
        bad(
            "signature-leading-zero",
            "a zero in front",
            strict,
            token().signature([&[0], &signature[..]].concat()),
        ),
        bad(
            "signature-zeros",
            "zeros",
            strict,
            token().signature([0; 256]),
        ),
        bad(
            "signature-ones",
            "larger than the modulus",
            strict,
            token().signature([0xff; 256]),
        ),
        bad(
            "signature-modulus",
            "the modulus itself",
            strict,
            token().signature(A.bytes("n")),
        ),
        bad(
            "signature-one",
            "the number one",
            strict,
            token().signature([&[0; 255][..], &[1]].concat()),
        ),
        bad(
            "signature-first-bit",
            "one bit of the first byte",
            "signature.covers",
            flipped(0),
        ),
        bad(
            "signature-last-bit",
            "one bit of the last byte",
            "signature.covers",
            flipped(255),
        ),
        bad(
            "signature-base64-twice",
            "base64url of base64url",
            strict,
            token().signature(encode(&signature)),
        ),
        bad(
            "signature-other-key",
            "another key's",
            "signature.covers",
            token().signed_by(&B),
        ),
        bad(
            "signature-other-hash",
            "over another hash",
            strict,
            token().signature(sign(&A, "RS512", token().signing_input().as_bytes())),
        ),
        bad(
            "signature-claims-changed",
            "a claim was changed afterwards",
            "signature.covers",
            token().claim("sub", "root").signature(&signature),
        ),
        bad(
            "signature-header-changed",
            "the header was changed afterwards",
            "signature.covers",
            token().header("typ", "JWT").signature(&signature),
        ),
        bad(
            "signature-respelled",
            "the same claims with a space",
            "signature.covers",
            token()
                .claims_text(format!("{} ", token().claims_json()))
                .signature(&signature),
        ),
        bad(
            "signature-payload-only",
            "over the payload alone",
            "signature.covers",
            token().signature(sign(&A, "RS256", &input.as_bytes()[header.len() + 1..])),
        ),
    ]
}

/// PKCS #1 v1.5 padding that a careless verifier accepts (RFC 8017 §8.2.2).
fn padding() -> Vec<Draft> {
    let input = token().signing_input();
    let digest = Sha256::digest(input.as_bytes());
    let info = |null: bool| {
        let oid: &[u8] = &[
            0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        ];
        let algorithm = if null {
            [oid, &[0x05, 0x00]].concat()
        } else {
            oid.to_vec()
        };
        let octets = [&[0x04, 0x20], &digest[..]].concat();
        let inner = [&[0x30, algorithm.len() as u8][..], &algorithm, &octets].concat();
        [&[0x30, inner.len() as u8][..], &inner].concat()
    };
    let block = |kind: u8, ff: usize, info: &[u8]| {
        let mut block = [&[0, kind][..], &vec![0xff; ff], &[0], info].concat();
        block.resize(256, 0);
        block
    };
    let full = |info: &[u8]| 253 - info.len();
    let bad = |id, title, block: Vec<u8>| {
        vector(id, title, &["signature.strict"])
            .attack("pkcs1-padding")
            .ask(
                token().signature(A.private_operation(&block)),
                Code::SignatureInvalid,
            )
    };
    let strict = info(true);
    vec![
        vector(
            "padding-good",
            "the padding as it has to be",
            &["signature.strict"],
        )
        .ask(
            token().signature(A.private_operation(&block(1, full(&strict), &strict))),
            allow(),
        ),
        bad(
            "padding-garbage-after",
            "a short padding with garbage behind",
            block(1, 8, &strict),
        ),
        bad(
            "padding-no-null",
            "parameters left out",
            block(1, full(&info(false)), &info(false)),
        ),
        bad(
            "padding-type-2",
            "the padding of encryption",
            block(2, full(&strict), &strict),
        ),
        bad(
            "padding-bare-digest",
            "the digest alone",
            block(1, full(&digest), &digest),
        ),
        bad(
            "padding-digest-short",
            "a digest without its last byte",
            block(1, full(&strict) + 1, &strict[..strict.len() - 1]),
        ),
    ]
}

fn confusion() -> Vec<Draft> {
    let hs = |secret: &[u8]| {
        let token = token().header("alg", "HS256");
        let tag = hmac::<Hmac<Sha256>>(secret, token.signing_input().as_bytes());
        token.signature(tag)
    };
    let pem = {
        let body = BASE64_STANDARD.encode(A.spki());
        let lines: Vec<&str> = body
            .as_bytes()
            .chunks(64)
            .map(|l| str::from_utf8(l).expect("ASCII"))
            .collect();
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        )
    };
    let bad = |id, title, class: &str, secret: &[u8]| {
        vector(id, title, &["signature.hmac", "algorithm.allowed"])
            .attack(class)
            .ask(hs(secret), Code::AlgorithmNotAllowed)
    };
    // The issuer has a secret, and none of these keys is that secret.
    let secret = || {
        policy().issuer("algorithms", json!(["HS256"])).issuer(
            "keys",
            json!({ "secrets": [{ "kid": A.kid(), "k": SECRET.private()["k"] }] }),
        )
    };
    let weak = |id, title, secret_bytes: &[u8]| {
        vector(id, title, &["signature.hmac"])
            .attack("blank-or-weak-hmac")
            .policy(secret())
            .ask(hs(secret_bytes), Code::SignatureInvalid)
    };
    vec![
        bad(
            "confusion-pem",
            "HS256 with the PEM of the public key",
            "rs-to-hs",
            pem.as_bytes(),
        ),
        bad(
            "confusion-pem-trimmed",
            "the same without the last line feed",
            "rs-to-hs",
            pem.trim_end().as_bytes(),
        ),
        bad(
            "confusion-der",
            "HS256 with the DER of the public key",
            "rs-to-hs",
            &A.spki(),
        ),
        bad(
            "confusion-jwk",
            "HS256 with the JWK of the public key",
            "rs-to-hs",
            A.public().to_string().as_bytes(),
        ),
        bad(
            "confusion-modulus",
            "HS256 with the modulus",
            "rs-to-hs",
            &A.bytes("n"),
        ),
        weak("hmac-empty-secret", "HS256 with an empty secret", b""),
        weak(
            "hmac-known-secret",
            "HS256 with a well-known secret",
            b"secret",
        ),
        weak(
            "hmac-kid-secret",
            "HS256 with the `kid` as the secret",
            A.kid().as_bytes(),
        ),
        vector(
            "hmac-rs256",
            "RS256, where the issuer has secrets",
            &["algorithm.allowed"],
        )
        .policy(secret())
        .ask(token(), Code::AlgorithmNotAllowed),
        vector(
            "hmac-truncated",
            "half of a good tag",
            &["signature.strict"],
        )
        .policy(secret())
        .ask(
            {
                let token = token().header("alg", "HS256");
                let tag = sign(&SECRET, "HS256", token.signing_input().as_bytes());
                token.signature(&tag[..16])
            },
            Code::SignatureInvalid,
        ),
    ]
}

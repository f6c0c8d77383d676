//! Keys of a set: which are used and which are skipped.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{documents::used, prelude::*};

pub(super) fn vectors() -> Topic {
    let drafts = [skips(), rsa()].concat();
    topic(
        "jwk",
        "One key of a set: what is used and what is skipped",
        drafts,
    )
}

/// A set of this key and a usable one: the first is skipped, the second used.
fn skipped(id: &str, title: &str, rule: &str, key: Value) -> Draft {
    vector(id, title, &[rule, "jwks.skip"])
        .policy(fetching())
        .due(&["jwks"])
        .accept_but("jwks", ok(&jwks([key, A.public()])), &["/keys/0"])
        .ask(token(), allow())
        .ask(token().key(&B), Code::KeyUnknown)
}

/// A set of this key of [`B`], which is used and reported.
fn tolerated(id: &str, title: &str, key: Value) -> Draft {
    vector(id, title, &["jwks.tolerated"])
        .policy(fetching())
        .due(&["jwks"])
        .accept_but("jwks", ok(&jwks([key, A.public()])), &["/keys/0"])
        .ask(token(), allow())
        .ask(token().key(&B), allow())
}

fn skips() -> Vec<Draft> {
    let b = |members: Value| B.with(members);
    vec![
        vector("jwks-use-enc", "for encryption", &["jwks.use", "jwks.skip"])
            .attack("key-misuse")
            .policy(fetching())
            .due(&["jwks"])
            .accept("jwks", ok(&jwks([b(json!({ "use": "enc" })), A.public()])))
            .ask(token(), allow())
            .ask(token().key(&B), Code::KeyUnknown),
        skipped(
            "jwks-use-private",
            "a private key for encryption is reported",
            "jwks.private",
            b(json!({ "use": "enc", "d": "AQAB" })),
        ),
        vector(
            "jwks-use-all-others",
            "only keys for other purposes",
            &["jwks.none-usable"],
        )
        .policy(fetching())
        .due(&["jwks"])
        .refuse(
            "jwks",
            ok(&jwks([
                A.with(json!({ "use": "enc" })),
                b(json!({ "use": "x509-svid" })),
            ])),
        ),
        skipped(
            "jwks-use-other",
            "for something else",
            "jwks.use",
            b(json!({ "use": "SIG" })),
        ),
        skipped(
            "jwks-use-type",
            "`use` is no string",
            "jwks.use",
            b(json!({ "use": ["sig"] })),
        ),
        vector(
            "jwks-use-named",
            "the `use` that the policy names",
            &["jwks.use-named", "jwks.skip"],
        )
        .policy(policy().issuer("keys", json!({ "jwks_uri": JWKS_URI, "use": "jwt-svid" })))
        .due(&["jwks"])
        .accept_but(
            "jwks",
            ok(&jwks([
                B.with(json!({ "use": "x509-svid", "x5c": ["MIIB"] })),
                E3.public(),
                A.with(json!({ "use": "jwt-svid" })),
            ])),
            &["/keys/1"],
        )
        .ask(token(), allow())
        .ask(token().key(&B), Code::KeyUnknown)
        .ask(token().key(&E3), Code::KeyUnknown),
        skipped(
            "jwks-ops-sign",
            "`key_ops` without `verify`",
            "jwks.key-ops",
            b(json!({ "key_ops": ["sign"] })),
        )
        .attack("key-misuse"),
        skipped(
            "jwks-ops-empty",
            "empty `key_ops`",
            "jwks.key-ops",
            b(json!({ "key_ops": [] })),
        ),
        skipped(
            "jwks-ops-string",
            "`key_ops` is no array",
            "jwks.key-ops",
            b(json!({ "key_ops": "verify" })),
        ),
        used(
            "jwks-use-ops",
            "for signatures, and to verify",
            "jwks.use",
            [A.with(json!({ "use": "sig", "key_ops": ["sign", "verify"] }))],
        )
        .ask(token(), allow()),
        skipped(
            "jwks-alg-unknown",
            "an unknown algorithm",
            "jwks.alg",
            b(json!({ "alg": "RS224" })),
        )
        .attack("key-misuse"),
        skipped(
            "jwks-alg-encryption",
            "an algorithm of encryption",
            "jwks.alg",
            b(json!({ "alg": "RSA-OAEP" })),
        ),
        skipped(
            "jwks-alg-type",
            "an algorithm of another key type",
            "jwks.alg",
            b(json!({ "alg": "HS256" })),
        )
        .attack("key-misuse"),
        skipped(
            "jwks-alg-none",
            "`none`",
            "jwks.alg",
            b(json!({ "alg": "none" })),
        ),
        skipped(
            "jwks-alg-number",
            "`alg` is no string",
            "jwks.alg",
            b(json!({ "alg": 256 })),
        ),
        skipped(
            "jwks-kty-unknown",
            "an unknown type",
            "jwks.alg",
            b(json!({ "kty": "XYZ" })),
        ),
        skipped(
            "jwks-kty-absent",
            "no type",
            "jwks.alg",
            json!({ "kid": "x" }),
        ),
        skipped(
            "jwks-kty-ec",
            "an elliptic curve key, where RS256 is allowed",
            "jwks.alg",
            P256.public(),
        )
        .attack("key-misuse"),
        skipped("jwks-not-object", "no object", "jwks.alg", json!("key")),
        skipped(
            "jwks-kid-number",
            "`kid` is no string",
            "jwks.alg",
            b(json!({ "kid": 7 })),
        ),
        skipped(
            "jwks-private",
            "a private key",
            "jwks.private",
            B.private().clone(),
        )
        .attack("key-misuse"),
        skipped(
            "jwks-private-d",
            "a public key with `d`",
            "jwks.private",
            b(json!({ "d": "AQAB" })),
        ),
        vector(
            "jwks-private-policy",
            "a private key in a policy",
            &["policy.private-key"],
        )
        .policy(policy().keys([A.public(), B.private().clone()]))
        .refused(&[("key_unusable", "/issuers/0/keys/jwks/keys/1")]),
        vector(
            "jwks-several-algorithms",
            "no `alg`, where the issuer has two of its type",
            &["jwks.one-algorithm", "jwks.skip"],
        )
        .policy(fetching().issuer("algorithms", json!(["RS256", "RS512"])))
        .due(&["jwks"])
        .accept_but(
            "jwks",
            ok(&jwks([B.public(), A.with(json!({ "alg": "RS256" }))])),
            &["/keys/0"],
        )
        .ask(token(), allow())
        .ask(token().key(&B), Code::KeyUnknown),
        vector(
            "jwks-several-skipped",
            "all that cannot be used are reported",
            &["jwks.skip"],
        )
        .policy(fetching())
        .due(&["jwks"])
        .accept_but(
            "jwks",
            ok(&jwks([
                WEAK.public(),
                A.public(),
                json!({}),
                b(json!({ "use": "tls" })),
            ])),
            &["/keys/0", "/keys/2", "/keys/3"],
        )
        .ask(token(), allow()),
    ]
}

fn rsa() -> Vec<Draft> {
    let modulus = |bits: usize| {
        let mut bytes = vec![0xa5; bits.div_ceil(8)];
        let top = (bits - 1) % 8;
        bytes[0] = (1 << top) | (bytes[0] & ((1 << top) - 1));
        encode(bytes)
    };
    let n = |bits| B.with(json!({ "n": modulus(bits) }));
    let e = |e: &[u8]| B.with(json!({ "e": encode(e) }));
    let (size, exponent, encoding) = ("jwks.rsa-size", "jwks.rsa-exponent", "jwks.encoding");
    let leading_zero = encode([&[0], &B.bytes("n")[..]].concat());
    let base64 = BASE64_STANDARD.encode(B.bytes("n"));
    assert!(base64.contains(['+', '/']));
    let even = {
        let mut bytes = B.bytes("n");
        bytes[255] &= 0xfe;
        encode(bytes)
    };
    vec![
        skipped("rsa-1024", "1024 bits", size, WEAK.public())
            .attack("key-misuse")
            .ask(token().key(&WEAK), Code::KeyUnknown),
        skipped("rsa-2047", "2047 bits", size, n(2047)),
        skipped("rsa-8193", "8193 bits", size, n(8193)),
        skipped("rsa-16384", "16384 bits", size, n(16384)),
        used("rsa-8192", "8192 bits", size, [n(8192), A.public()]).ask(token(), allow()),
        used("rsa-3072", "3072 bits", size, [LONG.public()]).ask(token().key(&LONG), allow()),
        skipped("rsa-exponent-1", "the exponent 1", exponent, e(&[1])).attack("key-misuse"),
        skipped("rsa-exponent-0", "the exponent 0", exponent, e(&[0])),
        skipped("rsa-exponent-2", "the exponent 2", exponent, e(&[2])),
        skipped(
            "rsa-exponent-65536",
            "the exponent 65536",
            exponent,
            e(&[1, 0, 0]),
        ),
        skipped(
            "rsa-exponent-large",
            "the exponent 2^32 + 1",
            exponent,
            e(&[1, 0, 0, 0, 1]),
        ),
        used(
            "rsa-exponent-largest",
            "the exponent 2^32 - 1",
            exponent,
            [e(&[0xff; 4])],
        )
        .ask(token(), Code::KeyUnknown),
        used("rsa-exponent-3", "the exponent 3", exponent, [E3.public()])
            .ask(token().key(&E3), allow()),
        tolerated(
            "rsa-leading-zero",
            "a modulus with a leading zero",
            B.with(json!({ "n": leading_zero })),
        ),
        tolerated(
            "rsa-padded",
            "a modulus with padding",
            B.with(json!({ "n": format!("{}==", B.public()["n"].as_str().expect("n")) })),
        ),
        tolerated(
            "rsa-plain-base64",
            "a modulus in the alphabet of base64",
            B.with(json!({ "n": base64 })),
        ),
        tolerated(
            "rsa-exponent-padded",
            "an exponent with a leading zero",
            e(&[0, 1, 0, 1]),
        ),
        skipped(
            "rsa-modulus-space",
            "a modulus with a line break",
            encoding,
            B.with(json!({ "n": format!("{}\n", B.public()["n"].as_str().expect("n")) })),
        ),
        skipped(
            "rsa-modulus-zero",
            "a modulus of zeros",
            encoding,
            B.with(json!({ "n": encode([0; 256]) })),
        ),
        skipped(
            "rsa-modulus-number",
            "a modulus that is a number",
            encoding,
            B.with(json!({ "n": 12345 })),
        ),
        skipped(
            "rsa-modulus-even",
            "an even modulus",
            encoding,
            B.with(json!({ "n": even })),
        ),
        skipped(
            "rsa-modulus-absent",
            "no modulus",
            encoding,
            json!({ "kty": "RSA", "kid": B.kid(), "e": "AQAB" }),
        ),
    ]
}

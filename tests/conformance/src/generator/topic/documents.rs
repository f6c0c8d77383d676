//! Key documents: what is used of them, what is skipped, what is refused.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [forms(), sets(), skips(), rsa(), duplicates(), secrets()].concat();
    topic("documents", "Key documents: what is used, what is skipped, what is refused", drafts)
}

/// A good set, and then this one, which is refused: the old keys stay.
fn refused(id: &str, title: &str, rule: &str, body: impl Into<crate::vector::Bytes>) -> Draft {
    vector(id, title, &[rule])
        .policy(fetching())
        .due(&["jwks"])
        .accept("jwks", ok(&jwks([A.public()])))
        .refuse("jwks", response(200, "", body))
        .ask(token(), allow())
}

/// A set of this key and a good one: the first is skipped, the second used.
fn skipped(id: &str, title: &str, rule: &str, key: Value) -> Draft {
    vector(id, title, &[rule, "jwks.skip"])
        .policy(fetching())
        .due(&["jwks"])
        .accept_but("jwks", ok(&jwks([key, A.public()])), &["/keys/0"])
        .ask(token(), allow())
        .ask(token().key(&B), Code::KeyUnknown)
}

/// A set that is used as a whole.
fn used(id: &str, title: &str, rule: &str, keys: impl Into<Vec<Value>>) -> Draft {
    vector(id, title, &[rule]).policy(fetching()).due(&["jwks"]).accept("jwks", ok(&jwks(keys)))
}

fn forms() -> Vec<Draft> {
    let rule = "jwks.form";
    let good = jwks([A.public()]).to_string();
    let full: Vec<Value> = (0..100)
        .map(|n| if n == 0 { A.public() } else { B.with(json!({ "kid": format!("k{n}") })) })
        .collect();
    vec![
        refused("jwks-html", "HTML", rule, "<!doctype html><title>Sign in</title>"),
        refused("jwks-empty-body", "nothing", rule, ""),
        refused("jwks-truncated", "half of a document", rule, &good.as_bytes()[..good.len() / 2]),
        refused("jwks-array", "an array of keys", rule, json!([A.public()]).to_string()),
        refused("jwks-single-key", "a key that is not in a set", rule, A.public().to_string()),
        refused("jwks-keys-object", "`keys` is an object", rule, json!({ "keys": { "a": A.public() } }).to_string()),
        refused("jwks-keys-null", "`keys` is `null`", rule, r#"{"keys":null}"#),
        refused("jwks-duplicate", "`keys` twice", rule, format!(r#"{{"keys":[],"keys":[{}]}}"#, A.public()))
            .attack("duplicate-members"),
        refused("jwks-duplicate-deep", "`kid` twice in a key", rule, good.replace("{\"kty\"", "{\"kid\":\"x\",\"kty\""))
            .attack("duplicate-members"),
        refused("jwks-not-utf8", "a byte that is no UTF-8", rule, b"{\"keys\":[],\"x\":\"\xff\"}"),
        refused("jwks-too-deep", "17 levels", rule, format!(r#"{{"keys":[],"x":{}{}}}"#, "[".repeat(16), "]".repeat(16)))
            .attack("json-bombs"),
        refused("jwks-too-many", "101 keys", rule, jwks(vec![json!({}); 101]).to_string()),
        used("jwks-most", "100 keys", rule, full).ask(token(), allow()),
        refused("jwks-too-large", "a byte more than 262,144", rule, format!("{good}{}", " ".repeat(262_145 - good.len()))),
        used("jwks-more-members", "members of nobody's interest", rule, [A.with(json!({ "x5t": "AAAA", "ext": true }))])
            .ask(token(), allow()),
    ]
}

fn sets() -> Vec<Draft> {
    let oct = || json!({ "kty": "oct", "kid": "s", "k": encode([7; 64]) });
    vec![
        used("jwks-empty", "an empty set", "jwks.empty", []).ask(token(), Code::KeyUnknown),
        used("jwks-emptied", "an empty set after a full one", "jwks.empty", [A.public()])
            .ask(token(), allow())
            .accept("jwks", ok(&jwks([])))
            .ask(token(), Code::KeyUnknown),
        refused("jwks-none-usable", "only unusable keys", "jwks.none-usable", jwks([WEAK.public(), json!({})]).to_string()),
        refused("jwks-symmetric", "a secret", "jwks.symmetric", jwks([oct()]).to_string()).attack("key-misuse"),
        refused("jwks-mixed", "a secret among public keys", "jwks.symmetric", jwks([A.public(), oct()]).to_string())
            .attack("key-misuse"),
        refused("jwks-mixed-unusable", "even one that could not be used", "jwks.symmetric",
            jwks([A.public(), json!({ "kty": "oct" })]).to_string()),
        vector("jwks-symmetric-first", "a secret in the first set: there are no keys", &["jwks.symmetric", "keys.unavailable"])
            .attack("blank-or-weak-hmac")
            .policy(fetching())
            .due(&["jwks"])
            .refuse("jwks", ok(&jwks([A.public(), oct()])))
            .ask(token(), Code::KeysUnavailable),
        vector("jwks-inline-symmetric", "a secret in an inline set", &["jwks.symmetric"])
            .policy(policy().keys([A.public(), oct()]))
            .refused(&[("jwks_symmetric", "/issuers/0/keys/jwks/keys")]),
    ]
}

fn skips() -> Vec<Draft> {
    let b = |members: Value| B.with(members);
    vec![
        skipped("jwks-use-enc", "for encryption", "jwks.use", b(json!({ "use": "enc" }))).attack("key-misuse"),
        skipped("jwks-use-other", "for something else", "jwks.use", b(json!({ "use": "SIG" }))),
        skipped("jwks-use-type", "`use` is no string", "jwks.use", b(json!({ "use": ["sig"] }))),
        skipped("jwks-ops-sign", "`key_ops` without `verify`", "jwks.key-ops", b(json!({ "key_ops": ["sign"] }))).attack("key-misuse"),
        skipped("jwks-ops-empty", "empty `key_ops`", "jwks.key-ops", b(json!({ "key_ops": [] }))),
        skipped("jwks-ops-string", "`key_ops` is no array", "jwks.key-ops", b(json!({ "key_ops": "verify" }))),
        used("jwks-use-ops", "for signatures, and to verify", "jwks.use", [A.with(json!({ "use": "sig", "key_ops": ["sign", "verify"] }))])
            .ask(token(), allow()),
        skipped("jwks-alg-unknown", "an unknown algorithm", "jwks.alg", b(json!({ "alg": "RS224" }))).attack("key-misuse"),
        skipped("jwks-alg-encryption", "an algorithm of encryption", "jwks.alg", b(json!({ "alg": "RSA-OAEP" }))),
        skipped("jwks-alg-type", "an algorithm of another key type", "jwks.alg", b(json!({ "alg": "HS256" }))).attack("key-misuse"),
        skipped("jwks-alg-none", "`none`", "jwks.alg", b(json!({ "alg": "none" }))),
        skipped("jwks-alg-number", "`alg` is no string", "jwks.alg", b(json!({ "alg": 256 }))),
        skipped("jwks-kty-unknown", "an unknown type", "jwks.alg", b(json!({ "kty": "XYZ" }))),
        skipped("jwks-kty-absent", "no type", "jwks.alg", json!({ "kid": "x" })),
        skipped("jwks-kty-ec", "an elliptic curve key, where RS256 is allowed", "jwks.alg", P256.public()).attack("key-misuse"),
        skipped("jwks-not-object", "no object", "jwks.alg", json!("key")),
        skipped("jwks-kid-number", "`kid` is no string", "jwks.alg", b(json!({ "kid": 7 }))),
        skipped("jwks-private", "a private key", "jwks.private", B.private().clone()).attack("key-misuse"),
        skipped("jwks-private-d", "a public key with `d`", "jwks.private", b(json!({ "d": "AQAB" }))),
        vector("jwks-several-algorithms", "no `alg`, where the issuer has two of its type", &["jwks.one-algorithm", "jwks.skip"])
            .policy(fetching().issuer("algorithms", json!(["RS256", "RS512"])))
            .due(&["jwks"])
            .accept_but("jwks", ok(&jwks([B.public(), A.with(json!({ "alg": "RS256" }))])), &["/keys/0"])
            .ask(token(), allow())
            .ask(token().key(&B), Code::KeyUnknown),
        vector("jwks-several-skipped", "all that cannot be used are reported", &["jwks.skip"])
            .policy(fetching())
            .due(&["jwks"])
            .accept_but("jwks", ok(&jwks([WEAK.public(), A.public(), json!({}), b(json!({ "use": "enc" }))])), &["/keys/0", "/keys/2", "/keys/3"])
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
    let even = { let mut bytes = B.bytes("n"); bytes[255] &= 0xfe; encode(bytes) };
    vec![
        skipped("rsa-1024", "1024 bits", size, WEAK.public()).attack("key-misuse")
            .ask(token().key(&WEAK), Code::KeyUnknown),
        skipped("rsa-2047", "2047 bits", size, n(2047)),
        skipped("rsa-8193", "8193 bits", size, n(8193)),
        skipped("rsa-16384", "16384 bits", size, n(16384)),
        used("rsa-8192", "8192 bits", size, [n(8192), A.public()]).ask(token(), allow()),
        used("rsa-3072", "3072 bits", size, [LONG.public()]).ask(token().key(&LONG), allow()),
        skipped("rsa-exponent-1", "the exponent 1", exponent, e(&[1])).attack("key-misuse"),
        skipped("rsa-exponent-0", "the exponent 0", exponent, e(&[0])),
        skipped("rsa-exponent-2", "the exponent 2", exponent, e(&[2])),
        skipped("rsa-exponent-65536", "the exponent 65536", exponent, e(&[1, 0, 0])),
        skipped("rsa-exponent-large", "the exponent 2^32 + 1", exponent, e(&[1, 0, 0, 0, 1])),
        used("rsa-exponent-largest", "the exponent 2^32 - 1", exponent, [e(&[0xff; 4])]).ask(token(), Code::KeyUnknown),
        used("rsa-exponent-3", "the exponent 3", exponent, [E3.public()]).ask(token().key(&E3), allow()),
        skipped("rsa-leading-zero", "a modulus with a leading zero", encoding, B.with(json!({ "n": leading_zero }))),
        skipped("rsa-padded", "a modulus with padding", encoding, B.with(json!({ "n": format!("{}==", B.public()["n"].as_str().expect("n")) }))),
        skipped("rsa-exponent-padded", "an exponent with a leading zero", encoding, e(&[0, 1, 0, 1])),
        skipped("rsa-modulus-number", "a modulus that is a number", encoding, B.with(json!({ "n": 12345 }))),
        skipped("rsa-modulus-even", "an even modulus", encoding, B.with(json!({ "n": even }))),
        skipped("rsa-modulus-absent", "no modulus", encoding, json!({ "kty": "RSA", "kid": B.kid(), "e": "AQAB" })),
    ]
}

fn duplicates() -> Vec<Draft> {
    let rule = "jwks.duplicate";
    vec![
        vector("jwks-duplicate-kid", "two keys of one `kid`: the first counts", &[rule, "jwks.skip"])
            .attack("key-misuse")
            .policy(fetching())
            .due(&["jwks"])
            .accept_but("jwks", ok(&jwks([A.public(), B.with(json!({ "kid": A.kid() }))])), &["/keys/1"])
            .ask(token(), allow())
            .ask(token().signed_by(&B), Code::SignatureInvalid),
        vector("jwks-same-key-twice", "even the same key", &[rule, "jwks.skip"])
            .policy(fetching())
            .due(&["jwks"])
            .accept_but("jwks", ok(&jwks([A.public(), A.public()])), &["/keys/1"])
            .ask(token(), allow()),
        used("jwks-nameless-twice", "keys without `kid` are no duplicates", rule, [nameless(&A), nameless(&B)])
            .ask(token().without_header("kid"), Code::KeyUnknown),
    ]
}

fn nameless(key: &Key) -> Value {
    let mut jwk = key.public();
    jwk.as_object_mut().expect("a JWK").shift_remove("kid");
    jwk
}

fn secrets() -> Vec<Draft> {
    let of = |alg: &str, bytes: usize| {
        policy()
            .issuer("algorithms", json!([alg]))
            .issuer("keys", json!({ "secrets": [{ "kid": "s", "k": encode(vec![b'k'; bytes]) }] }))
    };
    let short = |id, title, alg: &str, bytes| {
        vector(id, title, &["secrets.length"])
            .attack("blank-or-weak-hmac")
            .policy(of(alg, bytes))
            .refused(&[("key_unusable", "/issuers/0/keys/secrets/0")])
    };
    vec![
        short("secret-empty", "an empty secret", "HS256", 0),
        short("secret-short-256", "31 bytes for HS256", "HS256", 31),
        short("secret-short-384", "47 bytes for HS384", "HS384", 47),
        short("secret-short-512", "63 bytes for HS512", "HS512", 63),
        vector("secret-exact", "32 bytes for HS256", &["secrets.length"])
            .policy(of("HS256", 32))
            .ask(
                {
                    let token = token().header("alg", "HS256").header("kid", "s");
                    let tag = key::hmac::<hmac::Hmac<sha2::Sha256>>(&[b'k'; 32], token.signing_input().as_bytes());
                    token.signature(tag)
                },
                allow(),
            ),
    ]
}

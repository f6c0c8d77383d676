//! ECDSA and Ed25519: signatures and keys.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [
        psychic(),
        encodings(),
        edwards(),
        fitting(),
        ec_keys(),
        okp_keys(),
    ]
    .concat();
    topic(
        "curves",
        "ECDSA and Ed25519: signatures, and the keys that are used for them",
        drafts,
    )
}

/// One algorithm, one key.
fn only(alg: &str, key: &Key) -> Policy {
    policy()
        .issuer("algorithms", json!([alg]))
        .keys([key.public()])
}

fn es256() -> Token {
    token().key(&P256).alg("ES256")
}

/// The signature of a valid token, as a base for changes.
fn signature(token: &Token, key: &Key, alg: &str) -> Vec<u8> {
    sign(key, alg, token.signing_input().as_bytes())
}

fn bad(id: &str, title: &str, rule: &str, class: &str, signature: impl AsRef<[u8]>) -> Draft {
    vector(id, title, &[rule])
        .attack(class)
        .policy(only("ES256", &P256))
        .ask(es256().signature(signature), Code::SignatureInvalid)
}

/// The order of P-256 (SEC 2 §2.4.2).
const ORDER: [u8; 32] = *b"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\
    \xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";

fn psychic() -> Vec<Draft> {
    let good = signature(&es256(), &P256, "ES256");
    let (r, s) = good.split_at(32);
    let zero = [0; 32];
    let case = |id, title, r: &[u8], s: &[u8]| {
        bad(
            id,
            title,
            "signature.ecdsa",
            "psychic-signature",
            [r, s].concat(),
        )
    };
    let wide = |id: &str, alg: &'static str, key: &'static Key, length: usize| {
        vector(id, &format!("zeros, {alg}"), &["signature.ecdsa"])
            .attack("psychic-signature")
            .policy(only(alg, key))
            .ask(
                token().key(key).alg(alg).signature(vec![0; length]),
                Code::SignatureInvalid,
            )
    };
    vec![
        case("es-zeros", "r and s are zero", &zero, &zero),
        case("es-r-zero", "r is zero", &zero, s),
        case("es-s-zero", "s is zero", r, &zero),
        case("es-r-order", "r is the order", &ORDER, s),
        case("es-s-order", "s is the order", r, &ORDER),
        case("es-both-order", "r and s are the order", &ORDER, &ORDER),
        case("es-ones", "beyond the order", &[0xff; 32], &[0xff; 32]),
        case("es-swapped", "s before r", s, r),
        wide("es384-zeros", "ES384", &P384, 96),
        wide("es512-zeros", "ES512", &P521, 132),
    ]
}

fn encodings() -> Vec<Draft> {
    let good = signature(&es256(), &P256, "ES256");
    let (r, s) = good.split_at(32);
    let case = |id, title, signature: Vec<u8>| {
        bad(id, title, "signature.ecdsa", "ecdsa-encoding", signature)
    };
    let der = p256::ecdsa::Signature::from_slice(&good)
        .expect("a signature")
        .to_der();
    let high = {
        let (r, s) = p256::ecdsa::Signature::from_slice(&good)
            .expect("a signature")
            .split_scalars();
        let (plain, other) = (s.to_bytes(), (-*s).to_bytes());
        let high = if plain > other { plain } else { other };
        [&r.to_bytes()[..], &high[..]].concat()
    };
    vec![
        vector("es-good", "r and s, each of 32 bytes", &["signature.ecdsa"])
            .policy(only("ES256", &P256))
            .ask(es256().signature(&good), allow()),
        vector("es-high-s", "a high s is a good one", &["signature.ecdsa"])
            .policy(only("ES256", &P256))
            .ask(es256().signature(high), allow()),
        case("es-der", "DER", der.as_bytes().to_vec()),
        case("es-short", "a byte less", good[..63].to_vec()),
        case("es-long", "a byte more", [&good[..], &[0]].concat()),
        case(
            "es-wide",
            "a zero before each half",
            [&[0], r, &[0], s].concat(),
        ),
        case("es-only-r", "only r", r.to_vec()),
        case("es-empty", "nothing", Vec::new()),
        vector(
            "es384-length",
            "the length of ES256, ES384",
            &["signature.ecdsa"],
        )
        .attack("ecdsa-encoding")
        .policy(only("ES384", &P384))
        .ask(
            token().key(&P384).alg("ES384").signature(&good),
            Code::SignatureInvalid,
        ),
        vector(
            "es512-length",
            "64 bytes a half, ES512",
            &["signature.ecdsa"],
        )
        .attack("ecdsa-encoding")
        .policy(only("ES512", &P521))
        .ask(
            token().key(&P521).alg("ES512").signature([1; 128]),
            Code::SignatureInvalid,
        ),
    ]
}

fn edwards() -> Vec<Draft> {
    let token = || token().key(&ED).alg("EdDSA");
    let good = signature(&token(), &ED, "EdDSA");
    let (r, s) = good.split_at(32);
    let case = |id, title, signature: Vec<u8>| {
        vector(id, title, &["signature.ed25519"])
            .policy(only("EdDSA", &ED))
            .ask(token().signature(signature), Code::SignatureInvalid)
    };
    // S + L in little-endian, which equals S modulo the order.
    const ORDER: [u8; 32] = *b"\xed\xd3\xf5\x5c\x1a\x63\x12\x58\xd6\x9c\xf7\xa2\xde\xf9\xde\x14\
        \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10";
    let mut carry = 0;
    let beyond: Vec<u8> = s
        .iter()
        .zip(ORDER)
        .map(|(a, b)| {
            let sum = u16::from(*a) + u16::from(b) + carry;
            carry = sum >> 8;
            sum as u8
        })
        .collect();
    let identity = [&[1], &[0; 31][..]].concat();
    vec![
        vector("ed-good", "R and S", &["signature.ed25519"])
            .policy(only("EdDSA", &ED))
            .ask(token().signature(&good), allow()),
        case(
            "ed-malleable",
            "S and the order added",
            [r, &beyond].concat(),
        ),
        case("ed-zeros", "zeros", vec![0; 64]),
        case(
            "ed-low-order",
            "R is the neutral element, S is zero",
            [&identity[..], &[0; 32]].concat(),
        ),
        case("ed-short", "a byte less", good[..63].to_vec()),
        case("ed-long", "a byte more", [&good[..], &[0]].concat()),
        case(
            "ed-flipped",
            "another R",
            [&[r[0] ^ 1], &good[1..]].concat(),
        ),
    ]
}

fn fitting() -> Vec<Draft> {
    let all = || {
        policy()
            .issuer("algorithms", json!(["RS256", "ES256", "ES384", "EdDSA"]))
            .keys([A.public(), P256.public(), P384.public(), ED.public()])
    };
    let unsuitable = |id, title, token: Token| {
        vector(id, title, &["key.fits"])
            .attack("key-misuse")
            .policy(all())
            .ask(token, Code::KeyUnsuitable)
    };
    let named = |issuer: &str, key: Value, header: &'static str, id: &str| {
        vector(
            id,
            &format!("listed as `{issuer}`, named `{header}`"),
            &["algorithm.ed25519"],
        )
        .policy(policy().issuer("algorithms", json!([issuer])).keys([key]))
        .ask(token().key(&ED).alg(header), allow())
    };
    vec![
        vector(
            "curves-together",
            "each key for the algorithm of its kind",
            &["jwks.one-algorithm", "algorithm.verify"],
        )
        .policy(all())
        .ask(token(), allow())
        .ask(es256(), allow())
        .ask(token().key(&P384).alg("ES384"), allow())
        .ask(token().key(&ED).alg("EdDSA"), allow()),
        unsuitable(
            "curves-rs256-ec-key",
            "RS256 with the `kid` of an EC key",
            token().header("kid", P256.kid()),
        ),
        unsuitable(
            "curves-es256-rsa-key",
            "ES256 with the `kid` of an RSA key",
            es256().header("kid", A.kid()),
        ),
        unsuitable(
            "curves-es256-p384-key",
            "ES256 with the `kid` of a P-384 key",
            es256().header("kid", P384.kid()),
        ),
        unsuitable(
            "curves-eddsa-ec-key",
            "EdDSA with the `kid` of an EC key",
            token().key(&ED).alg("EdDSA").header("kid", P256.kid()),
        ),
        vector(
            "curves-secp256k1",
            "ES256K is not known",
            &["header.alg-known"],
        )
        .policy(all())
        .ask(es256().header("alg", "ES256K"), Code::AlgorithmNotAllowed),
        named("EdDSA", ED.public(), "Ed25519", "ed25519-token"),
        named("Ed25519", ED.public(), "EdDSA", "ed25519-policy"),
        named(
            "EdDSA",
            ED.with(json!({ "alg": "Ed25519" })),
            "EdDSA",
            "ed25519-key",
        ),
    ]
}

/// A set of this key and a usable one, for an issuer with this algorithm.
fn skipped(
    id: &str,
    title: &str,
    rule: &str,
    alg: &'static str,
    good: &'static Key,
    key: Value,
) -> Draft {
    vector(id, title, &[rule, "jwks.skip"])
        .attack("key-misuse")
        .policy(fetching().issuer("algorithms", json!([alg])))
        .due(&["jwks"])
        .accept_but("jwks", ok(&jwks([key, good.public()])), &["/keys/0"])
        .ask(token().key(good).alg(alg), allow())
}

fn ec_keys() -> Vec<Draft> {
    let other = |members: Value| {
        let mut key = P256.with(json!({ "kid": "other" }));
        for (name, value) in members.as_object().expect("members") {
            key[name] = value.clone();
        }
        key
    };
    let case = |id, title, members: Value| {
        skipped(id, title, "jwks.curve", "ES256", &P256, other(members))
    };
    let (x, y) = (P256.bytes("x"), P256.bytes("y"));
    let off = {
        let mut y = y.clone();
        y[31] ^= 1;
        encode(y)
    };
    vec![
        case(
            "ec-off-curve",
            "a point beside the curve",
            json!({ "y": off }),
        ),
        case(
            "ec-origin",
            "the point 0, 0",
            json!({ "x": encode([0; 32]), "y": encode([0; 32]) }),
        ),
        case(
            "ec-short-x",
            "a coordinate of 31 bytes",
            json!({ "x": encode(&x[1..]) }),
        ),
        case(
            "ec-long-y",
            "a coordinate of 33 bytes",
            json!({ "y": encode([&[0], &y[..]].concat()) }),
        ),
        case("ec-no-y", "no `y`", json!({ "y": null })),
        case(
            "ec-compressed",
            "a compressed point in `x`",
            json!({ "x": encode([&[2], &x[..]].concat()) }),
        ),
        case(
            "ec-other-crv",
            "another curve's name",
            json!({ "crv": "P-384" }),
        ),
        case(
            "ec-unknown-crv",
            "an unknown curve",
            json!({ "crv": "secp256k1" }),
        ),
        case("ec-no-crv", "no curve", json!({ "crv": null })),
        skipped(
            "ec-alg-of-other-curve",
            "an algorithm of another curve",
            "jwks.alg",
            "ES256",
            &P256,
            P384.with(json!({ "alg": "ES256" })),
        ),
        skipped(
            "ec-private",
            "a private key",
            "jwks.private",
            "ES256",
            &P256,
            other(json!({ "d": P256.private()["d"] })),
        ),
    ]
}

fn okp_keys() -> Vec<Draft> {
    let case = |id, title, members: Value| {
        let mut key = ED.with(json!({ "kid": "other" }));
        for (name, value) in members.as_object().expect("members") {
            key[name] = value.clone();
        }
        skipped(id, title, "jwks.ed25519", "EdDSA", &ED, key)
    };
    let x = ED.bytes("x");
    // y = p + 3: not canonical.
    let beyond = [&[0xf0], &[0xff; 30][..], &[0x7f]].concat();
    vec![
        case("okp-short", "31 bytes", json!({ "x": encode(&x[1..]) })),
        case(
            "okp-long",
            "33 bytes",
            json!({ "x": encode([&x[..], &[0]].concat()) }),
        ),
        case(
            "okp-low-order",
            "the neutral element",
            json!({ "x": encode([&[1], &[0; 31][..]].concat()) }),
        ),
        case(
            "okp-low-order-8",
            "a point of order 4",
            json!({ "x": encode([0; 32]) }),
        ),
        case(
            "okp-not-canonical",
            "an encoding beyond the field",
            json!({ "x": encode(beyond) }),
        ),
        case(
            "okp-x25519",
            "a key for encryption",
            json!({ "crv": "X25519" }),
        ),
        case("okp-ed448", "an unknown curve", json!({ "crv": "Ed448" })),
    ]
}

//! Which keys and signatures a host is asked about, and how it gets a key.

use base64::prelude::BASE64_STANDARD;
use countersign::{Host, HostKey, Problem, Severity, lint};

use super::*;

/// A key of `tests/keys/`, as an issuer publishes it.
pub(crate) fn jwk(name: &str) -> Value {
    let path = format!("{}/../tests/keys/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut jwk: Value = serde_json::from_str(&text).unwrap();
    let public = ["kty", "kid", "n", "e", "crv", "x", "y"];
    let members = jwk.as_object_mut().unwrap();
    members.retain(|member, _| public.contains(&member.as_str()));
    jwk
}

fn bytes(jwk: &Value, member: &str) -> Vec<u8> {
    B64.decode(jwk[member].as_str().unwrap()).unwrap()
}

/// A gate with one published key for one algorithm.
fn with_key(algorithm: &str, jwk: Value) -> Value {
    policy(&[algorithm], json!({ "jwks": { "keys": [jwk] } }))
}

/// How a token with this signature is treated.
fn questions(policy: &Value, algorithm: &str, signature: &[u8]) -> usize {
    let mut gate = open(policy);
    let token = signed(algorithm, "", "me", signature);
    let decision = check(&mut gate, &token);
    if !matches!(decision, Decision::Wait(_)) {
        assert_eq!(code(&decision), Some(Code::SignatureInvalid));
    }
    asked(decision).len()
}

#[test]
fn the_key_of_a_question_is_the_document_that_openssl_writes() {
    for (name, algorithm, length) in [
        ("rsa-2048-a", "RS256", 256),
        ("rsa-2048-b", "PS512", 256),
        ("ec-p256", "ES256", 64),
        ("ec-p384", "ES384", 96),
        ("ec-p521", "ES512", 132),
        ("ed25519", "EdDSA", 64),
    ] {
        let path = format!("{}/../tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
        let pem = std::fs::read_to_string(path).unwrap();
        let lines: String = pem.lines().filter(|line| !line.contains('-')).collect();
        let mut gate = open(&with_key(algorithm, jwk(name)));
        // r = s = 1, or R = (−1, 0)… of Ed25519: the base point's encoding.
        let mut signature = vec![0; length];
        match algorithm {
            "EdDSA" => signature[..32].copy_from_slice(&[&[0x58][..], &[0x66; 31]].concat()),
            _ => (signature[length / 2 - 1], signature[length - 1]) = (1, 1),
        }
        let token = signed(algorithm, "", "me", &signature);
        let questions = asked(check(&mut gate, &token));
        assert_eq!(questions.len(), 1, "{name}");
        let key = gate.key(questions[0].key);
        let wanted = BASE64_STANDARD.decode(lines).unwrap();
        assert_eq!(key, Some(HostKey::Public(wanted)), "{name}");
    }
}

#[test]
fn a_secret_is_handed_over_as_it_is_and_never_printed() {
    let mut gate = open(&hmac_policy(&[""]));
    let questions = asked(check(&mut gate, &token("me")));
    let key = gate.key(questions[0].key).unwrap();
    assert_eq!(key, HostKey::Secret([1; 32].into()));
    assert_eq!(format!("{key:?}"), "HostKey(..)");
}

#[test]
fn a_key_is_handed_over_only_while_a_question_about_it_is_open() {
    let mut gate = open(&hmac_policy(&["1", "2"]));
    let named = |kid: &str| signed("HS256", &format!(r#","kid":"{kid}""#), "me", &[0; 32]);
    assert!((0..9).all(|number| gate.key(number).is_none()));
    let one = asked(check(&mut gate, &named("1"))).remove(0);
    let two = asked(check(&mut gate, &named("2"))).remove(0);
    assert_ne!(one.key, two.key);
    assert_eq!(asked(check(&mut gate, &named("1")))[0].key, one.key);
    assert!(gate.key(one.key).is_some() && gate.key(two.key).is_some());
    gate.verified(two.ticket, Valid);
    check(&mut gate, &named("2"));
    assert!(gate.key(one.key).is_some() && gate.key(two.key).is_none());
    assert!(gate.key(0).is_none() && gate.key(u32::MAX).is_none());
}

#[test]
fn the_host_is_asked_about_no_signature_of_another_length() {
    let rsa = jwk("rsa-2048-a");
    for (policy, algorithm, length) in [
        (hmac_policy(&[""]), "HS256", 32),
        (with_key("RS256", rsa.clone()), "RS256", 256),
        (with_key("PS256", rsa), "PS256", 256),
        (with_key("ES256", jwk("ec-p256")), "ES256", 64),
        (with_key("ES384", jwk("ec-p384")), "ES384", 96),
        (with_key("ES512", jwk("ec-p521")), "ES512", 132),
    ] {
        // Below the modulus and the orders: its first byte, and that of `s`, is 0.
        let signature = |length: usize| {
            let half = [&[0][..], &vec![1; length / 2 - 1]].concat();
            [&*half, &*half, &vec![1; length % 2]].concat()
        };
        assert_eq!(
            questions(&policy, algorithm, &signature(length)),
            1,
            "{algorithm}"
        );
        for other in [
            2,
            length / 2,
            length - 1,
            length + 1,
            length + 2,
            2 * length,
            512,
        ] {
            let asked = questions(&policy, algorithm, &signature(other));
            assert_eq!(asked, 0, "{algorithm}, {other} bytes");
        }
    }
    let policy = with_key("EdDSA", jwk("ed25519"));
    assert_eq!(
        questions(&policy, "EdDSA", &[&BASE[..], &[0; 31]].concat()),
        0
    );
    assert_eq!(
        questions(&policy, "EdDSA", &[&BASE[..], &[0; 33]].concat()),
        0
    );
}

#[test]
fn the_host_is_asked_about_no_ecdsa_numbers_out_of_range() {
    let policy = with_key("ES256", jwk("ec-p256"));
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let number = |add: i64| {
        let mut number = order.clone();
        number[31] = number[31].wrapping_add_signed(add as i8);
        number
    };
    let small = |value: u8| [&[0; 31][..], &[value]].concat();
    for (r, s, asked) in [
        (small(1), small(1), 1),
        (number(-1), number(-1), 1),
        (small(0), small(1), 0),
        (small(1), small(0), 0),
        (number(0), small(1), 0),
        (small(1), number(0), 0),
        (number(1), small(1), 0),
        (small(1), vec![0xff; 32], 0),
    ] {
        let signature = [&*r, &*s].concat();
        assert_eq!(
            questions(&policy, "ES256", &signature),
            asked,
            "{r:x?} {s:x?}"
        );
    }
}

#[test]
fn the_host_is_asked_about_no_rsa_number_that_is_not_below_the_modulus() {
    let key = jwk("rsa-2048-a");
    let modulus = bytes(&key, "n");
    for algorithm in ["RS256", "PS256"] {
        let policy = with_key(algorithm, key.clone());
        let mut below = modulus.clone();
        below[255] -= 1;
        assert_eq!(questions(&policy, algorithm, &below), 1);
        assert_eq!(questions(&policy, algorithm, &modulus), 0);
        assert_eq!(questions(&policy, algorithm, &[0xff; 256]), 0);
    }
}

/// The base point of Ed25519, encoded (RFC 8032 §5.1).
const BASE: [u8; 32] = {
    let mut base = [0x66; 32];
    base[0] = 0x58;
    base
};

#[test]
fn the_host_is_asked_about_no_ed25519_signature_that_is_never_valid() {
    let policy = with_key("EdDSA", jwk("ed25519"));
    let ask = |r: &[u8], s: &[u8]| questions(&policy, "EdDSA", &[r, s].concat());
    let mut order = hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
    order.reverse();
    let mut below = order.clone();
    below[0] -= 1;
    assert_eq!(ask(&BASE, &below), 1);
    assert_eq!(ask(&BASE, &order), 0);
    assert_eq!(ask(&BASE, &[0xff; 32]), 0);
    // Points of order 1, 2, 4 and 8; not canonical ones; no point of the curve.
    let (identity, minus_one) = (
        [&[1][..], &[0; 31]].concat(),
        hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    );
    let (order_4, order_8) = (
        vec![0; 32],
        hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    );
    let over = hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    let sign_of_0 = [&[1][..], &[0; 30], &[0x80]].concat();
    let off = [&[2][..], &[0; 31]].concat();
    for r in [identity, minus_one, order_4, order_8, over, sign_of_0, off] {
        assert_eq!(ask(&r, &below), 0, "{r:x?}");
    }
}

/// RSA keys that not every library accepts.
fn unusual() -> Vec<Value> {
    let key = jwk("rsa-2048-a");
    let with = |n: &[u8], e: &[u8]| json!({ "kty": "RSA", "n": B64.encode(n), "e": B64.encode(e) });
    let modulus = bytes(&key, "n");
    let odd = [&[1][..], &modulus].concat();
    vec![
        jwk("rsa-2048-e3"),
        with(&modulus, &[17]),
        with(&modulus, &[0xff, 0xff]),
        with(&modulus, &[1, 0, 3]),
        with(&modulus, &[0x80, 0, 0, 1]),
        with(&modulus, &[0x7f, 0xff, 0xff, 0xff]),
        with(&modulus, &[0xff; 4]),
        with(&odd, &[1, 0, 1]),
    ]
}

#[test]
fn the_module_verifies_for_rsa_keys_that_a_library_may_refuse() {
    for key in unusual() {
        let length = bytes(&key, "n").len();
        let policy = with_key("RS256", key.clone());
        assert_eq!(questions(&policy, "RS256", &vec![0; length]), 0, "{key}");
    }
    let key = jwk("rsa-2048-a");
    assert_eq!(questions(&with_key("RS256", key), "RS256", &[1; 256]), 1);
}

#[test]
fn such_keys_are_skipped_if_the_policy_demands_the_hosts_cryptography() {
    for key in unusual() {
        let good = jwk("ec-p256");
        let mut policy = policy(
            &["RS256", "ES256"],
            json!({ "jwks": { "keys": [key, good] } }),
        );
        assert!(lint(policy.to_string().as_bytes()).is_empty(), "{policy}");
        policy["signatures"] = "native".into();
        let problems = lint(policy.to_string().as_bytes());
        let [problem] = &*problems else {
            panic!("{problems:?}")
        };
        assert_eq!(problem.pointer, "/issuers/0/keys/jwks/keys/0");
        assert_eq!(
            (problem.code, problem.severity),
            ("key_unusable", Severity::Warning)
        );
        let mut gate = open(&policy);
        let token = signed("RS256", "", "me", &[0; 256]);
        assert_eq!(code(&check(&mut gate, &token)), Some(Code::KeyUnknown));
    }
}

#[test]
fn algorithms_that_the_host_does_not_have_stay_here() {
    let mut policy = policy(
        &["HS256", "HS512"],
        json!({ "secrets": [
            { "k": B64.encode([1; 32]), "alg": "HS256" },
            { "k": B64.encode([2; 64]), "alg": "HS512" }] }),
    );
    let mut gate = open_for(&policy, 0, &[Algorithm::HS512]);
    let short = signed("HS256", "", "me", &[0; 32]);
    let long = signed("HS512", "", "me", &[0; 64]);
    assert_eq!(
        code(&check(&mut gate, &short)),
        Some(Code::SignatureInvalid)
    );
    assert_eq!(asked(check(&mut gate, &long)).len(), 1);

    policy["signatures"] = "native".into();
    let text = policy.to_string();
    let native = Native {
        fips: true,
        algorithms: vec![Algorithm::HS512],
    };
    let refused = Gate::open_json(
        &policy_json(text.as_bytes()).unwrap(),
        Host {
            native: Some(native),
            ..Host::default()
        },
    );
    let problem = only_error(refused.unwrap_err());
    assert_eq!(
        (&*problem.pointer, problem.code),
        ("/signatures", "signatures_unavailable")
    );
    assert!(problem.message.contains("HS256"), "{}", problem.message);
}

/// The one problem beside the warnings, which are of the inline secrets.
fn only_error(mut problems: Vec<Problem>) -> Problem {
    problems.retain(|problem| problem.code != "inline_secret");
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

#[test]
fn a_policy_opens_only_where_it_is_verified_as_it_demands() {
    let opens = |members: Value, native: Option<bool>| {
        let mut policy = hmac_policy(&[""]);
        for (name, value) in members.as_object().unwrap() {
            policy[name] = value.clone();
        }
        let native = native.map(|fips| Native {
            fips,
            algorithms: Algorithm::ALL.into(),
        });
        let text = policy.to_string();
        let opened = Gate::open_json(
            &policy_json(text.as_bytes()).unwrap(),
            Host {
                native,
                ..Host::default()
            },
        );
        opened.err().map(|problems| {
            let problem = only_error(problems);
            (problem.pointer, problem.code)
        })
    };
    let unavailable = |pointer: &str| Some((pointer.to_owned(), "signatures_unavailable"));
    let (module, native) = (
        json!({ "signatures": "module" }),
        json!({ "signatures": "native" }),
    );
    let fips = json!({ "signatures": "native", "fips": true });
    for host in [None, Some(false), Some(true)] {
        assert_eq!(opens(json!({}), host), None);
        assert_eq!(opens(json!({ "fips": false }), host), None);
        let conflict = opens(json!({ "fips": true }), host);
        assert_eq!(conflict, Some(("/fips".to_owned(), "conflict")));
    }
    assert_eq!(opens(module.clone(), None), None);
    assert_eq!(opens(module, Some(false)), unavailable("/signatures"));
    assert_eq!(opens(native.clone(), None), unavailable("/signatures"));
    assert_eq!(opens(native, Some(false)), None);
    assert_eq!(opens(fips.clone(), None), unavailable("/signatures"));
    assert_eq!(opens(fips.clone(), Some(false)), unavailable("/fips"));
    assert_eq!(opens(fips, Some(true)), None);
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |n: usize| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).unwrap();
    (0..text.len() / 2).map(digit).collect()
}

//! Signatures that AWS-LC verifies: every algorithm, good ones and bad ones, and
//! policies that demand it.

mod support;

use std::{fs, sync::Arc};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPairComponents, PublicKeyComponents},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
        RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use countersign_host::{
    Answer, Cryptography, Gate, Instance, OpenError, Requirement, SHA256, Signatures, Verdict,
};
use serde_json::{Value, json};
use support::{A, B, Clock, Issuer, START_MS, builder, check, eventually, policy};

/// Algorithms and their test keys.
const KEYS: [(&str, &str); 13] = [
    ("RS256", "rsa-2048-a"),
    ("RS384", "rsa-2048-b"),
    ("RS512", "rsa-3072"),
    ("PS256", "rsa-2048-a"),
    ("PS384", "rsa-2048-b"),
    ("PS512", "rsa-3072"),
    ("ES256", "ec-p256"),
    ("ES384", "ec-p384"),
    ("ES512", "ec-p521"),
    ("EdDSA", "ed25519"),
    ("HS256", "hmac-512"),
    ("HS384", "hmac-512"),
    ("HS512", "hmac-512"),
];

fn test_key(name: &str) -> Value {
    let path = format!(
        "{}/../../tests/keys/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn sign(algorithm: &str, jwk: &Value, message: &[u8]) -> Vec<u8> {
    let part = |name: &str| BASE64URL.decode(jwk[name].as_str().unwrap()).unwrap();
    let random = SystemRandom::new();
    let rsa = |encoding: &'static dyn RsaEncoding| {
        let key = RsaKeyPair::from_components(&KeyPairComponents {
            public_key: PublicKeyComponents {
                n: part("n"),
                e: part("e"),
            },
            d: part("d"),
            p: part("p"),
            q: part("q"),
            dP: part("dp"),
            dQ: part("dq"),
            qInv: part("qi"),
        });
        let key = key.unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(encoding, &random, message, &mut signature)
            .unwrap();
        signature
    };
    let ec = |curve: &'static EcdsaSigningAlgorithm| {
        let point = [vec![4], part("x"), part("y")].concat();
        let key = EcdsaKeyPair::from_private_key_and_public_key(curve, &part("d"), &point);
        key.unwrap()
            .sign(&random, message)
            .unwrap()
            .as_ref()
            .to_vec()
    };
    let keyed = |algorithm| {
        let key = hmac::Key::new(algorithm, &part("k"));
        hmac::sign(&key, message).as_ref().to_vec()
    };
    match algorithm {
        "RS256" => rsa(&RSA_PKCS1_SHA256),
        "RS384" => rsa(&RSA_PKCS1_SHA384),
        "RS512" => rsa(&RSA_PKCS1_SHA512),
        "PS256" => rsa(&RSA_PSS_SHA256),
        "PS384" => rsa(&RSA_PSS_SHA384),
        "PS512" => rsa(&RSA_PSS_SHA512),
        "ES256" => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
        "ES384" => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
        "ES512" => ec(&ECDSA_P521_SHA512_FIXED_SIGNING),
        "EdDSA" => {
            let key = Ed25519KeyPair::from_seed_and_public_key(&part("d"), &part("x"));
            key.unwrap().sign(message).as_ref().to_vec()
        }
        "HS256" => keyed(hmac::HMAC_SHA256),
        "HS384" => keyed(hmac::HMAC_SHA384),
        "HS512" => keyed(hmac::HMAC_SHA512),
        other => panic!("{other}"),
    }
}

/// A policy of one issuer with this key for this algorithm.
fn policy_with(algorithm: &str, name: &str) -> Value {
    let mut jwk = test_key(name);
    let members = jwk.as_object_mut().unwrap();
    members.retain(|member, _| ["kty", "kid", "crv", "x", "y", "n", "e", "k"].contains(&&**member));
    let keys = match algorithm.starts_with("HS") {
        true => json!({ "secrets": [{ "kid": jwk["kid"], "k": jwk["k"] }] }),
        false => json!({ "jwks": { "keys": [jwk] } }),
    };
    policy(&[json!({
        "name": "platform", "issuer": "https://auth.example.com", "audiences": ["api"],
        "algorithms": [algorithm], "keys": keys,
    })])
}

fn token(algorithm: &str, name: &str) -> String {
    let jwk = test_key(name);
    let header = json!({ "alg": algorithm, "kid": name });
    let now = START_MS / 1000;
    let claims = json!({
        "iss": "https://auth.example.com", "aud": "api", "iat": now, "exp": now + 60,
    });
    let signed = [header, claims].map(|part| BASE64URL.encode(part.to_string()));
    let signed = signed.join(".");
    let signature = sign(algorithm, &jwk, signed.as_bytes());
    format!("{signed}.{}", BASE64URL.encode(signature))
}

/// The token with one bit of its signature changed.
fn changed(token: &str, bit: usize) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = BASE64URL.decode(signature).unwrap();
    let bits = signature.len() * 8;
    signature[bit % bits / 8] ^= 1 << (bit % 8);
    format!("{signed}.{}", BASE64URL.encode(signature))
}

fn open(policy: &Value, signatures: Signatures) -> Result<Instance, OpenError> {
    Instance::open_with(policy.to_string().as_bytes(), signatures, &[])
}

fn code(instance: &mut Instance, token: &str) -> String {
    match instance
        .check_token(token.as_bytes(), 0, false, START_MS)
        .unwrap()
    {
        Answer::Decided(decision) => support::code(&decision),
        Answer::Wait(needs) => panic!("{needs:?}"),
    }
}

#[test]
fn every_algorithm_is_decided_as_by_the_module() {
    for (algorithm, name) in KEYS {
        let mut policy = policy_with(algorithm, name);
        let mut module = open(&policy, Signatures::Module).unwrap();
        policy["signatures"] = json!("native");
        let mut native = open(&policy, Signatures::Native).unwrap();
        let good = token(algorithm, name);
        assert_eq!(code(&mut native, &good), "allow", "{algorithm}");
        assert_eq!(code(&mut module, &good), "allow", "{algorithm}");
        for bit in [0, 7, 100, 255, 256, 300, 511, 600, 1055, 2047] {
            let bad = changed(&token(algorithm, name), bit);
            assert_eq!(
                code(&mut native, &bad),
                "signature_invalid",
                "{algorithm} {bit}"
            );
            assert_eq!(
                code(&mut module, &bad),
                "signature_invalid",
                "{algorithm} {bit}"
            );
        }
        // Of this key, and of other bytes.
        let other = good.replacen(".eyJ", ".eyI", 1);
        assert_eq!(
            code(&mut native, &other),
            code(&mut module, &other),
            "{algorithm}"
        );
    }
}

/// RSA with the exponent 3 is for the module. A policy that demands the host's
/// cryptography has no such key.
#[test]
fn a_key_that_not_every_library_accepts_is_verified_by_the_module() {
    let mut policy = policy_with("RS256", "rsa-2048-e3");
    let token = token("RS256", "rsa-2048-e3");
    let mut instance = open(&policy, Signatures::Native).unwrap();
    assert_eq!(code(&mut instance, &token), "allow");
    assert_eq!(
        code(&mut instance, &changed(&token, 9)),
        "signature_invalid"
    );
    policy["signatures"] = json!("native");
    match open(&policy, Signatures::Native) {
        Err(refused) => assert!(!refused.problems().is_empty()),
        Ok(mut instance) => assert_ne!(code(&mut instance, &token), "allow"),
    }
}

#[test]
fn a_policy_that_demands_native_or_a_validated_mode_opens_only_with_it() {
    let mut demanding = policy_with("ES256", "ec-p256");
    demanding["signatures"] = json!("native");
    let refused = open(&demanding, Signatures::Module).unwrap_err();
    assert_eq!(refused.problems()[0].code, "signatures_unavailable");
    assert!(open(&demanding, Signatures::Native).is_ok());

    demanding["fips"] = json!(true);
    let opened = open(&demanding, Signatures::Native);
    if cfg!(feature = "fips") {
        let cryptography = opened.unwrap().cryptography();
        assert!(cryptography.fips && cryptography.to_string().ends_with("(FIPS 140-3)"));
    } else {
        let refused = opened.unwrap_err();
        assert_eq!(refused.problems()[0].code, "signatures_unavailable");
        assert_eq!(refused.problems()[0].pointer, "/fips");
    }

    let mut other = policy_with("ES256", "ec-p256");
    other["signatures"] = json!("module");
    assert!(open(&other, Signatures::Module).is_ok());
    assert!(open(&other, Signatures::Native).is_err());
}

#[test]
fn what_verifies_says_its_name_and_version() {
    let policy = policy_with("ES256", "ec-p256");
    let Cryptography {
        name,
        version,
        fips,
    } = open(&policy, Signatures::Native).unwrap().cryptography();
    assert_eq!((name, fips), ("AWS-LC", cfg!(feature = "fips")));
    assert!(
        version.starts_with(|first: char| first.is_ascii_digit()),
        "{version}"
    );
    let module = open(&policy, Signatures::Module).unwrap().cryptography();
    assert_eq!((module.name, module.fips), ("Countersign", false));
    assert!(module.version.contains(SHA256), "{module}");
}

#[test]
fn an_explanation_after_a_check_waits_for_nothing() {
    let policy = policy_with("ES256", "ec-p256");
    let mut instance = open(&policy, Signatures::Native).unwrap();
    let good = token("ES256", "ec-p256");
    for (token, expected) in [(changed(&good, 3), Some("signature_invalid")), (good, None)] {
        let bearer = format!("Bearer {token}");
        let headers = [(&b"authorization"[..], bearer.as_bytes())];
        let request = countersign_host::Request {
            method: b"GET",
            target: b"/things",
            headers: &headers,
            ..Default::default()
        };
        instance.check(request, START_MS).unwrap();
        let steps = instance.explain(request, START_MS).unwrap();
        assert!(
            steps.iter().all(|step| step.verdict != Verdict::Wait),
            "{steps:?}"
        );
        assert_eq!(steps.last().unwrap().code.as_deref(), expected);
    }
}

#[tokio::test]
async fn documents_come_first_and_a_new_key_is_a_new_question() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = builder(&clock, &policy(&[issuer.entry("platform")])).signatures(Signatures::Native);
    let gate = gate.build().await.unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    let forged = issuer.token_of(A, B, "ada");
    assert_eq!(check(&gate, &forged).await, "signature_invalid");
    issuer.publish(&[B]);
    clock.forward(std::time::Duration::from_secs(60));
    assert_eq!(check(&gate, &issuer.token(B)).await, "allow");
    eventually("the old key is gone", async || {
        check(&gate, &issuer.token(A)).await != "allow"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_checks_at_once_are_decided_each_for_itself() {
    let gate = Gate::builder()
        .policy(policy_with("ES256", "ec-p256").to_string())
        .signatures(Signatures::Native)
        .clock(|| START_MS)
        .instances(2);
    let gate = gate.build().await.unwrap();
    let tokens: Arc<[String]> = (0..8).map(|_| token("ES256", "ec-p256")).collect();
    let checks = (0..64).map(|number| {
        let (gate, tokens) = (gate.clone(), tokens.clone());
        tokio::spawn(async move {
            let is_good = number % 2 == 0;
            let token = &tokens[number / 2 % 8];
            let token = if is_good {
                token.clone()
            } else {
                changed(token, number)
            };
            let decision = gate.check_token(token, &Requirement::NONE).await;
            (is_good, support::code(&decision))
        })
    });
    for check in checks.collect::<Vec<_>>() {
        let (is_good, code) = check.await.unwrap();
        assert_eq!(
            code,
            if is_good {
                "allow"
            } else {
                "signature_invalid"
            }
        );
    }
}

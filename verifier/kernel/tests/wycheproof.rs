//! Wycheproof, every case of the curves and of Ed25519.
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// `None`, said aloud, where the corpora are not beside the repository.
fn corpus(name: &str) -> Option<Value> {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora").into();
    let corpora = std::env::var("COUNTERSIGN_CORPORA").unwrap_or_else(|_| beside());
    let path = format!("{corpora}/{name}");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {path} is absent");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// `(key object, message, signature, whether it is valid, id)`
fn each(file: &str, mut run: impl FnMut(&Value, &[u8], &[u8]) -> bool) -> usize {
    let Some(suite) = corpus(&format!("wycheproof/{file}")) else {
        return 0;
    };
    let mut count = 0;
    let mut valid = 0;
    for group in suite["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let (msg, sig) = (
                hex(test["msg"].as_str().unwrap()),
                hex(test["sig"].as_str().unwrap()),
            );
            let expected = test["result"] == "valid";
            assert_eq!(
                run(&group["publicKey"], &msg, &sig),
                expected,
                "{file} {test}"
            );
            count += 1;
            valid += expected as usize;
        }
    }
    println!("{file}: {count} cases, {valid} valid");
    assert!(count > 100);
    count
}

macro_rules! ecdsa {
    ($test:ident, $file:literal, $module:ident, $sha:ident, $n:literal) => {
        #[test]
        fn $test() {
            each($file, |key, msg, sig| {
                let point = hex(key["uncompressed"].as_str().unwrap());
                let x = point[1..1 + $n].try_into().unwrap();
                let y = point[1 + $n..].try_into().unwrap();
                let key = countersign_kernel::curve::$module::VerifyingKey::new(x, y)
                    .expect("a good key");
                let Ok(sig) = sig.try_into() else {
                    return false;
                };
                key.verify(&$sha::digest(msg).into(), sig)
            });
        }
    };
}
ecdsa!(
    p256_agrees_with_wycheproof,
    "ecdsa_secp256r1_sha256_p1363_test.json",
    p256,
    Sha256,
    32
);
ecdsa!(
    p384_agrees_with_wycheproof,
    "ecdsa_secp384r1_sha384_p1363_test.json",
    p384,
    Sha384,
    48
);
ecdsa!(
    p521_agrees_with_wycheproof,
    "ecdsa_secp521r1_sha512_p1363_test.json",
    p521,
    Sha512,
    66
);

#[test]
fn ed25519_agrees_with_wycheproof() {
    each("ed25519_test.json", |key, msg, sig| {
        let key = hex(key["pk"].as_str().unwrap());
        let key = countersign_kernel::curve::ed25519::VerifyingKey::new(&key.try_into().unwrap())
            .expect("a good key");
        let Ok(sig) = sig.try_into() else {
            return false;
        };
        key.verify(msg, sig)
    });
}

/// Our rule in the flags of the corpus.
#[test]
fn ed25519_keeps_its_rule_on_the_cctv_corpus() {
    let Some(vectors) = corpus("cctv_ed25519/ed25519vectors.json") else {
        return;
    };
    let mut counts = [0, 0];
    for vector in vectors.as_array().unwrap() {
        let refused = [
            "low_order_A",
            "low_order_R",
            "non_canonical_A",
            "non_canonical_R",
            "low_order_residue",
        ];
        let flags = vector["flags"].as_array().cloned().unwrap_or_default();
        let expected = !flags
            .iter()
            .any(|flag| refused.contains(&flag.as_str().unwrap()));
        let bytes = |name: &str| hex(vector[name].as_str().unwrap());
        let key = countersign_kernel::curve::ed25519::VerifyingKey::new(
            &bytes("key").try_into().unwrap(),
        );
        let sig: [u8; 64] = bytes("sig").try_into().unwrap();
        let msg = vector["msg"].as_str().unwrap().as_bytes();
        let found = key.is_some_and(|key| key.verify(msg, &sig));
        assert_eq!(found, expected, "{vector}");
        counts[expected as usize] += 1;
    }
    println!("CCTV: {} refused, {} accepted", counts[0], counts[1]);
    assert!(counts[0] > 100 && counts[1] > 10);
}

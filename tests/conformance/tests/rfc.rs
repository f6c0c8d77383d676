//! Runs the examples of RFC 7515, 7517, 7520, 7638, 7797 and 8037 from two
//! collections.

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign::{Algorithm, Jws, Keyring, Limits};
use countersign_conformance::corpora::{self, exceptions::Tally, jose::verifies};
use serde_json::Value;

/// Returns the files with an extension, in order.
fn files(folder: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == ending));
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}

#[test]
fn compact_examples_verify_and_any_change_does_not() {
    let Some(folder) = corpora::folder("latchset_jose_vectors") else {
        return;
    };
    let mut tally = Tally::new("rfc/compact");
    for path in files(&folder, "jwsc") {
        let text = fs::read_to_string(&path).expect("a token");
        let token = text.trim();
        let key = path.with_extension("jwk");
        if !key.exists() {
            // RFC 7515 A.5: `none`.
            let refused = Jws::parse(token.as_bytes(), &Limits::DEFAULT).is_err();
            tally.add(name(&path), false, !refused, "an unsecured token");
            continue;
        }
        // RFC 7520 §4.5 has a detached payload.
        let payload = path.with_extension("payl");
        let token = match fs::read(&payload) {
            Ok(payload) => token.replacen(
                "..",
                &format!(".{}.", BASE64_URL_SAFE_NO_PAD.encode(payload)),
                1,
            ),
            Err(_) => token.to_owned(),
        };
        let key = corpora::json(&key);
        match verifies(&key, &token) {
            Err(reason) => tally.not_applicable(name(&path), reason),
            Ok(ours) => {
                tally.add(name(&path), true, ours, "as it stands");
                let (input, signature) = token.rsplit_once('.').expect("a dot");
                let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url");
                bytes[0] ^= 1;
                let forged = format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
                let ours = verifies(&key, &forged).expect("it was applicable");
                tally.add(
                    format!("{} forged", name(&path)),
                    false,
                    ours,
                    "one bit changed",
                );
            }
        }
    }
    tally.finish();
}

#[test]
fn json_serialisations_are_refused() {
    let Some(folder) = corpora::folder("latchset_jose_vectors") else {
        return;
    };
    let mut tally = Tally::new("rfc/json");
    for path in files(&folder, "jwsf")
        .into_iter()
        .chain(files(&folder, "jwsg"))
    {
        let token = fs::read(&path).expect("a token");
        let ours = Jws::parse(&token, &Limits::DEFAULT).is_ok();
        tally.add(name(&path), false, ours, "flattened or general");
    }
    tally.finish();
}

#[test]
fn public_signing_keys_and_sets_are_read() {
    let Some(folder) = corpora::folder("latchset_jose_vectors") else {
        return;
    };
    let mut tally = Tally::new("rfc/keys");
    let paths = files(&folder, "jwk")
        .into_iter()
        .chain(files(&folder, "jwkset"));
    for path in paths {
        let document = corpora::json(&path);
        let keys = match document["keys"].as_array() {
            Some(keys) => keys.clone(),
            None => vec![document],
        };
        let set = serde_json::json!({ "keys": keys }).to_string();
        let ours = Keyring::parse(set.as_bytes(), Algorithm::ALL, &Limits::DEFAULT);
        tally.add(
            name(&path),
            may_be_used(&keys),
            ours.is_ok(),
            "the whole set",
        );
        if let Ok((ring, skipped)) = ours {
            // Keys for encryption are left out without a word.
            let others = keys.iter().filter(|key| key["use"] == "enc").count();
            let known = ring.len() + skipped.len() + others;
            assert_eq!(known, keys.len(), "{}", name(&path));
        }
    }
    tally.finish();
}

/// Returns whether no key is a secret and one is a public signature key: an EC
/// or OKP key, or an RSA key with `alg`.
fn may_be_used(keys: &[Value]) -> bool {
    let usable = |key: &Value| {
        let named = key["alg"].as_str().and_then(Algorithm::from_name);
        let alone = key["kty"] == "EC" && key.get("alg").is_none();
        key.get("d").is_none() && key["use"] != "enc" && (named.is_some() || alone)
    };
    keys.iter().all(|key| key["kty"] != "oct") && keys.iter().any(usable)
}

#[test]
fn the_cookbook_verifies_in_its_compact_form() {
    let Some(folder) = corpora::folder("jose_cookbook") else {
        return;
    };
    let mut tally = Tally::new("rfc/cookbook");
    for path in files(&folder.join("jws"), "json")
        .into_iter()
        .chain(files(&folder.join("curve25519"), "json"))
    {
        let example = corpora::json(&path);
        let Some(token) = example["output"]["compact"].as_str() else {
            tally.not_applicable(name(&path), "it has no compact form");
            continue;
        };
        if token.split('.').count() != 3 {
            let ours = Jws::parse(token.as_bytes(), &Limits::DEFAULT).is_ok();
            tally.add(name(&path), false, ours, "an encrypted token");
            continue;
        }
        // §4.5 has a detached payload.
        let payload = example["input"]["payload"].as_str().unwrap_or_default();
        let token = token.replacen(
            "..",
            &format!(".{}.", BASE64_URL_SAFE_NO_PAD.encode(payload)),
            1,
        );
        match verifies(&example["input"]["key"], &token) {
            Ok(ours) => tally.add(
                name(&path),
                true,
                ours,
                example["title"].as_str().unwrap_or_default(),
            ),
            Err(reason) => tally.not_applicable(name(&path), reason),
        }
    }
    for path in files(&folder.join("rfc7797"), "json") {
        let example = corpora::json(&path);
        // RFC 7797 §3: an implementation without support for `b64` must refuse
        // it.
        let protected = example["signing"]["protected_b64u"]
            .as_str()
            .expect("a header");
        let token = format!(
            "{protected}.JC4wMg.{}",
            example["signing"]["sig"].as_str().expect("a signature")
        );
        let ours = Jws::parse(token.as_bytes(), &Limits::DEFAULT).is_ok();
        tally.add(name(&path), false, ours, "an unencoded payload");
    }
    tally.finish();
}

#[test]
fn the_key_of_the_thumbprint_example_is_read() {
    let Some(folder) = corpora::folder("latchset_jose_vectors") else {
        return;
    };
    let key = corpora::json(&folder.join("rfc7638_3.1.jwk"));
    let set = serde_json::json!({ "keys": [key] }).to_string();
    let (ring, skipped) =
        Keyring::parse(set.as_bytes(), Algorithm::ALL, &Limits::DEFAULT).expect("a set");
    assert_eq!((ring.len(), skipped.len()), (1, 0));
}

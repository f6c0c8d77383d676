//! Keys that sign: published before, and for as long as their tokens live.

use std::{collections::BTreeSet, fs};

use axum::body::{Body, to_bytes};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use countersign_bridge::{Bridge, Rotated};
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::common::{Database, Stage, clock, configuration, databases, open};

/// The names of published keys.
async fn published(stage: &Stage) -> Vec<String> {
    let keys = stage.get("/.well-known/jwks.json").await.json();
    let keys = keys["keys"].as_array().unwrap().clone();
    let kid = |key: Value| key["kid"].as_str().unwrap().to_owned();
    keys.into_iter().map(kid).collect()
}

/// The name of the key that has signed a new token.
async fn signer(stage: &Stage) -> String {
    let token = stage.token().await;
    let header = BASE64.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

fn kid(rotated: Rotated) -> String {
    match rotated {
        Rotated::Begun { kid, .. } | Rotated::Pending { kid, .. } => kid,
    }
}

#[tokio::test]
async fn the_key_set_may_be_kept_for_its_max_age() {
    let stage = Stage::with(Database::Sqlite, |config| {
        config["keys"] = json!({ "max_age_s": 120 });
    })
    .await;
    let reply = stage.get("/.well-known/jwks.json").await;
    assert_eq!(reply.header("cache-control"), "public, max-age=120");
    let key = &reply.json()["keys"][0];
    assert_eq!((&key["alg"], &key["use"]), (&json!("ES256"), &json!("sig")));
    assert!(key.get("d").is_none());
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_the_old_one_while_its_tokens_live() {
    for database in databases() {
        let stage = Stage::with(database, |_| {}).await;
        let first = signer(&stage).await;
        let second = kid(stage.bridge.rotate_keys().await.unwrap());
        assert_eq!(published(&stage).await, [&*first, &second]);
        // 300 s of max-age, and 40.
        stage.clock.forward_s(339);
        stage.bridge.tick().await.unwrap();
        assert_eq!(signer(&stage).await, first);
        stage.clock.forward_s(1);
        assert_eq!(signer(&stage).await, second);
        // The longest token, the most leeway, a minute for clocks.
        stage.clock.forward_s(3600 + 300 + 59);
        stage.bridge.tick().await.unwrap();
        assert_eq!(published(&stage).await, [&*first, &second]);
        stage.clock.forward_s(1);
        stage.bridge.tick().await.unwrap();
        assert_eq!(published(&stage).await, [second]);
    }
}

#[tokio::test]
async fn a_second_rotation_waits_for_the_first() {
    let stage = Stage::open().await;
    let begun = stage.bridge.rotate_keys().await.unwrap();
    assert!(matches!(begun, Rotated::Begun { .. }));
    let again = stage.bridge.rotate_keys().await.unwrap();
    assert!(matches!(&again, Rotated::Pending { .. }));
    assert_eq!(kid(begun), kid(again));
}

#[tokio::test]
async fn keys_change_by_themselves() {
    let stage = Stage::with(Database::Sqlite, |config| {
        config["keys"] = json!({ "rotate_every_s": 7200 });
    })
    .await;
    let first = signer(&stage).await;
    stage.clock.forward_s(7200 - 341);
    stage.bridge.tick().await.unwrap();
    assert_eq!(published(&stage).await.len(), 1);
    stage.clock.forward_s(1);
    stage.bridge.tick().await.unwrap();
    assert_eq!(published(&stage).await.len(), 2);
    stage.clock.forward_s(340);
    assert_ne!(signer(&stage).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_replicas_that_rotate_at_once_one_wins() {
    for database in databases() {
        let stage = Stage::with(database, |_| {}).await;
        let mut replicas: Vec<Bridge> = vec![stage.bridge.clone()];
        for _ in 0..3 {
            replicas.push(stage.replica().await);
        }
        let rotations = replicas
            .into_iter()
            .map(|replica| tokio::spawn(async move { replica.rotate_keys().await.unwrap() }));
        let mut names = BTreeSet::new();
        let mut begun = 0;
        for rotation in rotations.collect::<Vec<_>>() {
            let rotated = rotation.await.unwrap();
            begun += usize::from(matches!(rotated, Rotated::Begun { .. }));
            names.insert(kid(rotated));
        }
        assert_eq!((names.len(), begun), (1, 1), "{database:?}");
        stage.bridge.tick().await.unwrap();
        assert_eq!(published(&stage).await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_replicas_that_start_at_once_one_makes_the_tables_and_the_first_key() {
    for database in databases() {
        let made = configuration("http://127.0.0.1:1", database, |_| {}).await;
        let (_folder, config) = made.unwrap();
        let (config, clock) = (&config, &clock());
        let (a, b, c, d) = tokio::join!(
            open(config, clock),
            open(config, clock),
            open(config, clock),
            open(config, clock)
        );
        let mut sets = BTreeSet::new();
        for opened in [a, b, c, d] {
            let replica = opened.unwrap_or_else(|error| panic!("{database:?}: {error}"));
            replica.tick().await.unwrap();
            let request = Request::get("/.well-known/jwks.json").body(Body::empty());
            let response = replica.router().oneshot(request.unwrap()).await.unwrap();
            let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            let keys: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
            sets.insert(keys.to_string());
        }
        assert_eq!(sets.len(), 1, "{database:?}");
    }
}

#[tokio::test]
async fn a_replica_that_could_not_look_lets_nobody_keep_its_key_set() {
    let stage = Stage::open().await;
    stage.clock.forward_s(41);
    let reply = stage.get("/.well-known/jwks.json").await;
    assert_eq!(
        (reply.status, reply.header("cache-control")),
        (200, "no-store")
    );
    stage.bridge.tick().await.unwrap();
    let reply = stage.get("/.well-known/jwks.json").await;
    assert_eq!(reply.header("cache-control"), "public, max-age=300");
}

#[tokio::test]
async fn private_keys_are_sealed_in_the_database_and_need_their_master_key() {
    let stage = Stage::open().await;
    stage.token().await;
    let (folder, config) = stage.end().await;
    for name in ["bridge.db", "bridge.db-wal"] {
        let bytes = fs::read(folder.path().join(name)).unwrap_or_default();
        // The name of the algorithm in each PKCS #8 of P-256 (RFC 5480 §2.1.1).
        let oid = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        assert!(!bytes.windows(oid.len()).any(|window| window == oid));
    }
    assert!(open(&config, &clock()).await.is_ok());
    fs::write(folder.path().join("master"), "00".repeat(32)).unwrap();
    let error = open(&config, &clock()).await.unwrap_err().to_string();
    assert!(error.contains("master key"), "{error}");
    assert!(!error.contains("5a5a"), "{error}");
}

#[tokio::test]
async fn keys_of_files_take_turns_too() {
    let pem = |folder: &std::path::Path, name: &str| {
        let key = rcgen::KeyPair::generate().unwrap();
        fs::write(folder.join(name), key.serialize_pem()).unwrap();
    };
    let stage = Stage::try_with(Database::Sqlite, |config| {
        config["keys"] = json!({ "files": [{ "file": "one.pem" }] });
    })
    .await;
    let error = stage.err().unwrap().to_string();
    assert!(error.contains("one.pem"), "{error}");

    let keys = tempfile::tempdir().unwrap();
    pem(keys.path(), "one.pem");
    let path = keys.path().to_owned();
    let stage = Stage::with(Database::Sqlite, |config| {
        config["keys"] = json!({ "files": [{ "file": path.join("one.pem") }] });
    })
    .await;
    let one = signer(&stage).await;
    assert!(stage.bridge.rotate_keys().await.is_err());
    pem(keys.path(), "two.pem");
    let mut config = stage.config.clone();
    let two = path.join("two.pem");
    config
        .keys
        .files
        .push(countersign_bridge::Secret::File(two));
    let restarted = open(&config, &stage.clock).await.unwrap();
    stage.bridge.tick().await.unwrap();
    assert_eq!(published(&stage).await.len(), 2);
    assert_eq!(signer(&stage).await, one);
    stage.clock.forward_s(340);
    // This replica lacks the second file: it signs a minute longer, and then no more.
    assert_eq!(signer(&stage).await, one);
    stage.clock.forward_s(60);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "orders"),
        ("client_secret", crate::common::SECRET),
    ];
    let reply = stage.post("/oauth/token", &[], &form).await;
    assert_eq!(reply.error(), (503, "temporarily_unavailable".to_owned()));
    // A file whose key is long gone does not come back as the newest.
    stage.clock.forward_s(4000);
    restarted.tick().await.unwrap();
    let again = open(&config, &stage.clock).await.unwrap();
    again.tick().await.unwrap();
    stage.bridge.tick().await.unwrap();
    let left = published(&stage).await;
    assert_eq!(left.len(), 1);
    assert_ne!(left[0], one);
}

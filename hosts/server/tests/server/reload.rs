//! What changes while the server runs.

use std::{fs, os::unix::fs::symlink};

use serde_json::json;

use crate::stage::{Folder, Stage, until};

/// Without the public path.
fn closed(folder: &Folder) -> String {
    folder
        .policy(json!({ "rules": [{ "path": "/**", "require": {} }] }))
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_changes_is_in_force_without_a_word() {
    let stage = Stage::start(json!({})).await;
    assert_eq!(stage.ask("/public/a", None).await.status, 204);
    stage.folder.write("policy.json", &closed(&stage.folder));
    until("the new policy is in force", || async {
        stage.ask("/public/a", None).await.status == 401
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_swap_of_a_config_map_is_a_change() {
    let folder = Folder::new();
    // Kubernetes: the file is a link through a link to a folder, which is replaced.
    for (version, policy) in [
        ("..1", folder.policy(json!({})).to_string()),
        ("..2", closed(&folder)),
    ] {
        fs::create_dir(folder.path().join(version)).unwrap();
        folder.write(&format!("{version}/policy.json"), &policy);
    }
    fs::remove_file(folder.path().join("policy.json")).unwrap();
    symlink("..1", folder.path().join("..data")).unwrap();
    symlink("..data/policy.json", folder.path().join("policy.json")).unwrap();
    let stage = Stage::start_in(folder, json!({})).await;
    assert_eq!(stage.ask("/public/a", None).await.status, 204);

    let folder = stage.folder.path();
    symlink("..2", folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    fs::remove_dir_all(folder.join("..1")).unwrap();
    until("the new policy is in force", || async {
        stage.ask("/public/a", None).await.status == 401
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_policy_leaves_the_old_one_and_says_every_problem() {
    let folder = Folder::new();
    folder.write("other.json", &folder.policy(json!({})).to_string());
    let stage = Stage::start_in(
        folder,
        json!({ "policies": { "app": { "file": "policy.json" }, "other": { "file": "other.json" } } }),
    )
    .await;
    let digest =
        |status: serde_json::Value, name: &str| status["policies"][name]["policy_digest"].clone();
    let before = stage.administer("GET /status").await.json();

    let bad = r#"{ "contract": "1", "issuers": [], "rules": [{ "path": "x", "requir": {} }] }"#;
    stage.folder.write("policy.json", bad);
    stage.folder.write("other.json", &closed(&stage.folder));
    let reply = stage.administer("POST /reload").await;
    assert_eq!(reply.status, 422, "{reply:?}");
    let reloaded = reply.json();
    // One that is broken keeps no other from being in force. (A look at the files may have
    // been faster with it.)
    assert_eq!(reloaded["policies"]["app"], "refused", "{reloaded}");
    let problems = reloaded["problems"].as_array().unwrap();
    let pointers: Vec<_> = problems
        .iter()
        .map(|problem| problem["pointer"].as_str().unwrap())
        .collect();
    assert!(
        pointers.contains(&"/rules/0/requir") && pointers.len() > 1,
        "{reloaded}"
    );
    assert_eq!(stage.ask("/public/a", None).await.status, 204);
    let after = stage.administer("GET /status").await.json();
    assert_eq!(digest(after.clone(), "app"), digest(before.clone(), "app"));
    assert_ne!(digest(after, "other"), digest(before, "other"));

    // As it was: there is nothing to do, and nothing wrong.
    stage
        .folder
        .write("policy.json", &stage.folder.policy(json!({})).to_string());
    let reply = stage.administer("POST /reload").await;
    assert_eq!(
        (reply.status, &reply.json()["policies"]["app"]),
        (200, &json!("unchanged"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_changes_is_in_force() {
    let folder = Folder::new();
    let policy = json!({
        "contract": "1",
        "issuers": [{
            "name": "machines",
            "api_keys": {
                "prefix": ["sk_test_"], "checksum": false, "forms": ["sha256"],
                "pepper": [{ "version": "1", "secret_from": "pepper" }],
                "inline": { "keys": [{
                    // SHA-256 of the pepper `0123456789abcdef`, `:` and the key.
                    "id": "a1", "hash": "91d32b8d19edb7ed3b0e86d27c2bd8d69f2e41292a8e4a40a9104c01385605b5",
                    "form": "sha256", "subject": "robot-1",
                }] },
            },
        }],
        "rules": [{ "path": "/**", "require": {} }],
    });
    folder.write("policy.json", &policy.to_string());
    folder.write("pepper", "another-pepper-of-the-tests\n");
    let stage = Stage::start_in(
        folder,
        json!({ "secrets": { "pepper": { "file": "pepper" } } }),
    )
    .await;
    let key = Some("sk_test_a1_0123456789abcdefghij");
    assert_eq!(stage.ask("/orders", key).await.status, 401);
    stage.folder.write("pepper", "0123456789abcdef\n");
    until("the new secret is in force", || async {
        stage.ask("/orders", key).await.status == 204
    })
    .await;
    // One that is missing leaves what is in force.
    fs::remove_file(stage.folder.path().join("pepper")).unwrap();
    let reply = stage.administer("POST /reload").await;
    assert_eq!(reply.status, 422);
    assert!(!reply.body.contains("0123456789abcdef"), "{reply:?}");
    assert_eq!(stage.ask("/orders", key).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_passes_who_should_not_while_policies_change_under_load() {
    let stage = Stage::start(json!({})).await;
    let open = stage.folder.policy(json!({})).to_string();
    let load = async {
        for _ in 0..400 {
            let reply = stage.ask("/admin/a", None).await;
            assert_eq!((reply.status, reply.code()), (401, "token_missing"));
        }
    };
    let changes = async {
        for round in 0..10 {
            let policy = if round % 2 == 0 {
                closed(&stage.folder)
            } else {
                open.clone()
            };
            stage.folder.write("policy.json", &policy);
            assert_eq!(stage.administer("POST /reload").await.status, 200);
        }
    };
    tokio::join!(load, changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_asked_and_changes_nothing() {
    let folder = Folder::new();
    folder.write("candidate.json", &closed(&folder));
    let more =
        json!({ "policies": { "app": { "file": "policy.json", "shadow": "candidate.json" } } });
    let stage = Stage::start_in(folder, more).await;
    assert_eq!(stage.ask("/public/a", None).await.status, 204);
    let status = stage.administer("GET /status").await.json();
    let counts = &status["policies"]["app"]["shadow"]["counts"];
    assert_eq!(counts[0]["comparison"], "would_deny", "{status}");
    assert_eq!(counts[0]["code"], "token_missing", "{status}");
}

//! `countersign keys`: makes API keys, and keeps their document.
#![allow(missing_docs)]

mod common;

use std::thread;

use common::Folder;
use serde_json::{Value, json};

const CREATE: &str = "keys create --prefix sk_live_ --pepper-file pepper --subject robot-1";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("pepper", "0123456789abcdef0123456789abcdef\n");
    folder
}

fn create(folder: &Folder, rest: &str) -> (String, String) {
    let made = folder
        .run(&format!("{CREATE} --json {rest}"))
        .expect(0)
        .json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

fn document(folder: &Folder) -> Vec<Value> {
    let document: Value = serde_json::from_str(&folder.read("api-keys.json")).unwrap();
    document["keys"].as_array().unwrap().clone()
}

#[test]
fn a_key_is_printed_once_and_only_its_hash_is_stored() {
    let folder = folder();
    let run = folder.run(CREATE).expect(0);
    let key = run.stdout.trim();
    assert_eq!(run.stdout, format!("{key}\n"), "nothing beside the key");
    assert!(!run.stderr.contains(key), "{run:?}");
    let (id, rest) = key
        .strip_prefix("sk_live_")
        .unwrap()
        .split_once('_')
        .unwrap();
    assert_eq!((id.len(), rest.len()), (12, 22 + 6));
    let stored = folder.read("api-keys.json");
    assert!(stored.contains(id));
    assert!(!stored.contains(&rest[..22]) && !stored.contains("0123456789abcdef"));
    let listed = folder.run("keys list").expect(0).text() + &folder.run("keys list --json").text();
    assert!(
        listed.contains(id) && !listed.contains(&rest[..22]),
        "{listed}"
    );
    let hash = document(&folder)[0]["hash"].as_str().unwrap().to_owned();
    assert_eq!(hash.len(), 43);
    assert!(!listed.contains(&hash));
    assert_ne!(folder.run(CREATE).expect(0).stdout.trim(), key);
}

#[test]
fn an_entry_says_what_the_arguments_say() {
    let folder = folder();
    let (id, _) = create(
        &folder,
        "--pepper-version 2026-11 --tenant acme --role reader --role writer --scope api:read \
         --claim plan=pro --claim level=3 --expires-at 2030-01-01T00:00:00Z",
    );
    let mut entry = document(&folder).remove(0);
    assert!(
        entry
            .as_object_mut()
            .unwrap()
            .shift_remove("hash")
            .is_some()
    );
    assert_eq!(
        entry,
        json!({
            "id": id, "form": "hmac-sha256", "pepper": "2026-11", "subject": "robot-1", "tenant": "acme",
            "roles": ["reader", "writer"], "scopes": ["api:read"], "expires_at": 1_893_456_000,
            "claims": { "plan": "pro", "level": 3 },
        })
    );
    folder.run(&format!("{CREATE} --claim sub=root")).expect(2);
}

#[test]
fn a_gate_that_has_the_document_and_the_pepper_accepts_the_key() {
    let folder = folder();
    let (id, key) = create(&folder, "--pepper-version 1 --tenant acme --expires 1h");
    folder.write("key", &key);
    let check = |folder: &Folder| {
        let policy = json!({
            "contract": "1",
            "issuers": [{ "name": "keys", "api_keys": {
                "inline": { "keys": document(folder) }, "prefix": ["sk_live_"],
                "pepper": [{ "version": "1", "secret_from": "pepper" }],
            } }],
            "rules": [{ "path": "/mcp", "require": { "tenant": { "fixed": "acme" } } }],
        });
        folder.write("policy.json", &policy.to_string());
        folder.run("check --json --policy policy.json --secret pepper=pepper --token key --request 'GET /mcp'")
    };
    let allowed = check(&folder).expect(0).json();
    assert_eq!(allowed["principal"]["subject"], "robot-1");
    folder.run(&format!("keys revoke {id}")).expect(0);
    assert_eq!(check(&folder).expect(1).json()["code"], "api_key_invalid");
}

#[test]
fn a_pepper_comes_from_a_file_or_the_environment() {
    let folder = folder();
    for wrong in [
        "keys create --prefix sk_live_ --subject a",
        "keys create --prefix sk_live_ --subject a --pepper-file none",
        "keys create --prefix sk_live_ --subject a --pepper-env COUNTERSIGN_NONE",
        "keys create --prefix sk_live_ --subject a --pepper-env A --pepper-file pepper",
        "keys create --prefix sk.live --subject a --pepper-file pepper",
        "keys create --prefix sk_live_ --subject a --pepper 0123456789abcdef",
    ] {
        folder.run(wrong).expect(2);
    }
    folder.write("short", "0123456789abcde\r\n");
    let run = folder
        .run("keys create --prefix sk_ --subject a --pepper-file short")
        .expect(2);
    assert!(!run.text().contains("0123456789"), "{run:?}");
    assert!(!folder.path.join("api-keys.json").exists());
    let mut command = folder.command("keys create --prefix sk_ --subject a --pepper-env PEPPER");
    let made = command.env("PEPPER", "0123456789abcdef").output().unwrap();
    assert!(made.status.success() && made.stdout.starts_with(b"sk_"));
}

#[test]
fn a_revoked_key_stays_in_the_document_and_an_unknown_one_is_an_error() {
    let folder = folder();
    let (id, key) = create(&folder, "");
    folder.run(&format!("keys revoke {id}")).expect(0);
    assert_eq!(document(&folder)[0]["status"], "revoked");
    assert!(folder.run("keys list").expect(0).stdout.contains("revoked"));
    // A whole key by mistake is not repeated.
    let run = folder.run(&format!("keys revoke {key}")).expect(2);
    assert!(!run.text().contains(&key), "{run:?}");
    let rotate = "keys rotate --prefix sk_live_ --pepper-file pepper";
    folder.run(&format!("{rotate} {id}")).expect(2);
    assert_eq!(document(&folder).len(), 1);
}

#[test]
fn a_rotated_key_has_a_new_one_beside_it_and_then_expires() {
    let folder = folder();
    let (old, _) = create(&folder, "--tenant acme --scope api:read --claim plan=pro");
    let rotate = "keys rotate --json --prefix sk_live_ --pepper-file pepper --overlap 1h";
    let new = folder.run(&format!("{rotate} {old}")).expect(0).json();
    let keys = document(&folder);
    assert_eq!((&keys[0]["id"], &keys[1]["id"]), (&json!(old), &new["id"]));
    for name in ["subject", "tenant", "scopes", "claims"] {
        assert_eq!(keys[0][name], keys[1][name], "{name}");
    }
    assert_ne!(keys[0]["hash"], keys[1]["hash"]);
    assert_eq!(keys[1].get("expires_at"), None);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let left = keys[0]["expires_at"].as_u64().unwrap() - now.as_secs();
    assert!((3_500..=3_600).contains(&left), "{left}");
    // An overlap never makes a key live longer.
    let rotate = "keys rotate --json --prefix sk_live_ --pepper-file pepper --overlap 10h";
    folder.run(&format!("{rotate} {old}")).expect(0);
    assert_eq!(document(&folder)[0]["expires_at"], keys[0]["expires_at"]);
    assert_eq!(document(&folder)[2]["expires_at"], keys[0]["expires_at"]);
}

#[test]
fn an_expired_key_is_rotated_only_with_a_new_expiry() {
    let folder = folder();
    let (old, _) = create(&folder, "--expires-at 1700000000");
    assert!(folder.run("keys list").expect(0).stdout.contains("expired"));
    let rotate = format!("keys rotate --prefix sk_live_ --pepper-file pepper {old}");
    folder.run(&rotate).expect(2);
    folder.run(&format!("{rotate} --expires 90days")).expect(0);
    assert_eq!(document(&folder)[0]["expires_at"], 1_700_000_000);
}

#[test]
fn commands_at_the_same_time_lose_no_key() {
    let folder = folder();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| folder.run(CREATE).expect(0));
        }
    });
    assert_eq!(document(&folder).len(), 8);
}

#[test]
fn a_directory_has_a_document_of_a_fixed_name() {
    let folder = folder();
    std::fs::create_dir(folder.path.join("keys")).unwrap();
    folder.run(&format!("{CREATE} --document keys")).expect(0);
    assert!(folder.read("keys/api-keys.json").contains("robot-1"));
    assert!(
        folder
            .run("keys list --document keys")
            .expect(0)
            .stdout
            .contains("robot-1")
    );
}

#[test]
fn what_is_no_document_is_not_replaced() {
    let folder = folder();
    for text in ["", "[]", "{}", "{\"keys\":[1]}", "{\"keys\":[],\"more\":1}"] {
        folder.write("api-keys.json", text);
        folder.run(CREATE).expect(2);
        folder.run("keys list").expect(2);
        assert_eq!(folder.read("api-keys.json"), text);
    }
}

#[cfg(unix)]
#[test]
fn a_document_is_private_unless_somebody_has_opened_it() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let folder = folder();
    let path = folder.path.join("api-keys.json");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    folder.run(CREATE).expect(0);
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    folder.run(CREATE).expect(0);
    assert_eq!(mode(), 0o640);
    assert_eq!(document(&folder).len(), 2);
    assert!(!folder.path.join("api-keys.json.new").exists());
}

//! A running bridge and its OpenAPI document, tried by a program that makes requests of the
//! document (Schemathesis): an error of the server, a status or a body that the document does
//! not name is a failure.

use std::{env, process::Stdio};

use serde_json::json;
use tokio::process::Command;

use crate::common::{Browser, Database, Provider, SECRET, Stage};

/// What is looked at in each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance";

/// The same requests each time.
const SEED: &str = "9700";

/// Requests of each operation and phase.
const EXAMPLES: &str = "40";

struct Scene {
    stage: Stage,
    cookie: String,
    csrf: String,
    basic: String,
}

impl Scene {
    /// With every section, and Ada signed in.
    async fn open() -> Self {
        let provider = Provider::open().await;
        let stage = Stage::with(Database::Sqlite, |config| {
            // More than are made here: a throttle is not what is tried.
            config["login"] = json!({
                "providers": { "id": provider.config("provider") },
                "roles": { "admin": ["orders:read"] },
                "attempts": 100_000,
            });
            config["pairing"] = json!({ "roles": ["admin"] });
            config["clients"]["orders"]["grants"] =
                json!(["client_credentials", "token_exchange", "device_code"]);
            config["clients"]["orders"]["scopes"] = json!(["orders:read", "node:ingest"]);
            config["api_keys"] = json!({
                "prefix": "sk_test_",
                "peppers": [{ "version": "1", "secret": { "file": "orders" } }],
                "readers": [{ "file": "orders" }],
            });
        })
        .await;
        let ada = (provider.url.as_str(), "ada");
        let roles = ["admin".to_owned()];
        let set = stage.bridge.set_member("acme", ada, Some(&roles));
        set.await.unwrap();
        let mut browser = Browser::default();
        let reply = browser.get(&format!("{}/auth/login", stage.url)).await;
        let reply = Browser::default().get(reply.header("location")).await;
        browser.get(reply.header("location")).await;
        let url = format!("{}/auth/session", stage.url);
        let session = browser.get(&url).await.json();
        let basic = base64::Engine::encode(
            &base64::prelude::BASE64_STANDARD,
            format!("orders:{SECRET}"),
        );
        Self {
            cookie: browser.cookies["__Host-countersign"].clone(),
            csrf: session["csrf"].as_str().unwrap().to_owned(),
            stage,
            basic,
        }
    }

    /// Tries the operations whose paths match, with these headers.
    async fn run(&self, program: &str, paths: &str, headers: &[String]) {
        let mut command = Command::new(program);
        command
            .arg("run")
            .arg(format!("{}/openapi.json", self.stage.url))
            .args(["--url", &self.stage.url])
            .args(["--include-path-regex", paths])
            // Nobody would be signed in any more.
            .args(["--exclude-operation-id", "logout"])
            .args(["--checks", CHECKS])
            .args(["--seed", SEED, "--max-examples", EXAMPLES])
            .args(["--generation-database", "none", "--no-color"])
            .current_dir(self.stage.folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        for header in headers {
            command.args(["--header", header]);
        }
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{paths}\n{said}\n{errors}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_of_the_document() {
    let Ok(program) = env::var("COUNTERSIGN_SCHEMATHESIS") else {
        assert!(
            env::var_os("CI").is_none(),
            "COUNTERSIGN_SCHEMATHESIS is not set"
        );
        println!("skipped: COUNTERSIGN_SCHEMATHESIS is not set; `cargo xtask test` installs it");
        return;
    };
    let scene = Scene::open().await;
    let person = [
        format!("cookie: __Host-countersign={}", scene.cookie),
        format!("x-csrf-token: {}", scene.csrf),
    ];
    let client = [format!("authorization: Basic {}", scene.basic)];
    // A stranger, a person, and a client.
    scene.run(&program, "^/", &[]).await;
    let of_people = "^/(auth/session|v1/keys|v1/nodes|pair$)";
    scene.run(&program, of_people, &person).await;
    let of_clients = "^/(oauth/(token|revoke|introspect)|pair/poll)$";
    scene.run(&program, of_clients, &client).await;
}

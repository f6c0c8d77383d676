//! Who may ask.

use serde_json::json;
use tempfile::TempDir;

use crate::stage::{BILLING_SECRET, ORDERS_SECRET, Stage, basic, config, issuer, open, parsed};

#[tokio::test]
async fn a_caller_authenticates_by_a_header_or_in_the_form() {
    let stage = Stage::start().await;
    let token = stage.token(|_| {});
    let in_form = format!("token={token}&client_id=orders&client_secret={ORDERS_SECRET}");
    let reply = stage.post("/introspect/api", &[], &in_form).await;
    assert_eq!(reply.json()["active"], true);
    // The same name beside the header is no second way.
    let named = format!("token={token}&client_id=orders");
    let reply = stage
        .post(
            "/introspect/api",
            &[&basic("orders", ORDERS_SECRET)],
            &named,
        )
        .await;
    assert_eq!(reply.json()["active"], true);
    // Some clients encode what stands in the header (RFC 6749 §2.3.1).
    let encoded = ORDERS_SECRET.replace('-', "%2D");
    assert_eq!(
        stage.ask("orders", &encoded, &token).await.json()["active"],
        true
    );
}

#[tokio::test]
async fn each_secret_of_a_caller_is_good_while_one_replaces_the_other() {
    let stage = Stage::start().await;
    let token = stage.token(|token| token.audience = vec!["billing".into()]);
    for secret in [BILLING_SECRET, "the-next-secret-of-32-characters"] {
        assert_eq!(
            stage.ask("billing", secret, &token).await.json()["active"],
            true
        );
    }
}

#[tokio::test]
async fn a_new_secret_is_in_force_after_a_reload_and_a_bad_one_leaves_the_old() {
    let stage = Stage::start().await;
    let token = stage.token(|_| {});
    let file = stage.folder.path().join("orders.secret");
    let next = "orders-secret-of-32-characters-1";
    std::fs::write(&file, next).expect("it is written");
    assert!(stage.server.reload().await.problems.is_empty());
    assert_eq!(stage.ask("orders", ORDERS_SECRET, &token).await.status, 401);
    assert_eq!(
        stage.ask("orders", next, &token).await.json()["active"],
        true
    );

    std::fs::write(&file, "short").expect("it is written");
    let problems = stage.server.reload().await.problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(
        stage.ask("orders", next, &token).await.json()["active"],
        true
    );
}

#[tokio::test]
async fn a_policy_that_is_reloaded_decides_about_tokens_at_once() {
    let stage = Stage::start().await;
    let token = stage.token(|_| {});
    assert_eq!(
        stage.ask("orders", ORDERS_SECRET, &token).await.json()["active"],
        true
    );
    let file = stage.folder.path().join("api.json");
    let policy = std::fs::read_to_string(&file).expect("the policy");
    let stricter = policy.replace(
        r#""audiences":["orders","billing"]"#,
        r#""audiences":["billing"]"#,
    );
    assert_ne!(stricter, policy);
    std::fs::write(&file, stricter).expect("it is written");
    assert!(stage.server.reload().await.problems.is_empty());
    let reply = stage.ask("orders", ORDERS_SECRET, &token).await;
    assert_eq!(reply.json(), json!({ "active": false }));
}

#[tokio::test]
async fn nobody_learns_whether_a_name_or_its_secret_is_wrong() {
    let stage = Stage::start().await;
    let token = stage.token(|_| {});
    let form = format!("token={token}");
    let wrong = [
        basic("orders", BILLING_SECRET),
        basic("nobody", ORDERS_SECRET),
        basic("orders", ""),
        basic("", ""),
        basic("printer", ORDERS_SECRET),
        "authorization: Basic ***".to_owned(),
        "authorization: Basic".to_owned(),
        format!("authorization: Bearer {token}"),
        "x-nothing: 1".to_owned(),
    ];
    for header in &wrong {
        let reply = stage.post("/introspect/api", &[header], &form).await;
        assert_eq!(reply.status, 401, "{header}");
        assert!(
            reply
                .head
                .contains("\r\nwww-authenticate: Basic realm=\"countersign\""),
            "{}",
            reply.head
        );
        let expected = json!({ "error": "invalid_client", "error_description": "the client is not authenticated" });
        assert_eq!(reply.json(), expected, "{header}");
    }
    // A certificate is part of a TLS connection: no header stands for it.
    let form = format!("token={token}&client_id=printer");
    let header = "x-forwarded-client-cert: Hash=0000000000000000000000000000000000000000000000000000000000000000";
    assert_eq!(
        stage.post("/introspect/api", &[header], &form).await.status,
        401
    );
}

#[tokio::test]
async fn after_some_wrong_secrets_of_a_name_even_the_right_one_must_wait() {
    let stage = Stage::start().await;
    let token = stage.token(|_| {});
    let wrong = "wrong-secret-of-32-characters--0";
    let mut reply = stage.ask("orders", wrong, &token).await;
    assert_eq!(reply.status, 401);
    // On a slow machine one is forgotten now and then: then there is room for another.
    for _ in 0..50 {
        while reply.status != 429 {
            reply = stage.ask("orders", wrong, &token).await;
        }
        reply = stage.ask("orders", ORDERS_SECRET, &token).await;
        if reply.status == 429 {
            break;
        }
    }
    assert_eq!(reply.status, 429);
    assert!(reply.head.contains("\r\nretry-after: "), "{}", reply.head);
    // Another caller does not wait for it.
    assert_eq!(
        stage.ask("billing", BILLING_SECRET, &token).await.status,
        200
    );
}

#[tokio::test]
async fn a_caller_asks_only_the_policies_that_it_may_ask() {
    let stage = Stage::start().await;
    let form = format!("token={}", stage.token(|_| {}));
    let orders = basic("orders", ORDERS_SECRET);
    let reply = stage.post("/introspect/other", &[&orders], &form).await;
    assert_eq!(
        (reply.status, &reply.json()["error"]),
        (403, &json!("access_denied"))
    );
    for target in [
        "/introspect/none",
        "/introspect/",
        "/introspect/api/",
        "/introspect",
    ] {
        assert_eq!(
            stage.post(target, &[&orders], &form).await.status,
            404,
            "{target}"
        );
    }
}

#[tokio::test]
async fn it_is_not_there_unless_the_configuration_says_it() {
    let without = |config: &mut serde_json::Value| {
        config
            .as_object_mut()
            .expect("an object")
            .remove("introspection");
    };
    let stage = Stage::start_with(without).await;
    let token = stage.token(|_| {});
    assert_eq!(stage.ask("orders", ORDERS_SECRET, &token).await.status, 404);
}

#[test]
fn every_problem_of_its_configuration_is_said_at_once() {
    let folder = TempDir::new().expect("a folder");
    let mut config = config(&folder);
    let secrets = json!([{ "env": "PATH" }]);
    config["listen"] = json!("0.0.0.0:0");
    config["introspection"]["clients"] = json!({
        "a b": { "policies": ["api"], "secrets": secrets, "require": {} },
        "both": { "policies": ["api"], "certificates": ["00".repeat(32)], "secrets": secrets, "require": {} },
        "neither": { "policies": ["api"], "require": {} },
        "nothing": { "policies": [], "secrets": [], "require": {} },
        "short": { "policies": ["api"], "certificates": ["00"], "require": {} },
        "printer": { "policies": ["api"], "certificates": ["00".repeat(32)], "require": {} },
        "all": { "policies": ["api"], "secrets": secrets },
    });
    let error = parsed(config)
        .map(drop)
        .expect_err("it is refused")
        .to_string();
    let expected = [
        "would come over plain HTTP",
        "need `client_ca` in `tls`",
        "/introspection/clients/a b: a name of a client has",
        "/introspection/clients/both: expected one of `secrets` and `certificates`",
        "/introspection/clients/neither: expected one of `secrets` and `certificates`",
        "/introspection/clients/nothing/policies: it could ask nothing",
        "/introspection/clients/nothing/secrets: expected 1 to 4",
        "/introspection/clients/short/certificates/0: expected the SHA-256",
        "/introspection/clients/all: `require` is missing",
    ];
    for words in expected {
        assert!(error.contains(words), "{words} is not in:\n{error}");
    }
}

#[test]
fn a_certificate_of_a_caller_must_not_be_that_of_a_proxy() {
    let folder = TempDir::new().expect("a folder");
    let mut config = config(&folder);
    config["introspection"]["clients"] = json!({
        "printer": { "policies": ["api"], "certificates": ["00".repeat(32)], "require": {} },
    });
    config["tls"] = json!({ "certificate": "a", "key": "b", "client_ca": "c" });
    assert!(parsed(config.clone()).is_ok());
    config
        .as_object_mut()
        .expect("an object")
        .remove("trusted_proxies");
    let error = parsed(config)
        .map(drop)
        .expect_err("it is refused")
        .to_string();
    assert!(error.contains("could ask as a proxy"), "{error}");
}

#[tokio::test]
async fn every_problem_of_its_files_is_said_at_once_and_no_secret() {
    let folder = TempDir::new().expect("a folder");
    let policy = json!({
        "contract": "1",
        "issuers": [{
            "name": "platform", "issuer": "https://auth.example.com", "audiences": ["orders"],
            "algorithms": ["EdDSA"], "keys": { "jwks": issuer().jwks() },
        }],
        "rules": [],
    });
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        json!([{ "file": path }])
    };
    file("api.json", &policy.to_string());
    let good = file("good", ORDERS_SECRET);
    let mut config = config(&folder);
    config["introspection"]["clients"] = json!({
        "short": { "policies": ["api"], "secrets": file("short", "hunter2"), "require": {} },
        "odd": { "policies": ["api"], "secrets": file("odd", "a-secret-with-a-percent-%-sign"), "require": {} },
        "unset": { "policies": ["api"], "secrets": [{ "env": "COUNTERSIGN_NO_SUCH_SECRET" }], "require": {} },
        "gone": { "policies": ["api"], "secrets": [{ "file": folder.path().join("none") }], "require": {} },
        "lost": { "policies": ["nowhere"], "secrets": good, "require": {} },
        "wrong": { "policies": ["api"], "secrets": good, "require": { "audience": "orders" } },
        "of_request": { "policies": ["api"], "secrets": good, "require": { "tenant": { "header": "x-tenant" } } },
    });
    let error = open(config)
        .await
        .map(drop)
        .expect_err("it is refused")
        .to_string();
    let expected = [
        "/short: a secret of a caller has 16 to 256",
        "/odd: a secret of a caller has 16 to 256",
        "the variable COUNTERSIGN_NO_SUCH_SECRET: it is not there",
        "/none: it cannot be read",
        "/introspection/clients/lost/policies: there is no policy `nowhere`",
        "/introspection/clients/wrong/require: under the policy `api`: ",
        "/introspection/clients/of_request/require: under the policy `api`: ",
    ];
    for words in expected {
        assert!(error.contains(words), "{words} is not in:\n{error}");
    }
    assert!(
        !error.contains("hunter2") && !error.contains("percent"),
        "{error}"
    );
}

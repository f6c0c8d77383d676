//! Who acts for whom.

use serde_json::{Value, json};

use super::{ACCESS_TOKEN, IDP, NOW_S, Trust, claims, refused};
use crate::common::{Database, Reply, SECRET};

impl Trust {
    /// The token of a machine for itself.
    async fn machine(&self, id: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", SECRET),
            ("audience", "platform"),
        ];
        let reply = self.stage.post("/oauth/token", &[], &form).await;
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn delegate(&self, subject: &Value, actor: &str) -> Reply {
        let actor = [("actor_token", actor), ("actor_token_type", ACCESS_TOKEN)];
        self.ask(&self.token(subject), &actor).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_now_is_outermost_and_who_acted_before_is_kept() {
    let trust = Trust::open(Database::Sqlite).await;
    let orders = trust.machine("orders").await;
    let reply = trust.delegate(&json!({}), &orders).await;
    assert_eq!(claims(&reply)["act"], json!({ "sub": "orders" }));
    let before = json!({ "act": { "sub": "desk", "act": { "sub": "bot" } } });
    let kept = json!({ "sub": "desk", "iss": IDP, "act": { "sub": "bot", "iss": IDP } });
    let reply = trust.delegate(&before, &orders).await;
    assert_eq!(
        claims(&reply)["act"],
        json!({ "sub": "orders", "act": kept })
    );
    // Without an actor it is kept as it is.
    let reply = trust.ask(&trust.token(&before), &[]).await;
    assert_eq!(claims(&reply)["act"], kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn actor_without_subject() {
    let trust = Trust::open(Database::Sqlite).await;
    let orders = trust.machine("orders").await;
    let known = [
        ("grant_type", super::GRANT),
        ("client_id", "orders"),
        ("client_secret", SECRET),
    ];
    let actor = [
        ("actor_token", &*orders),
        ("actor_token_type", ACCESS_TOKEN),
    ];
    let form = [&known[..], &actor].concat();
    let reply = trust.stage.post("/oauth/token", &[], &form).await;
    refused(&reply, "invalid_request");
    // Half of an actor.
    let token = trust.token(&json!({}));
    for half in actor {
        refused(&trust.ask(&token, &[half]).await, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_s_actor_token() {
    let trust = Trust::open(Database::Sqlite).await;
    // Of another client, of another issuer, and what is no token.
    let billing = trust.machine("billing").await;
    refused(
        &trust.delegate(&json!({}), &billing).await,
        "invalid_request",
    );
    let foreign = trust.token(&json!({ "sub": "orders" }));
    refused(
        &trust.delegate(&json!({}), &foreign).await,
        "invalid_request",
    );
    refused(&trust.delegate(&json!({}), "x").await, "invalid_request");
    // One that is revoked.
    let orders = trust.machine("orders").await;
    let sql = "INSERT INTO revocations (kind, value, reason, created_at, expires_at) \
               SELECT 'jti', jti, 'x', 1796083200000, 1796093200000 FROM issued \
               WHERE subject = 'orders'";
    trust.stage.sql(sql).await;
    refused(
        &trust.delegate(&json!({}), &orders).await,
        "invalid_request",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_whom_the_subject_does_not_name() {
    let trust = Trust::open(Database::Sqlite).await;
    let orders = trust.machine("orders").await;
    let billing = trust.machine("billing").await;
    let own = trust.stage.url.clone();
    let named = json!({ "may_act": { "sub": "billing", "iss": own } });
    refused(&trust.delegate(&named, &orders).await, "invalid_request");
    refused(
        &trust.ask(&trust.token(&named), &[]).await,
        "invalid_request",
    );
    let reply = trust.delegate(&named, &billing).await;
    assert_eq!(claims(&reply)["act"], json!({ "sub": "billing" }));
    // The name of somebody at the other issuer.
    for named in [
        json!({ "may_act": { "sub": "orders" } }),
        json!({ "may_act": { "sub": "orders", "iss": IDP } }),
        json!({ "may_act": "orders" }),
    ] {
        refused(&trust.delegate(&named, &orders).await, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_that_is_said_to_be_the_bridge_s_own() {
    let trust = Trust::open(Database::Sqlite).await;
    let own = trust.stage.url.clone();
    for act in [
        json!({ "sub": "orders", "iss": own }),
        json!({ "sub": "desk", "act": { "sub": "orders", "iss": own } }),
        json!("orders"),
        json!({}),
        json!({ "sub": "1", "act": { "sub": "2", "act": { "sub": "3", "act":
            { "sub": "4", "act": { "sub": "5" } } } } }),
    ] {
        let token = trust.token(&json!({ "act": act }));
        refused(&trust.ask(&token, &[]).await, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_no_later_than_its_actor_s() {
    let trust = Trust::open(Database::Sqlite).await;
    let orders = trust.machine("orders").await;
    trust.stage.clock.forward_s(1700);
    let subject = json!({ "iat": NOW_S + 1700, "exp": NOW_S + 3000 });
    let reply = trust.delegate(&subject, &orders).await;
    assert_eq!(claims(&reply)["exp"], NOW_S + 1800);
}

//! Assertions of an app that signs people in itself.

use std::future;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign_bridge::Listener;
use countersign_dev_issuer::Signer;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{LOGIN, NOW_S, Trust, app_form, assertion_claims, claims, refused, signed};
use crate::common::{Browser, Database, databases};

const TYP: &str = "person-assertion+jwt";

impl Trust {
    async fn ada(database: Database) -> Self {
        let trust = Self::open(database).await;
        trust.member((LOGIN, "ada"), Some(&["clerk"])).await;
        trust
    }

    async fn next(&self, assertion: &str) -> crate::common::Reply {
        self.ask_app(&self.stage.url, assertion, &[]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_names_a_person_and_the_bridge_says_what_that_person_may() {
    for database in databases() {
        let trust = Trust::ada(database).await;
        let more = json!({ "roles": ["admin"], "scope": "admin", "tenant_id": "globex" });
        let reply = trust.next(&trust.assertion(&more)).await;
        let claims = claims(&reply);
        assert_eq!(claims["aud"], "platform");
        assert_eq!(claims["client_id"], "next");
        assert_eq!(claims["tenant_id"], "acme");
        assert_eq!(claims["roles"], json!(["clerk"]));
        assert_eq!(claims["scope"], "orders:read");
        let people = trust.stage.sql("SELECT id FROM people").await;
        assert_eq!(people, [claims["sub"].as_str().unwrap()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_jti() {
    for database in databases() {
        let trust = Trust::ada(database).await;
        let assertion = trust.assertion(&json!({}));
        assert_eq!(trust.next(&assertion).await.status, 200);
        refused(&trust.next(&assertion).await, "invalid_request");
        // The same `jti` in another assertion, too.
        let again = trust.assertion(&json!({ "exp": NOW_S + 30 }));
        refused(&trust.next(&again).await, "invalid_request");
        let other = trust.assertion(&json!({ "jti": "two" }));
        assert_eq!(trust.next(&other).await.status, 200);
        // What was used is known as long as a gate would take it.
        trust.stage.clock.forward_s(45);
        trust.stage.bridge.sweep().await.unwrap();
        refused(&trust.next(&assertion).await, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_racing_on_one_assertion() {
    for database in databases() {
        let trust = Trust::ada(database).await;
        let mut urls = vec![trust.stage.url.clone()];
        let replica = trust.stage.replica().await;
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        urls.push(format!("http://{}", socket.local_addr().unwrap()));
        let running = replica.run(Listener::of(socket), future::pending());
        tokio::spawn(running);
        for round in 0..8 {
            let assertion = trust.assertion(&json!({ "jti": format!("race-{round}") }));
            let asked = [0, 1, 0, 1].map(|index| trust.ask_app(&urls[index], &assertion, &[]));
            let [a, b, c, d] = asked;
            let (a, b, c, d) = tokio::join!(a, b, c, d);
            let replies = [a, b, c, d];
            let good = replies.iter().filter(|reply| reply.status == 200);
            assert_eq!(good.count(), 1, "{replies:?}");
            for reply in replies.iter().filter(|reply| reply.status != 200) {
                refused(reply, "invalid_request");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn aud_list() {
    let trust = Trust::ada(Database::Sqlite).await;
    let url = trust.stage.url.clone();
    for aud in [
        json!([url, "https://other.example.com"]),
        json!([url]),
        json!(format!("{url}/oauth/token")),
        json!(format!("{url}/")),
        json!("https://other.example.com"),
        Value::Null,
    ] {
        let assertion = trust.assertion(&json!({ "aud": aud }));
        refused(&trust.next(&assertion).await, "invalid_request");
    }
    // None of them has used the `jti` up.
    assert_eq!(trust.next(&trust.assertion(&json!({}))).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn longer_life() {
    let trust = Trust::ada(Database::Sqlite).await;
    for changes in [
        json!({ "exp": NOW_S + 61 }),
        json!({ "exp": NOW_S - 61, "iat": NOW_S - 120 }),
        json!({ "iat": null }),
        json!({ "exp": null }),
        json!({ "iat": NOW_S + 61, "exp": NOW_S + 120 }),
        // The session of the app has ended, or nobody says when it does.
        json!({ "session_expires_at": NOW_S, "jti": "a" }),
        json!({ "session_expires_at": null }),
        json!({ "session_expires_at": "tomorrow", "jti": "b" }),
    ] {
        let reply = trust.next(&trust.assertion(&changes)).await;
        refused(&reply, "invalid_request");
    }
    let reply = trust.next(&trust.assertion(&json!({ "jti": "c" }))).await;
    assert_eq!(claims(&reply)["exp"], NOW_S + 900);
    let long = json!({ "jti": "d", "session_expires_at": NOW_S + 86_400 });
    let reply = trust.next(&trust.assertion(&long)).await;
    assert_eq!(claims(&reply)["exp"], NOW_S + 1800);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_client_s_assertion() {
    let trust = Trust::ada(Database::Sqlite).await;
    let assertion = trust.assertion(&json!({}));
    // Another app, and a client with a secret, have found it.
    let own = trust.client_assertion("other", &trust.other);
    let url = format!("{}/oauth/token", trust.stage.url);
    let mut browser = Browser::default();
    let reply = browser.post(&url, &[], &app_form(&own, &assertion)).await;
    refused(&reply, "invalid_request");
    let reply = trust
        .ask_as("orders", &assertion, &[], &[("tenant", "acme")])
        .await;
    refused(&reply, "invalid_request");
    // One that another app has signed in the name of this one.
    let claims = assertion_claims("next", &trust.stage.url);
    let forged = signed(&trust.other, TYP, &claims, &json!({}));
    refused(&trust.next(&forged).await, "invalid_request");
    // It is still good for the one that has signed it.
    assert_eq!(trust.next(&assertion).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn alg_confusion() {
    let trust = Trust::ada(Database::Sqlite).await;
    let claims = assertion_claims("next", &trust.stage.url);
    let secret = BASE64_URL_SAFE_NO_PAD.encode(trust.next.to_public_pem().unwrap());
    let kid = trust.next.kid.as_deref();
    let forger = Signer::from_secret(kid, "HS256", &secret).unwrap();
    let forged = signed(&forger, TYP, &claims, &json!({}));
    refused(&trust.next(&forged).await, "invalid_request");
    let forged = signed(&trust.next.forged().unwrap(), TYP, &claims, &json!({}));
    refused(&trust.next(&forged).await, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_of_one_kind_is_none_of_the_other() {
    let trust = Trust::ada(Database::Sqlite).await;
    // What a client says who it is with, sent as an assertion about a person.
    let own = trust.client_assertion("next", &trust.next);
    refused(&trust.next(&own).await, "invalid_request");
    let claims = assertion_claims("next", &trust.stage.url);
    for typ in ["JWT", "at+jwt", "pat+jwt"] {
        let token = signed(&trust.next, typ, &claims, &json!({}));
        refused(&trust.next(&token).await, "invalid_request");
    }
    let both = trust.assertion(&json!({ "sub": "next" }));
    refused(&trust.next(&both).await, "invalid_request");
    // And the other way round.
    let form = app_form(&own, &own);
    let assertion = trust.assertion(&json!({ "sub": "ada" }));
    let form = form.iter().map(|(name, value)| match *name {
        "client_assertion" => (*name, assertion.as_str()),
        _ => (*name, *value),
    });
    let form: Vec<_> = form.collect();
    let url = format!("{}/oauth/token", trust.stage.url);
    let reply = Browser::default().post(&url, &[], &form).await;
    assert_eq!(reply.error(), (401, "invalid_client".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_another_provider() {
    let trust = Trust::ada(Database::Sqlite).await;
    for sub_id in [
        json!({ "format": "iss_sub", "iss": "https://evil.example.com", "sub": "ada" }),
        json!({ "format": "email", "iss": LOGIN, "sub": "ada", "email": "ada@example.com" }),
        json!({ "format": "iss_sub", "iss": [LOGIN], "sub": "ada" }),
        json!({ "format": "iss_sub", "iss": LOGIN }),
        json!({ "format": "iss_sub", "iss": LOGIN, "sub": "" }),
        json!({ "format": "iss_sub", "iss": LOGIN, "sub": "a".repeat(256) }),
        json!("ada"),
        Value::Null,
    ] {
        let assertion = trust.assertion(&json!({ "sub_id": sub_id, "jti": sub_id.to_string() }));
        refused(&trust.next(&assertion).await, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_audience_more_scope_and_a_lost_membership() {
    for database in databases() {
        let trust = Trust::ada(database).await;
        let url = trust.stage.url.clone();
        for (more, error) in [
            (("audience", "billing"), "invalid_target"),
            (("scope", "orders:write"), "invalid_scope"),
            (("scope", "admin"), "invalid_scope"),
        ] {
            let assertion = trust.assertion(&json!({ "jti": more.1 }));
            let reply = trust.ask_app(&url, &assertion, &[more]).await;
            refused(&reply, error);
        }
        let jti = claims(&trust.next(&trust.assertion(&json!({}))).await)["jti"].clone();
        trust.member((LOGIN, "ada"), None).await;
        let reply = trust.next(&trust.assertion(&json!({ "jti": "two" }))).await;
        refused(&reply, "invalid_request");
        let sql = "SELECT value FROM revocations WHERE kind = 'jti'";
        assert_eq!(trust.stage.sql(sql).await, [jti.as_str().unwrap()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_guesses_who_is_a_member() {
    let trust = Trust::with(Database::Sqlite, |config| {
        // Nobody answers there.
        config["login"]["tenancy"] = json!({ "uri": "http://127.0.0.1:1/members" });
    })
    .await;
    let assertion = trust.assertion(&json!({}));
    let reply = trust.next(&assertion).await;
    assert_eq!(reply.error(), (503, "temporarily_unavailable".to_owned()));
    // It was used all the same.
    refused(&trust.next(&assertion).await, "invalid_request");
}

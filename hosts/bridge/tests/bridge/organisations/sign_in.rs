//! Who signs in by a provider of an organisation, to what, and until when.

use http::Request;
use serde_json::json;

use super::{Scene, routed};
use crate::common::{Browser, Database, Provider, databases};

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_one_organisation_speaks_for_no_other() {
    for database in databases() {
        let scene = Scene::open(database).await;
        let mut admin = scene.admin().await;
        let clerk = json!({ "roles": { "clerk": {} } });
        let id = scene.active(&mut admin, &clerk).await;
        // The same issuer and subject is a member of another organisation too.
        let roles = ["admin".to_owned()];
        let person = (scene.own.url.as_str(), "ada");
        let bridge = &scene.stage.bridge;
        bridge
            .set_member("other", person, Some(&roles))
            .await
            .unwrap();
        let mut browser = Browser::default();
        assert_eq!(scene.sign_in(&mut browser, &id).await.status, 303);
        let token = scene.token(&mut browser, "acme").await;
        assert_eq!(token.json()["scope"], "orders:read", "{token:?}");
        // The session is good for its own organisation alone.
        let token = scene.token(&mut browser, "other").await;
        assert_eq!(token.error(), (400, "access_denied".to_owned()));
        let csrf = scene.csrf(&mut browser).await;
        let request = Request::builder()
            .method("POST")
            .uri(scene.at("/v1/providers"))
            .header("x-csrf-token", csrf)
            .header("content-type", "application/json");
        let mut wanted = scene.wanted();
        wanted["tenant"] = json!("other");
        let reply = browser.send(request, wanted.to_string()).await;
        assert_eq!(reply.status, 403, "{reply:?}");
        let members = scene
            .stage
            .sql("SELECT tenant FROM members ORDER BY tenant")
            .await;
        assert_eq!(members, ["acme", "acme", "other"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_at_another_s_address_or_with_another_s_issuer_signs_nobody_in() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    let acme = scene.active(&mut admin, &json!({})).await;
    // The other organisation has its own provider, or the same one.
    let evil = Provider::open().await;
    let mut other = scene.person("eve", "evil", &["admin"]).await;
    for issuer in [&evil.url, &scene.own.url] {
        let tenant = json!({ "tenant": "evil", "issuer": issuer });
        let id = scene.active(&mut other, &tenant).await;
        let mut browser = Browser::default();
        let path = format!("/auth/login?provider={id}");
        let answer = scene.answer(&mut browser, &path).await;
        let moved = answer.replace(&id, &acme);
        assert_ne!(moved, answer);
        let reply = browser.get(&moved).await;
        assert_eq!(reply.status, 403, "{reply:?}");
        assert!(!browser.cookies.contains_key("__Host-countersign"));
    }
    // A token of the other provider for the same client, at the right address.
    scene.own.says(json!({ "iss": evil.url }));
    let mut browser = Browser::default();
    let reply = scene.sign_in(&mut browser, &acme).await;
    assert_eq!(reply.status, 403, "{reply:?}");
    scene.own.says(json!({}));
    scene.own.answers_as(Some(&evil.url));
    let reply = scene.sign_in(&mut browser, &acme).await;
    assert_eq!(reply.status, 403, "{reply:?}");
    assert!(!browser.cookies.contains_key("__Host-countersign"));
}

#[tokio::test(flavor = "multi_thread")]
async fn disabling_or_removing_ends_its_sessions_and_tokens_at_once() {
    for database in databases() {
        for is_removed in [false, true] {
            let scene = Scene::open(database).await;
            let mut admin = scene.admin().await;
            let clerk = json!({ "roles": { "clerk": {} } });
            let id = scene.active(&mut admin, &clerk).await;
            let mut browser = Browser::default();
            assert_eq!(scene.sign_in(&mut browser, &id).await.status, 303);
            let token = scene.token(&mut browser, "acme").await;
            assert_eq!(token.status, 200, "{token:?}");
            let issued = scene
                .stage
                .sql("SELECT jti FROM issued WHERE session IS NOT NULL")
                .await;
            // A login that is under way.
            let mut late = Browser::default();
            let path = format!("/auth/login?provider={id}");
            let answer = scene.answer(&mut late, &path).await;
            let reply = match is_removed {
                false => scene.act(&mut admin, &id, "disable").await,
                true => {
                    let path = format!("/v1/providers/{id}");
                    scene.send(&mut admin, "DELETE", &path, None).await
                }
            };
            assert!(matches!(reply.status, 200 | 204), "{reply:?}");
            let reply = browser.get(&scene.at("/auth/session")).await;
            assert_eq!(reply.status, 401, "{reply:?}");
            let revoked = scene.stage.get("/revocations.json").await;
            assert_eq!(issued.len(), 1);
            assert!(revoked.body.contains(&issued[0]), "{revoked:?}");
            let reply = late.get(&answer).await;
            assert_eq!(reply.status, 403, "{reply:?}");
            assert!(!late.cookies.contains_key("__Host-countersign"));
            // The platform's sessions are others.
            let reply = admin.browser.get(&scene.at("/auth/session")).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let left = scene
                .stage
                .sql("SELECT provider FROM sessions ORDER BY provider")
                .await;
            assert_eq!(left, ["platform"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_replica_does_holds_at_the_other() {
    for database in databases() {
        let scene = Scene::open(database).await;
        let replica = scene.stage.replica().await;
        let mut admin = scene.admin().await;
        let id = scene.active(&mut admin, &json!({})).await;
        let login = || {
            let request = Request::get(format!("/auth/login?provider={id}"));
            request.body(axum::body::Body::empty()).unwrap()
        };
        assert_eq!(routed(&replica, login()).await.0, 303);
        let mut browser = Browser::default();
        assert_eq!(scene.sign_in(&mut browser, &id).await.status, 303);
        let cookie = format!(
            "__Host-countersign={}",
            browser.cookies["__Host-countersign"]
        );
        let session = || {
            let request = Request::get("/auth/session").header("cookie", &cookie);
            request.body(axum::body::Body::empty()).unwrap()
        };
        assert_eq!(routed(&replica, session()).await.0, 200);
        assert_eq!(scene.act(&mut admin, &id, "disable").await.status, 200);
        assert_eq!(routed(&replica, session()).await.0, 401);
        assert_eq!(routed(&replica, login()).await.0, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_s_address_leads_to_its_only_provider_or_to_a_choice() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    let url = scene.at("/auth/login?tenant=acme&return_to=/orders");
    let page = Browser::default().get(&url).await;
    assert_eq!(page.status, 200, "{page:?}");
    let first = scene.active(&mut admin, &json!({})).await;
    let reply = Browser::default().get(&url).await;
    assert!(reply.header("location").starts_with(&scene.own.url));
    // One that is not active is no choice.
    let second = scene
        .connected(&mut admin, &json!({ "name": "<b>Two</b>" }))
        .await;
    assert_eq!(Browser::default().get(&url).await.status, 303);
    assert_eq!(scene.test(&mut admin, &second).await.status, 200);
    assert_eq!(scene.act(&mut admin, &second, "activate").await.status, 200);
    let page = Browser::default().get(&url).await;
    assert_eq!(page.status, 200, "{page:?}");
    for id in [&first, &second] {
        let link = format!("provider={id}&amp;return_to=%2Forders");
        assert!(page.body.contains(&link), "{page:?}");
    }
    assert!(!page.body.contains("<b>Two"), "{page:?}");
    let page = Browser::default()
        .get(&scene.at("/auth/login?tenant=nobody"))
        .await;
    assert!(page.body.contains("There is no provider."), "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_an_issuer_and_a_subject_also_by_another_provider_of_the_same_issuer() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    let mut people = Vec::new();
    for _ in 0..2 {
        let id = scene.active(&mut admin, &json!({})).await;
        let mut browser = Browser::default();
        scene.sign_in(&mut browser, &id).await;
        let session = browser.get(&scene.at("/auth/session")).await.json();
        people.push(session["person"].as_str().unwrap().to_owned());
    }
    assert_eq!(people[0], people[1]);
    // The same subject of another issuer is somebody else, whatever its address of mail.
    let session = admin.browser.get(&scene.at("/auth/session")).await.json();
    assert_ne!(session["person"], json!(people[0]));
}

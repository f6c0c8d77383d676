//! Who may connect a provider, and what becomes of it.

use http::Request;
use serde_json::json;

use super::Scene;
use crate::common::{Browser, CLIENT_SECRET, Database, databases};

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_validated_tested_and_then_active() {
    for database in databases() {
        let scene = Scene::open(database).await;
        let mut admin = scene.admin().await;
        let reply = scene.create(&mut admin, &json!({})).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        assert!(!reply.body.contains(CLIENT_SECRET), "{reply:?}");
        assert_eq!(reply.header("cache-control"), "no-store");
        let provider = reply.json();
        let id = provider["id"].as_str().unwrap();
        assert!(id.starts_with("o_"), "{id}");
        assert_eq!(provider["state"], "validated");
        let callback = scene.at(&format!("/auth/callback/{id}"));
        assert_eq!(provider["redirect_uri"], json!(callback));
        // The secret is sealed.
        let kept = scene.stage.sql("SELECT client_secret FROM providers").await;
        assert!(!kept[0].contains(CLIENT_SECRET) && !kept[0].is_empty());

        // It signs in nobody yet, and cannot be activated without a test.
        let path = format!("/auth/login?provider={id}");
        let refused = Browser::default().get(&scene.at(&path)).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        let reply = scene.act(&mut admin, id, "activate").await;
        assert_eq!(reply.status, 409, "{reply:?}");

        // The test begins no session and meets nobody.
        scene.own.signs_in("eve");
        let before = admin.browser.cookies["__Host-countersign"].clone();
        let page = scene.test(&mut admin, id).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.body.contains("The test has passed"), "{page:?}");
        assert_eq!(admin.browser.cookies["__Host-countersign"], before);
        let people = scene.stage.sql("SELECT sub FROM people").await;
        assert_eq!(people, ["ada"]);
        let refused = Browser::default().get(&scene.at(&path)).await;
        assert_eq!(refused.status, 400, "{refused:?}");

        let reply = scene.act(&mut admin, id, "activate").await;
        assert_eq!(
            (reply.status, &reply.json()["state"]),
            (200, &json!("active"))
        );
        let mut browser = Browser::default();
        let reply = scene.sign_in(&mut browser, id).await;
        assert_eq!((reply.status, reply.header("location")), (303, "/orders"));
        let session = browser.get(&scene.at("/auth/session")).await.json();
        assert_eq!(session["tenant"], "acme");
        assert_eq!(session["provider"], json!(id));

        let listed = scene
            .send(&mut admin, "GET", "/v1/providers?tenant=acme", None)
            .await
            .json();
        assert_eq!(listed["providers"][0]["id"], json!(id));
        assert_eq!(listed["providers"][0]["state"], "active");
        let events = scene
            .stage
            .sql("SELECT event FROM audit WHERE event LIKE 'provider.%' ORDER BY event")
            .await;
        let all = ["provider.activated", "provider.created", "provider.tested"];
        assert_eq!(events, all);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_member_with_the_role_looks_after_it() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    let id = scene.active(&mut admin, &json!({})).await;
    // A member without the role, and an admin of another organisation.
    let mut clerk = scene.person("bob", "acme", &["clerk"]).await;
    let mut other = scene.person("eve", "evil", &["admin"]).await;
    let test = format!("/auth/login?provider={id}&test=1");
    for (person, status) in [(&mut clerk, 403), (&mut other, 404)] {
        for what in ["activate", "disable"] {
            let reply = scene.act(person, &id, what).await;
            assert_eq!(reply.status, status, "{what}: {reply:?}");
        }
        let path = format!("/v1/providers/{id}");
        let reply = scene.send(person, "DELETE", &path, None).await;
        assert_eq!(reply.status, status, "{reply:?}");
        let reply = scene.create(person, &json!({})).await;
        assert_eq!(reply.status, 403, "{reply:?}");
        let path = "/v1/providers?tenant=acme";
        let reply = scene.send(person, "GET", path, None).await;
        assert_eq!(reply.status, 403, "{reply:?}");
        let reply = person.browser.get(&scene.at(&test)).await;
        assert_eq!(reply.status, 403, "{reply:?}");
    }
    // An id that nobody has is no other answer than another's.
    let reply = scene.act(&mut other, "o_nobody", "disable").await;
    assert_eq!(reply.status, 404, "{reply:?}");
    // Nobody tests who is not signed in.
    let reply = Browser::default().get(&scene.at(&test)).await;
    assert_eq!(reply.status, 403, "{reply:?}");
    let states = scene.stage.sql("SELECT state FROM providers").await;
    assert_eq!(states, ["active"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_needs_the_token_of_this_site_s_page() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    let id = scene.active(&mut admin, &json!({})).await;
    let wanted = scene.wanted().to_string();
    for (method, path) in [
        ("POST", "/v1/providers".to_owned()),
        ("POST", format!("/v1/providers/{id}/activate")),
        ("POST", format!("/v1/providers/{id}/disable")),
        ("DELETE", format!("/v1/providers/{id}")),
    ] {
        for token in ["", "x"] {
            let request = Request::builder()
                .method(method)
                .uri(scene.at(&path))
                .header("content-type", "application/json")
                .header("x-csrf-token", token);
            let reply = admin.browser.send(request, wanted.clone()).await;
            assert_eq!(reply.status, 403, "{method} {path}: {reply:?}");
        }
    }
    let rows = scene.stage.sql("SELECT state FROM providers").await;
    assert_eq!(rows, ["active"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_is_started_by_one_and_finished_by_another_is_none() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    let mut second = scene.person("bob", "acme", &["admin"]).await;
    let id = scene.connected(&mut admin, &json!({})).await;
    let path = format!("/auth/login?provider={id}&test=1");
    // The other admin has the same browser meanwhile, and so the cookie of the attempt.
    let answer = scene.answer(&mut admin.browser, &path).await;
    let session = second.browser.cookies["__Host-countersign"].clone();
    let mut mixed = admin.browser.clone();
    mixed
        .cookies
        .insert("__Host-countersign".to_owned(), session);
    let reply = mixed.get(&answer).await;
    assert_eq!(reply.status, 403, "{reply:?}");
    // And in another browser it is nobody's.
    let answer = scene.answer(&mut admin.browser, &path).await;
    let reply = second.browser.get(&answer).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    // Who has lost the role meanwhile ends nothing either.
    let answer = scene.answer(&mut admin.browser, &path).await;
    let roles = ["clerk".to_owned()];
    let person = (scene.platform.url.as_str(), "ada");
    let bridge = &scene.stage.bridge;
    bridge
        .set_member("acme", person, Some(&roles))
        .await
        .unwrap();
    let reply = admin.browser.get(&answer).await;
    assert_eq!(reply.status, 403, "{reply:?}");
    let reply = scene.act(&mut second, &id, "activate").await;
    assert_eq!(reply.status, 409, "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_one_is_tested_again_and_a_test_from_before_does_not_count() {
    for database in databases() {
        let scene = Scene::open(database).await;
        let mut admin = scene.admin().await;
        let id = scene.active(&mut admin, &json!({})).await;
        let path = format!("/auth/login?provider={id}&test=1");
        let begun = scene.answer(&mut admin.browser, &path).await;
        scene.stage.clock.forward_s(1);
        let reply = scene.act(&mut admin, &id, "disable").await;
        assert_eq!(
            (reply.status, &reply.json()["state"]),
            (200, &json!("disabled"))
        );
        let reply = admin.browser.get(&begun).await;
        assert_eq!(reply.status, 403, "{reply:?}");
        let reply = scene.act(&mut admin, &id, "activate").await;
        assert_eq!(reply.status, 409, "{reply:?}");
        assert_eq!(scene.test(&mut admin, &id).await.status, 200);
        let reply = scene.act(&mut admin, &id, "activate").await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_so_many_and_no_more() {
    for database in databases() {
        let scene = Scene::with(database, |config| {
            config["login"]["organisations"] =
                json!({ "roles": ["admin"], "per_tenant": 2, "in_all": 3 });
        })
        .await;
        let mut admin = scene.admin().await;
        let first = scene.connected(&mut admin, &json!({})).await;
        scene.connected(&mut admin, &json!({})).await;
        let reply = scene.create(&mut admin, &json!({})).await;
        assert_eq!(reply.error(), (403, "access_denied".to_owned()));
        let mut other = scene.person("eve", "evil", &["admin"]).await;
        let tenant = json!({ "tenant": "evil" });
        scene.connected(&mut other, &tenant).await;
        let reply = scene.create(&mut other, &tenant).await;
        assert_eq!(reply.status, 403, "{reply:?}");
        let path = format!("/v1/providers/{first}");
        let reply = scene.send(&mut admin, "DELETE", &path, None).await;
        assert_eq!(reply.status, 204, "{reply:?}");
        scene.connected(&mut other, &tenant).await;
        // Each try asks an address: there are not many in an hour.
        let mut status = 0;
        for _ in 0..20 {
            status = scene.create(&mut admin, &json!({})).await.status;
        }
        assert_eq!(status, 429);
        scene.stage.clock.forward_s(3600);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_configuration_there_are_none() {
    let scene = Scene::with(Database::Sqlite, |config| {
        config["login"]
            .as_object_mut()
            .unwrap()
            .remove("organisations");
    })
    .await;
    let mut admin = scene.admin().await;
    assert_eq!(scene.create(&mut admin, &json!({})).await.status, 404);
    for path in [
        "/auth/login?provider=o_x",
        "/auth/login?provider=o_x&test=1",
    ] {
        let reply = Browser::default().get(&scene.at(path)).await;
        assert!(matches!(reply.status, 400 | 403), "{reply:?}");
    }
    let page = Browser::default()
        .get(&scene.at("/auth/login?tenant=acme"))
        .await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("There is no provider."));
}

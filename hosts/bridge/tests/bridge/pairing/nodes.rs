//! Tokens that are good once, and nodes that are ended.

use axum::body::Body;
use countersign_bridge::Revoke;
use http::Request;
use tower::ServiceExt;

use super::{
    ADA, as_node, csrf, get, join, join_token, refused, renew, request, stage, start, states, text,
};
use crate::common::{Database, SECRET, Stage, databases};

/// Asks the database of a stage, which is SQLite: who is revoked for gates.
async fn revoked(stage: &Stage) -> Vec<String> {
    use sqlx::{Connection, Row};
    sqlx::any::install_default_drivers();
    let path = stage.folder.path().join("bridge.db");
    let url = format!("sqlite://{}", path.display());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let rows = sqlx::query("SELECT value FROM revocations WHERE kind = 'sub'");
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    rows.iter()
        .map(|row| row.get::<String, _>("value"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_token_that_comes_twice_revokes_its_node() {
    for database in databases() {
        let stage = stage(database).await;
        let njt = join_token(&stage, &[]).await;
        let joined = join(&stage, &njt).await;
        assert_eq!(joined.status, 200, "{joined:?}");
        let again = join(&stage, &njt).await;
        assert_eq!(again.error(), refused(401, "invalid_token"));
        let node = text(&joined, "node");
        assert_eq!(states(&stage).await[&node], "revoked");
        let renewed = renew(&stage, &text(&joined, "refresh_token")).await;
        assert_eq!(renewed.error(), refused(401, "invalid_token"));
        if database == Database::Sqlite {
            assert_eq!(revoked(&stage).await, [node]);
        }
    }
}

#[tokio::test]
async fn a_join_token_is_good_for_ten_minutes() {
    let stage = stage(Database::Sqlite).await;
    let njt = join_token(&stage, &[]).await;
    stage.clock.forward_s(600 + 31);
    assert_eq!(
        join(&stage, &njt).await.error(),
        refused(401, "invalid_token")
    );
    assert_eq!(states(&stage).await.len(), 1);
    stage.clock.forward_s(3600);
    stage.bridge.sweep().await.unwrap();
    assert!(states(&stage).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_comes_again_revokes_its_node() {
    for database in databases() {
        let stage = stage(database).await;
        let joined = join(&stage, &join_token(&stage, &[]).await).await;
        let node = text(&joined, "node");
        let first = text(&joined, "refresh_token");
        let second = text(&renew(&stage, &first).await, "refresh_token");
        let third = text(&renew(&stage, &second).await, "refresh_token");
        assert_eq!(states(&stage).await[&node], "active");
        // Days later, and not the last one.
        stage.clock.forward_s(3 * 86_400);
        stage.bridge.tick().await.unwrap();
        stage.bridge.sweep().await.unwrap();
        let again = renew(&stage, &first).await;
        assert_eq!(again.error(), refused(401, "invalid_token"));
        assert_eq!(states(&stage).await[&node], "revoked");
        let newest = renew(&stage, &third).await;
        assert_eq!(newest.error(), refused(401, "invalid_token"));
        if database == Database::Sqlite {
            assert_eq!(revoked(&stage).await, [node]);
        }
    }
}

#[tokio::test]
async fn a_renewal_that_nobody_has_made_revokes_nobody() {
    let stage = stage(Database::Sqlite).await;
    let joined = join(&stage, &join_token(&stage, &[]).await).await;
    let renewal = text(&joined, "refresh_token");
    let made_up = format!("nrt_{}", "A".repeat(44));
    for wrong in [
        &*made_up,
        &renewal[..47],
        "nrt_",
        &format!("{renewal}A"),
        "x",
    ] {
        let reply = renew(&stage, wrong).await;
        assert_eq!(reply.error(), refused(401, "invalid_token"), "{wrong}");
    }
    assert_eq!(renew(&stage, &renewal).await.status, 200);
}

/// How many of eight requests with one token, at two replicas at once, are answered with
/// 200.
async fn race(stage: &Stage, path: &'static str, token: &str) -> usize {
    let replicas = [stage.replica().await, stage.replica().await];
    let racing = (0..8).map(|number| {
        let router = replicas[number % 2].router();
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        tokio::spawn(async move { router.oneshot(request).await.unwrap().status() })
    });
    let mut good = 0;
    for status in racing.collect::<Vec<_>>() {
        good += usize::from(status.await.unwrap() == 200);
    }
    good
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_use_one_token_at_once_one_is_first_and_the_node_is_revoked() {
    for database in databases() {
        let stage = stage(database).await;
        let njt = join_token(&stage, &[]).await;
        assert_eq!(
            race(&stage, "/v1/nodes/join", &njt).await,
            1,
            "{database:?}"
        );
        assert!(
            states(&stage)
                .await
                .values()
                .all(|state| state == "revoked")
        );

        let joined = join(&stage, &join_token(&stage, &[]).await).await;
        let renewal = text(&joined, "refresh_token");
        assert_eq!(
            race(&stage, "/v1/nodes/renew", &renewal).await,
            1,
            "{database:?}"
        );
        assert!(
            states(&stage)
                .await
                .values()
                .all(|state| state == "revoked")
        );
    }
}

#[tokio::test]
async fn a_node_that_was_away_too_long_is_paired_again() {
    let stage = stage(Database::Sqlite).await;
    let joined = join(&stage, &join_token(&stage, &[]).await).await;
    stage.clock.forward_s(30 * 86_400);
    stage.bridge.tick().await.unwrap();
    let reply = renew(&stage, &text(&joined, "refresh_token")).await;
    assert_eq!(reply.error(), refused(401, "invalid_token"));
}

#[tokio::test]
async fn no_other_token_joins_or_renews() {
    let stage = stage(Database::Sqlite).await;
    let njt = join_token(&stage, &[]).await;
    let pat = {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "orders"),
            ("client_secret", SECRET),
            ("audience", "platform"),
        ];
        text(
            &stage.post("/oauth/token", &[], &form).await,
            "access_token",
        )
    };
    assert_eq!(
        renew(&stage, &njt).await.error(),
        refused(401, "invalid_token")
    );
    let joined = join(&stage, &njt).await;
    let (nat, renewal) = (
        text(&joined, "access_token"),
        text(&joined, "refresh_token"),
    );
    for token in [&pat, &nat, &renewal] {
        assert_eq!(
            join(&stage, token).await.error(),
            refused(401, "invalid_token")
        );
    }
    for token in [&pat, &nat] {
        assert_eq!(
            renew(&stage, token).await.error(),
            refused(401, "invalid_token")
        );
    }
    let nothing = stage.post("/v1/nodes/join", &[], &[]).await;
    assert_eq!(nothing.error(), refused(401, "invalid_token"));
}

#[tokio::test]
async fn a_person_sees_and_revokes_the_nodes_of_the_own_organisation() {
    for database in databases() {
        let stage = stage(database).await;
        let joined = join(&stage, &join_token(&stage, &[]).await).await;
        let node = text(&joined, "node");
        let body = get(&stage, "/v1/nodes", Some(ADA)).await.json();
        assert_eq!(body["nodes"][0]["name"], "Press 7");
        assert_eq!(body["nodes"][0]["person"], "p_ada");
        let eve = "p_eve evil admin";
        let body = get(&stage, "/v1/nodes", Some(eve)).await.json();
        assert_eq!(body["nodes"], serde_json::json!([]));

        let path = format!("/v1/nodes/{node}");
        let token = csrf("p_eve");
        let foreign = request(
            &stage,
            "DELETE",
            &path,
            Some(eve),
            &[("x-csrf-token", &token)],
        )
        .await;
        assert_eq!(foreign.status, 404);
        let token = csrf("p_ada");
        let headers = [("x-csrf-token", token.as_str())];
        for session in [None, Some("p_bob acme member"), Some("p_ada"), Some("down")] {
            let status = match session {
                None => 401,
                Some("down") => 503,
                // For which organisation?
                Some("p_ada") => 400,
                Some(_) => 403,
            };
            let reply = request(&stage, "DELETE", &path, session, &headers).await;
            assert_eq!(reply.status, status, "{session:?}");
            assert_eq!(get(&stage, "/v1/nodes", session).await.status, status);
        }
        assert_eq!(states(&stage).await[&node], "active");
        for headers in [
            &[][..],
            &[("x-csrf-token", "")],
            &[("x-csrf-token", &csrf("p_eve"))],
            &[("x-csrf-token", &token), ("sec-fetch-site", "cross-site")],
            &[("x-csrf-token", &token), ("sec-fetch-site", "same-site")],
        ] {
            let reply = request(&stage, "DELETE", &path, Some(ADA), headers).await;
            assert_eq!(reply.error(), refused(403, "access_denied"), "{headers:?}");
        }
        assert_eq!(states(&stage).await[&node], "active");
        for _ in 0..2 {
            let reply = request(&stage, "DELETE", &path, Some(ADA), &headers).await;
            assert_eq!(reply.status, 204);
        }
        assert_eq!(states(&stage).await[&node], "revoked");
        let renewed = renew(&stage, &text(&joined, "refresh_token")).await;
        assert_eq!(renewed.error(), refused(401, "invalid_token"));
    }
}

#[tokio::test]
async fn neither_codes_nor_renewals_are_in_the_database() {
    let stage = stage(Database::Sqlite).await;
    let started = start(&stage).await;
    super::approve(&stage, &started).await;
    let njt = text(&super::poll(&stage, &started).await, "access_token");
    let joined = as_node(&stage, "/v1/nodes/join", &njt, None, &[]).await;
    let renewal = text(&joined, "refresh_token");
    let plain = started.user_code.replace('-', "");
    let secrets = [
        &*started.device_code,
        &started.user_code,
        &plain,
        &renewal[4..26],
        &renewal[26..],
    ];
    let (folder, _) = stage.end().await;
    for name in ["bridge.db", "bridge.db-wal"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
        for secret in secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{name}");
        }
    }
}

#[tokio::test]
async fn a_node_is_not_ended_while_its_revocation_cannot_be_written() {
    let stage = stage(Database::Sqlite).await;
    let joined = join(&stage, &join_token(&stage, &[]).await).await;
    let (node, old) = (text(&joined, "node"), text(&joined, "refresh_token"));
    assert_eq!(renew(&stage, &old).await.status, 200);
    let fail = "CREATE TRIGGER fail BEFORE INSERT ON revocations \
                BEGIN SELECT RAISE(ABORT, 'no'); END";
    stage.sql(fail).await;
    // Used twice: that revokes, if it can.
    assert_eq!(renew(&stage, &old).await.status, 503);
    assert_eq!(states(&stage).await[&node], "active");
    stage.sql("DROP TRIGGER fail").await;
    assert_eq!(renew(&stage, &old).await.status, 401);
    assert_eq!(states(&stage).await[&node], "revoked");
    let body = stage.get("/revocations.json").await.json();
    assert_eq!(body["sub"], serde_json::json!([{ "sub": node }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_node_is_in_the_list_for_a_month() {
    for database in databases() {
        let stage = stage(database).await;
        let revoked = join(&stage, &join_token(&stage, &[]).await).await;
        let active = join(&stage, &join_token(&stage, &[]).await).await;
        let (revoked, active) = (text(&revoked, "node"), text(&active, "node"));
        let what = Revoke::Node(revoked.clone());
        stage.bridge.revoke(&what).await.unwrap();
        stage.clock.forward_s(29 * 86_400);
        stage.bridge.sweep().await.unwrap();
        assert_eq!(states(&stage).await[&revoked], "revoked");
        stage.clock.forward_s(2 * 86_400);
        stage.bridge.sweep().await.unwrap();
        let left = states(&stage).await;
        assert_eq!(left.len(), 1);
        assert_eq!(left[&active], "active");
    }
}

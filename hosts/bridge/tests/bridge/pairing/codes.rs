//! Codes: of whom they are, how often and how long, and by whom they are used up.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::{
    ADA, SECRET, approve, csrf, decide, get, join, join_token, poll, refused, renew, stage, start,
    states, text,
};
use crate::common::{Database, Stage, databases};

#[tokio::test]
async fn another_client_polls_in_vain_and_changes_nothing() {
    for database in databases() {
        let stage = stage(database).await;
        let started = start(&stage).await;
        approve(&stage, &started).await;
        let form = [
            ("client_id", "other"),
            ("client_secret", SECRET),
            ("device_code", &started.device_code),
        ];
        for _ in 0..3 {
            let reply = stage.post("/pair/poll", &[], &form).await;
            assert_eq!(reply.error(), refused(400, "invalid_grant"));
        }
        let form = [("client_id", "orders"), ("client_secret", SECRET)];
        let reply = stage.post("/pair/poll", &[], &form).await;
        assert_eq!(reply.error(), refused(400, "unauthorized_client"));
        assert_eq!(poll(&stage, &started).await.status, 200);
    }
}

#[tokio::test]
async fn a_device_code_is_used_up() {
    for database in databases() {
        let stage = stage(database).await;
        let started = start(&stage).await;
        approve(&stage, &started).await;
        assert_eq!(poll(&stage, &started).await.status, 200);
        stage.clock.forward_s(5);
        let again = poll(&stage, &started).await;
        assert_eq!(again.error(), refused(400, "invalid_grant"));
        let unknown = super::Started {
            device_code: "A".repeat(22),
            user_code: String::new(),
        };
        assert_eq!(
            poll(&stage, &unknown).await.error(),
            refused(400, "invalid_grant")
        );
    }
}

#[tokio::test]
async fn codes_end_after_ten_minutes() {
    for database in databases() {
        let stage = stage(database).await;
        let (waiting, approved) = (start(&stage).await, start(&stage).await);
        stage.clock.forward_s(599);
        approve(&stage, &approved).await;
        stage.clock.forward_s(1);
        for started in [&waiting, &approved] {
            let reply = poll(&stage, started).await;
            assert_eq!(reply.error(), refused(400, "expired_token"));
        }
        let late = decide(&stage, ADA, &waiting.user_code, "approve").await;
        assert_eq!(late.status, 404);
        stage.clock.forward_s(301);
        stage.bridge.sweep().await.unwrap();
        let reply = poll(&stage, &waiting).await;
        assert_eq!(reply.error(), refused(400, "invalid_grant"));
    }
}

#[tokio::test]
async fn a_device_that_was_denied_is_told_so() {
    let stage = stage(Database::Sqlite).await;
    let started = start(&stage).await;
    let denied = decide(&stage, ADA, &started.user_code, "deny").await;
    assert_eq!(denied.status, 200);
    assert_eq!(
        poll(&stage, &started).await.error(),
        refused(400, "access_denied")
    );
    // Nobody can think better of it.
    let late = decide(&stage, ADA, &started.user_code, "approve").await;
    assert_eq!(late.status, 404);
}

#[tokio::test]
async fn a_flood_of_polls_is_slowed_down_and_recovers() {
    for database in databases() {
        let stage = stage(database).await;
        let started = start(&stage).await;
        assert_eq!(
            poll(&stage, &started).await.error(),
            refused(400, "authorization_pending")
        );
        for _ in 0..50 {
            let reply = poll(&stage, &started).await;
            assert_eq!(reply.error(), refused(400, "slow_down"));
        }
        approve(&stage, &started).await;
        stage.clock.forward_s(30);
        assert_eq!(
            poll(&stage, &started).await.error(),
            refused(400, "slow_down")
        );
        // A minute after the last poll in time, whatever came between.
        stage.clock.forward_s(30);
        assert_eq!(poll(&stage, &started).await.status, 200);
    }
}

#[tokio::test]
async fn the_pause_goes_back_to_what_it_was() {
    let stage = stage(Database::Sqlite).await;
    let started = start(&stage).await;
    let pending = refused(400, "authorization_pending");
    assert_eq!(poll(&stage, &started).await.error(), pending);
    assert_eq!(
        poll(&stage, &started).await.error(),
        refused(400, "slow_down")
    );
    stage.clock.forward_s(5);
    assert_eq!(
        poll(&stage, &started).await.error(),
        refused(400, "slow_down")
    );
    stage.clock.forward_s(10);
    assert_eq!(poll(&stage, &started).await.error(), pending);
    stage.clock.forward_s(10);
    assert_eq!(poll(&stage, &started).await.error(), pending);
    stage.clock.forward_s(5);
    assert_eq!(poll(&stage, &started).await.error(), pending);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_approve_at_once_at_several_replicas_one_does() {
    for database in databases() {
        let stage = Arc::new(stage(database).await);
        let replicas = [stage.replica().await, stage.replica().await];
        let started = start(&stage).await;
        let deciding = (0..8).map(|number| {
            let router = replicas[number % 2].router();
            let person = format!("p_{number}");
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("user_code", &started.user_code);
            form.append_pair("csrf", &csrf(&person));
            form.append_pair("decision", ["approve", "deny"][number / 4]);
            let request = Request::post("/pair")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("x-test-session", format!("{person} acme admin"))
                .body(Body::from(form.finish()))
                .unwrap();
            tokio::spawn(async move { router.oneshot(request).await.unwrap() })
        });
        let mut done = Vec::new();
        for decided in deciding.collect::<Vec<_>>() {
            let response = decided.await.unwrap();
            let status = response.status().as_u16();
            assert!([200, 404, 409].contains(&status), "{status}");
            if status == 200 {
                let body = response.into_body().collect().await.unwrap().to_bytes();
                done.push(String::from_utf8(body.to_vec()).unwrap());
            }
        }
        assert_eq!(done.len(), 1, "{database:?} {done:?}");
        let polled = poll(&stage, &started).await;
        assert_eq!(
            polled.status == 200,
            done[0].contains("The device is paired")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_polls_at_several_replicas_at_once_one_gets_the_token() {
    for database in databases() {
        let stage = stage(database).await;
        let replicas = [stage.replica().await, stage.replica().await];
        let started = start(&stage).await;
        approve(&stage, &started).await;
        let polls = (0..8).map(|number| {
            let router = replicas[number % 2].router();
            let form = format!("client_id=press&device_code={}", started.device_code);
            let request = Request::post("/pair/poll")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::from(form))
                .unwrap();
            tokio::spawn(async move { router.oneshot(request).await.unwrap().status().as_u16() })
        });
        let mut granted = 0;
        for polled in polls.collect::<Vec<_>>() {
            granted += usize::from(polled.await.unwrap() == 200);
        }
        assert_eq!(granted, 1, "{database:?}");
        assert_eq!(states(&stage).await.len(), 1);
    }
}

async fn guess(stage: &Stage, number: usize, person: &str) -> u16 {
    let letters = b"BCDFGHJKLMNPQRSTVWXZ";
    let letter = |place: usize| char::from(letters[number / 20_usize.pow(place as u32) % 20]);
    let code: String = (0..8).map(letter).collect();
    let session = format!("{person} acme admin");
    get(stage, &format!("/pair?user_code={code}"), Some(&session))
        .await
        .status
}

#[tokio::test]
async fn who_guesses_user_codes_is_stopped_whoever_signs_in() {
    for database in databases() {
        let stage = stage(database).await;
        let started = start(&stage).await;
        for number in 0..20 {
            assert_eq!(guess(&stage, number, &format!("p_{number}")).await, 404);
        }
        // From this address nobody is listened to any more, with the right code neither.
        assert_eq!(guess(&stage, 20, "p_fresh").await, 429);
        let right = decide(&stage, ADA, &started.user_code, "approve").await;
        assert_eq!((right.status, right.header("retry-after")), (429, "600"));
        stage.clock.forward_s(600);
        let started = start(&stage).await;
        approve(&stage, &started).await;
    }
}

#[tokio::test]
async fn who_guesses_from_many_addresses_is_stopped_too() {
    let stage = Stage::said(Database::Sqlite, |config| {
        config["pairing"] = serde_json::json!({ "roles": ["admin"] });
        config["trusted_proxies"] = serde_json::json!(["127.0.0.1"]);
    })
    .await;
    let mut statuses = Vec::new();
    for number in 0..21 {
        let path = format!("/pair?user_code=BCDFGHJ{}", ["K", "L"][number % 2]);
        let address = format!("192.0.2.{number}");
        let headers = [("x-forwarded-for", address.as_str())];
        let reply = super::request(&stage, "GET", &path, Some(ADA), &headers).await;
        statuses.push(reply.status);
    }
    assert_eq!(statuses[19..], [404, 429]);
}

#[tokio::test]
async fn right_codes_do_not_count_as_guesses() {
    let stage = stage(Database::Sqlite).await;
    for _ in 0..25 {
        let started = start(&stage).await;
        let path = format!("/pair?user_code={}", started.user_code.to_lowercase());
        assert_eq!(get(&stage, &path, Some(ADA)).await.status, 200);
        approve(&stage, &started).await;
    }
}

#[tokio::test]
async fn one_address_gets_a_bounded_number_of_codes() {
    let stage = stage(Database::Sqlite).await;
    for _ in 0..60 {
        start(&stage).await;
    }
    let reply = stage
        .post("/pair/start", &[], &[("client_id", "press")])
        .await;
    assert_eq!(reply.error(), refused(503, "temporarily_unavailable"));
    stage.clock.forward_s(600);
    start(&stage).await;
}

#[tokio::test]
async fn neither_another_audience_nor_more_scope_is_given() {
    let stage = stage(Database::Sqlite).await;
    let press = ("client_id", "press");
    let other = [
        ("client_id", "other"),
        ("client_secret", SECRET),
        ("audience", "platform"),
    ];
    for (form, code) in [
        (vec![press, ("audience", "ingest")], "invalid_target"),
        (
            vec![press, ("resource", "https://x.example.com")],
            "invalid_target",
        ),
        (vec![press, ("scope", "node:ingest admin")], "invalid_scope"),
        // What no node may have, though its client may.
        (
            [&other[..], &[("scope", "orders:read")]].concat(),
            "invalid_scope",
        ),
        (vec![press, ("scope", " ")], "invalid_scope"),
    ] {
        let reply = stage.post("/pair/start", &[], &form).await;
        assert_eq!(reply.error(), refused(400, code), "{form:?}");
    }
    // Later, neither.
    let njt = join_token(&stage, &[("scope", "node:read")]).await;
    for (path, token) in [("/v1/nodes/join", njt.clone())] {
        for (form, code) in [
            (("scope", "node:read node:ingest"), "invalid_scope"),
            (("audience", "ingest"), "invalid_target"),
        ] {
            let reply = super::as_node(&stage, path, &token, None, &[form]).await;
            assert_eq!(reply.error(), refused(400, code), "{form:?}");
        }
    }
    let joined = join(&stage, &njt).await;
    assert_eq!(text(&joined, "scope"), "node:read");
    let renewal = text(&joined, "refresh_token");
    for (form, code) in [
        (("scope", "node:ingest"), "invalid_scope"),
        (("resource", "ingest"), "invalid_target"),
    ] {
        let reply = super::as_node(&stage, "/v1/nodes/renew", &renewal, None, &[form]).await;
        assert_eq!(reply.error(), refused(400, code), "{form:?}");
    }
    // What was refused has used nothing up.
    assert_eq!(renew(&stage, &renewal).await.status, 200);
}

//! Key documents from a real server: late, broken, shared.

mod support;

use std::time::{Duration, Instant};

use countersign_host::{DocumentKind, Gate};
use serde_json::json;
use support::{A, Answer, B, Clock, Issuer, builder, check, decision, eventually, gate, policy};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn the_first_check_fetches_the_keys_and_decides() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    assert_eq!(issuer.fetches_of("jwks"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_requests_at_once_are_one_fetch_and_all_instances_decide_the_same() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let slow = Answer::Slow(Duration::from_millis(200), support::jwks(&[A]));
    issuer.answer("jwks", slow);
    let gate = gate(&clock, &issuer).await;
    let token = issuer.token(A);
    let checks = (0..200).map(|_| {
        let (gate, token) = (gate.clone(), token.clone());
        tokio::spawn(async move { check(&gate, &token).await })
    });
    for check in checks.collect::<Vec<_>>() {
        assert_eq!(check.await.unwrap(), "allow");
    }
    assert_eq!(issuer.fetches_of("jwks"), 1);
}

#[tokio::test]
async fn an_issuer_that_is_down_at_the_start_is_a_503_until_it_is_back() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    issuer.answer("jwks", Answer::Status(500));
    let gate = gate(&clock, &issuer).await;
    let denied = decision(&gate, &issuer.token(A)).await;
    let denial = denied.denial().unwrap();
    assert_eq!((denial.status, &*denial.code), (503, "keys_unavailable"));
    assert!(denial.retry_after_s.unwrap() >= 1);
    assert!(denial.challenge.is_none());

    issuer.publish(&[A]);
    clock.forward(SECOND);
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
}

#[tokio::test]
async fn an_issuer_that_comes_back_is_noticed_without_a_request() {
    let issuer = Issuer::publishing(&[A]).await;
    issuer.answer("jwks", Answer::Status(503));
    let policy = policy(&[issuer.entry("platform")]).to_string();
    let gate = Gate::builder().policy(policy).build().await.unwrap();
    eventually("the keys are fetched", async || {
        issuer.fetches_of("jwks") > 0
    })
    .await;
    issuer.publish(&[A]);
    eventually("the keys are there", async || {
        gate.status().await.unwrap().documents[0].usable
    })
    .await;
}

#[tokio::test]
async fn what_is_no_key_document_is_a_503_and_no_more() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let elsewhere = Issuer::publishing(&[A]).await;
    let answers = [
        ("html", Answer::Html),
        ("huge", Answer::Bytes(300_000)),
        ("endless", Answer::Bytes(50_000_000)),
        (
            "redirect",
            Answer::Redirect(format!("{}/jwks", elsewhere.uri)),
        ),
        ("not found", Answer::Status(404)),
        ("compressed", Answer::Compressed(support::jwks(&[A]))),
        ("nothing", Answer::Bytes(0)),
        ("not json", Answer::Bytes(100)),
        ("no keys", Answer::Document(json!({ "keys": "none" }))),
    ];
    let gate = gate(&clock, &issuer).await;
    for (name, answer) in answers {
        issuer.answer("jwks", answer);
        let before = issuer.fetches_of("jwks");
        assert_eq!(
            check(&gate, &issuer.token(A)).await,
            "keys_unavailable",
            "{name}"
        );
        assert!(
            issuer.fetches_of("jwks") > before,
            "{name}: was not fetched again"
        );
        clock.forward(MINUTE);
    }
    assert_eq!(elsewhere.fetches_of("jwks"), 0, "a redirect was followed");
    issuer.publish(&[A]);
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
}

#[tokio::test]
async fn a_slow_issuer_costs_a_check_its_wait_and_no_more() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    issuer.answer("jwks", Answer::Slow(SECOND, support::jwks(&[A])));
    let policy = policy(&[issuer.entry("platform")]);
    let gate = builder(&clock, &policy)
        .wait(SECOND / 10)
        .build()
        .await
        .unwrap();
    let start = Instant::now();
    assert_eq!(check(&gate, &issuer.token(A)).await, "keys_unavailable");
    assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
    eventually("the fetch goes on", async || {
        check(&gate, &issuer.token(A)).await == "allow"
    })
    .await;
    assert_eq!(issuer.fetches_of("jwks"), 1);
}

#[tokio::test]
async fn a_fetch_is_given_up_after_five_seconds() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    issuer.answer("jwks", Answer::Slow(HOUR, json!({})));
    let gate = gate(&clock, &issuer).await;
    let start = Instant::now();
    let status = gate.warm().await.unwrap().documents;
    assert!(start.elapsed() >= 5 * SECOND && start.elapsed() < 6 * SECOND);
    assert_eq!((status[0].failures, status[0].usable), (1, false));
}

#[tokio::test]
async fn only_so_many_requests_wait() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    issuer.answer("jwks", Answer::Slow(SECOND / 2, support::jwks(&[A])));
    let policy = policy(&[issuer.entry("platform")]);
    let gate = builder(&clock, &policy)
        .max_waiting(1)
        .build()
        .await
        .unwrap();
    let token = issuer.token(A);
    let patient = tokio::spawn({
        let (gate, token) = (gate.clone(), token.clone());
        async move { check(&gate, &token).await }
    });
    eventually("the first request waits", async || {
        issuer.fetches_of("jwks") == 1
    })
    .await;
    tokio::time::sleep(SECOND / 10).await;
    let start = Instant::now();
    assert_eq!(check(&gate, &token).await, "keys_unavailable");
    assert!(start.elapsed() < SECOND / 4);
    assert_eq!(patient.await.unwrap(), "allow");
}

#[tokio::test]
async fn one_issuers_outage_is_nobody_elses() {
    let (clock, up) = (Clock::new(), Issuer::publishing(&[A]).await);
    let down = Issuer::publishing(&[B]).await;
    down.answer("jwks", Answer::Slow(HOUR, json!({})));
    let policy = policy(&[up.entry("up"), down.entry("down")]);
    let gate = builder(&clock, &policy)
        .wait(SECOND / 5)
        .build()
        .await
        .unwrap();
    assert_eq!(check(&gate, &down.token(B)).await, "keys_unavailable");
    let start = Instant::now();
    assert_eq!(check(&gate, &up.token(A)).await, "allow");
    assert!(start.elapsed() < SECOND);
}

#[tokio::test]
async fn discovery_leads_to_the_keys_within_one_check() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let metadata = json!({ "issuer": issuer.uri, "jwks_uri": format!("{}/jwks", issuer.uri) });
    issuer.answer(
        ".well-known/openid-configuration",
        Answer::Document(metadata),
    );
    let mut entry = issuer.entry("platform");
    entry["keys"] = json!({ "discovery": true, "insecure_http": true });
    let gate = builder(&clock, &policy(&[entry])).build().await.unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    assert_eq!(issuer.fetches_of(".well-known/openid-configuration"), 1);
    assert_eq!(issuer.fetches_of("jwks"), 1);
    for status in gate.status().await.unwrap().documents {
        assert!(status.usable, "{status:?}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_denied_and_required_revocations_are_waited_for() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let uri = format!("{}/revoked", issuer.uri);
    let mut entry = issuer.entry("platform");
    entry["revocations"] =
        json!({ "uri": uri, "insecure_http": true, "refresh_s": 30, "required": true });
    let gate = builder(&clock, &policy(&[entry])).build().await.unwrap();
    assert_eq!(
        check(&gate, &issuer.token(A)).await,
        "revocations_unavailable"
    );

    issuer.answer(
        "revoked",
        Answer::Document(json!({ "sub": [{ "sub": "eve" }] })),
    );
    clock.forward(MINUTE);
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    assert_eq!(
        check(&gate, &issuer.token_of(A, A, "eve")).await,
        "token_revoked"
    );

    issuer.answer(
        "revoked",
        Answer::Document(json!({ "sub": [{ "sub": "ada" }] })),
    );
    clock.forward(MINUTE);
    gate.warm().await.unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "token_revoked");
}

#[tokio::test]
async fn the_status_names_every_document() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    let status = gate.warm().await.unwrap().documents;
    assert_eq!(status.len(), 1);
    assert_eq!(
        (&*status[0].issuer, status[0].kind),
        ("platform", DocumentKind::Jwks)
    );
    assert_eq!(status[0].uri, format!("{}/jwks", issuer.uri));
    assert_eq!((status[0].age_ms, status[0].failures), (Some(0), 0));
}

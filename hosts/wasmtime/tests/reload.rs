//! Another policy in force, without a moment between the two.

mod support;

use std::time::{Duration, Instant};

use countersign_host::{Gate, OpenError, Requirement, Severity};
use serde_json::json;
use support::{A, Answer, B, Clock, Issuer, builder, check, code, eventually, gate, jwks, policy};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_reload_puts_the_new_policy_in_force_with_its_keys() {
    let (clock, old) = (Clock::new(), Issuer::publishing(&[A]).await);
    let new = Issuer::publishing(&[B]).await;
    let gate = gate(&clock, &old).await;
    gate.warm().await.unwrap();
    assert_eq!(check(&gate, &new.token(B)).await, "issuer_unknown");

    let both = policy(&[old.entry("old"), new.entry("new")]).to_string();
    gate.reload(both).await.unwrap();
    assert_eq!(
        (old.fetches_of("jwks"), new.fetches_of("jwks")),
        (1, 1),
        "keys come before the change"
    );
    assert_eq!(check(&gate, &new.token(B)).await, "allow");

    gate.reload(policy(&[new.entry("new")]).to_string())
        .await
        .unwrap();
    assert_eq!(check(&gate, &old.token(A)).await, "issuer_unknown");
    assert_eq!(new.fetches_of("jwks"), 1, "documents are taken over");
}

#[tokio::test]
async fn a_broken_policy_changes_nothing_and_says_every_problem() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    let mut broken = policy(&[issuer.entry("platform")]);
    broken["contract"] = json!("2");
    broken["leeway_s"] = json!(-1);
    broken["issuers"][0]["algorithms"] = json!(["RS255"]);
    let error = gate.reload(broken.to_string()).await.unwrap_err();
    let pointers = error
        .problems()
        .iter()
        .map(|problem| &*problem.pointer)
        .collect::<Vec<_>>();
    for pointer in ["/contract", "/leeway_s", "/issuers/0/algorithms/0"] {
        assert!(
            pointers.contains(&pointer),
            "{pointer} is not in {pointers:?}"
        );
        assert!(error.to_string().contains(pointer));
    }
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
}

/// In a rolling change a policy can come before the file that knows its words.
#[tokio::test]
async fn a_policy_of_a_newer_file_is_refused_with_each_word_that_is_not_known_and_the_old_one_stays()
 {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    let before = gate.status().await.unwrap().policy_digest;
    let mut newer = policy(&[issuer.entry("platform")]);
    let unknown = [
        "",
        "/issuers/0",
        "/issuers/0/keys",
        "/rules/1",
        "/rules/1/require",
    ];
    for place in unknown {
        newer.pointer_mut(place).unwrap()["some_future_word"] = json!(true);
    }
    newer["issuers"][0]["algorithms"] = json!(["RS256", "ML-DSA-65"]);
    let error = gate.reload(newer.to_string()).await.unwrap_err();
    let mut problems = error
        .problems()
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| format!("{} {}", problem.pointer, problem.code))
        .collect::<Vec<_>>();
    problems.sort();
    let unknown = unknown.map(|place| format!("{place}/some_future_word field_unknown"));
    let mut expected = Vec::from(unknown);
    expected.push("/issuers/0/algorithms/1 value_invalid".to_owned());
    expected.sort();
    assert_eq!(problems, expected);
    assert_eq!(gate.status().await.unwrap().policy_digest, before);
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
}

#[tokio::test]
async fn a_reload_while_the_issuer_is_down_keeps_the_keys() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    issuer.answer("jwks", Answer::Status(500));
    let mut changed = policy(&[issuer.entry("platform")]);
    changed["realm"] = json!("another");
    gate.reload(changed.to_string()).await.unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");

    clock.forward(25 * HOUR);
    assert_eq!(
        check(&gate, &issuer.token(A)).await,
        "keys_unavailable",
        "as old as they are"
    );
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_holds_a_reload_up_for_a_bounded_time() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let silent = Issuer::publishing(&[B]).await;
    silent.answer("jwks", Answer::Slow(HOUR, json!({})));
    let first = policy(&[issuer.entry("platform")]);
    let gate = builder(&clock, &first)
        .wait(Duration::from_millis(300))
        .build()
        .await
        .unwrap();
    let both = policy(&[issuer.entry("platform"), silent.entry("silent")]).to_string();
    let reload = gate.reload(both);
    tokio::time::timeout(4 * SECOND, reload)
        .await
        .expect("bounded")
        .unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_are_decided_all_through_a_reload() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    let token = issuer.token(A);
    let requests = tokio::spawn({
        let gate = gate.clone();
        async move {
            for _ in 0..2000 {
                assert_eq!(check(&gate, &token).await, "allow");
                tokio::task::yield_now().await;
            }
        }
    });
    for round in 0..5 {
        let mut next = policy(&[issuer.entry("platform")]);
        next["realm"] = json!(format!("round-{round}"));
        gate.reload(next.to_string()).await.unwrap();
    }
    requests.await.unwrap();
}

#[tokio::test]
async fn a_prepared_requirement_outlives_a_reload() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    let read = gate.prepare(br#"{ "scopes": ["read"] }"#).await.unwrap();
    let admin = gate.prepare(br#"{ "scopes": ["admin"] }"#).await.unwrap();
    assert_eq!(
        gate.prepare(br#"{ "scopes": ["read"] }"#).await.unwrap(),
        read
    );
    for _ in 0..2 {
        // More often than there are instances.
        for _ in 0..4 {
            let token = issuer.token(A);
            assert_eq!(
                code(&gate.check_token(&token, &Requirement::NONE).await),
                "allow"
            );
            assert_eq!(code(&gate.check_token(&token, &read).await), "allow");
            assert_eq!(
                code(&gate.check_token(&token, &admin).await),
                "scope_insufficient"
            );
        }
        gate.reload(policy(&[issuer.entry("renamed")]).to_string())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_requirement_of_another_gate_admits_nobody() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let (one, other) = (gate(&clock, &issuer).await, gate(&clock, &issuer).await);
    let here = one.prepare(br#"{ "scopes": ["admin"] }"#).await.unwrap();
    let there = other.prepare(br#"{ "scopes": ["read"] }"#).await.unwrap();
    assert_ne!(here, there);
    let decision = one.check_token(issuer.token(A), &there).await;
    assert_eq!(code(&decision), "internal_error");
}

#[tokio::test]
async fn a_requirement_that_the_new_policy_refuses_stops_the_reload() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    let ours = gate
        .prepare(br#"{ "issuers": ["platform"] }"#)
        .await
        .unwrap();
    let error = gate
        .reload(policy(&[issuer.entry("renamed")]).to_string())
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Policy(_)), "{error}");
    assert_eq!(
        code(&gate.check_token(issuer.token(A), &ours).await),
        "allow"
    );
}

#[tokio::test]
async fn a_broken_policy_does_not_open() {
    let clock = Clock::new();
    let error = builder(&clock, &json!({ "contract": "1" }))
        .build()
        .await
        .err()
        .unwrap();
    assert!(!error.problems().is_empty());
    let error = builder(&clock, &json!([])).build().await.err().unwrap();
    assert!(!error.problems().is_empty());
}

#[tokio::test]
async fn of_two_reloads_the_last_one_is_in_force() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let slow = Issuer::publishing(&[B]).await;
    slow.answer("jwks", Answer::Slow(SECOND, jwks(&[B])));
    let gate = support::gate(&clock, &issuer).await;
    let first = policy(&[issuer.entry("platform"), slow.entry("slow")]).to_string();
    let last = policy(&[issuer.entry("platform")]).to_string();
    let reloads = tokio::join!(gate.reload(first), gate.reload(last));
    assert!(reloads.0.is_ok() && reloads.1.is_ok());
    assert_eq!(check(&gate, &slow.token(B)).await, "issuer_unknown");
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
}

#[tokio::test]
async fn a_reload_that_waits_for_an_issuer_holds_up_no_requirement() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let hangs = Issuer::publishing(&[B]).await;
    hangs.answer("jwks", Answer::Slow(HOUR, json!({})));
    let gate = support::gate(&clock, &issuer).await;
    let reload = tokio::spawn({
        let gate = gate.clone();
        let both = policy(&[issuer.entry("platform"), hangs.entry("hangs")]).to_string();
        async move { gate.reload(both).await }
    });
    eventually("the reload waits", async || hangs.fetches_of("jwks") == 1).await;
    let start = Instant::now();
    let admin = gate.prepare(br#"{ "scopes": ["admin"] }"#).await.unwrap();
    assert!(start.elapsed() < SECOND && !reload.is_finished());
    reload.await.unwrap().unwrap();
    for _ in 0..4 {
        let decision = gate.check_token(issuer.token(A), &admin).await;
        assert_eq!(
            code(&decision),
            "scope_insufficient",
            "it is known after the reload too"
        );
    }
}

#[tokio::test]
async fn a_reload_that_is_given_up_changes_nothing_and_the_next_one_works() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let hangs = Issuer::publishing(&[B]).await;
    hangs.answer("jwks", Answer::Slow(HOUR, json!({})));
    let gate = support::gate(&clock, &issuer).await;
    let both = policy(&[issuer.entry("platform"), hangs.entry("hangs")]).to_string();
    let given_up = tokio::time::timeout(SECOND / 2, gate.reload(both)).await;
    assert!(given_up.is_err());
    assert_eq!(check(&gate, &hangs.token(B)).await, "issuer_unknown");
    gate.reload(policy(&[issuer.entry("renamed")]).to_string())
        .await
        .unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");

    // And one whose gate nobody else has any more.
    let last: Gate = gate;
    let silent = policy(&[hangs.entry("hangs")]).to_string();
    let reload = tokio::spawn(async move { last.reload(silent).await });
    tokio::time::sleep(SECOND / 4).await;
    reload.abort();
    assert!(reload.await.unwrap_err().is_cancelled());
}

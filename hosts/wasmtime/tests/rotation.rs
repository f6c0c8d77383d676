//! Keys that change: rotation, unknown keys, refresh by `max-age`.

mod support;

use std::time::{Duration, Instant};

use support::{A, Answer, B, Clock, Issuer, check, eventually, gate};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_rotated_key_is_fetched_when_its_first_token_comes() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    clock.forward(MINUTE);
    issuer.publish(&[B]);
    assert_eq!(check(&gate, &issuer.token(B)).await, "allow");
    for _ in 0..3 {
        assert_eq!(
            check(&gate, &issuer.token(A)).await,
            "key_unknown",
            "the key was withdrawn"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_of_unknown_keys_is_one_fetch_in_thirty_seconds() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    for round in 1..4 {
        clock.forward(31 * SECOND);
        let flood = (0..50).map(|number| {
            let token = issuer.token_of(&format!("unknown-{number}"), A, "eve");
            let gate = gate.clone();
            tokio::spawn(async move { check(&gate, &token).await })
        });
        for check in flood.collect::<Vec<_>>() {
            assert_eq!(check.await.unwrap(), "key_unknown");
        }
        assert_eq!(issuer.fetches_of("jwks"), 1 + round);
    }
}

#[tokio::test]
async fn known_keys_are_decided_at_once_while_an_unknown_one_is_looked_for() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    clock.forward(MINUTE);
    issuer.answer("jwks", Answer::Slow(SECOND, support::jwks(&[A, B])));
    let looking = tokio::spawn({
        let (gate, token) = (gate.clone(), issuer.token(B));
        async move { check(&gate, &token).await }
    });
    eventually("the fetch is running", async || {
        issuer.fetches_of("jwks") == 2
    })
    .await;
    let start = Instant::now();
    for _ in 0..10 {
        assert_eq!(check(&gate, &issuer.token_of(A, A, "bob")).await, "allow");
    }
    assert!(!looking.is_finished() && start.elapsed() < SECOND);
    assert_eq!(looking.await.unwrap(), "allow");
}

#[tokio::test]
async fn old_keys_are_kept_for_a_day_while_the_issuer_is_down() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = gate(&clock, &issuer).await;
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    issuer.answer("jwks", Answer::Status(500));
    clock.forward(23 * HOUR);
    gate.warm().await.unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    assert!(issuer.fetches_of("jwks") >= 2, "there was no refresh");
    clock.forward(2 * HOUR);
    assert_eq!(check(&gate, &issuer.token(A)).await, "keys_unavailable");
}

#[tokio::test]
async fn keys_are_refreshed_by_their_max_age() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    issuer.answer(
        "jwks",
        Answer::Fresh(support::jwks(&[A]), "public, max-age=3600"),
    );
    let gate = gate(&clock, &issuer).await;
    gate.warm().await.unwrap();
    clock.forward(47 * MINUTE);
    gate.warm().await.unwrap();
    assert_eq!(issuer.fetches_of("jwks"), 1);
    clock.forward(2 * MINUTE);
    gate.warm().await.unwrap();
    assert_eq!(issuer.fetches_of("jwks"), 2);
}

//! The module traps, its callers give up, the clock fails.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{Slices, builder, check, is_internal_error, wanted};
use crate::{event::Comparison, requirement::Requirement};

#[tokio::test]
async fn a_trap_denies_the_request_and_the_next_one_is_decided() {
    let gate = builder().build().await.unwrap();
    for _ in 0..3 {
        assert!(is_internal_error(&check(&gate, "/trap").await));
        assert!(check(&gate, "/").await.grant().is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn traps_of_many_requests_at_once_leave_a_whole_pool() {
    let gate = builder().instances(3).build().await.unwrap();
    let requests = (0..30).map(|number| {
        let gate = gate.clone();
        tokio::spawn(async move {
            let trap = number % 2 == 0;
            (trap, check(&gate, if trap { "/trap" } else { "/" }).await)
        })
    });
    for request in requests.collect::<Vec<_>>() {
        let (trap, decision) = request.await.unwrap();
        assert_eq!(is_internal_error(&decision), trap);
    }
    assert!(check(&gate, "/").await.grant().is_some());
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_its_instance_to_others() {
    let gate = builder().fetcher(Slices).build().await.unwrap();
    for _ in 0..20 {
        let mut given_up = Box::pin(check(&gate, "/wait"));
        // Once asked, it waits for the fetch.
        let _ = tokio::time::timeout(Duration::ZERO, &mut given_up).await;
        drop(given_up);
        let waits = tokio::time::timeout(Duration::from_secs(5), check(&gate, "/"));
        assert!(waits.await.unwrap().grant().is_some());
    }
    // Those who queue, too.
    let lease = gate.generation().pool.take().await;
    for _ in 0..20 {
        let queues = tokio::time::timeout(Duration::from_millis(1), check(&gate, "/"));
        assert!(queues.await.is_err());
    }
    drop(lease);
    assert!(check(&gate, "/").await.grant().is_some());
}

#[tokio::test]
async fn without_a_hook_no_event_is_made_and_one_that_cannot_be_made_denies() {
    let gate = builder().on_document(|_| {}).build().await.unwrap();
    assert!(check(&gate, "/event").await.grant().is_some());
    let gate = builder().on_decision(|_, _| {}).build().await.unwrap();
    assert!(check(&gate, "/").await.grant().is_some());
    assert!(is_internal_error(&check(&gate, "/event").await));
}

#[tokio::test]
async fn a_candidate_that_traps_changes_nothing_and_is_not_compared() {
    let policy = r#"{
        "contract": "1",
        "issuers": [{
            "name": "x", "issuer": "x", "audiences": ["x"], "algorithms": ["RS256"],
            "keys": { "jwks_uri": "https://localhost/jwks" }
        }],
        "credentials": [{ "header": "authorization", "scheme": "Bearer" }],
        "rules": [{ "path": "/**", "public": true }]
    }"#;
    let gate = crate::gate::Gate::builder().policy(policy).instances(1);
    let gate = gate.fetcher(super::Answers::default());
    let gate = gate.shadow(policy).shadow_module(super::faulty());
    let gate = gate.build().await.unwrap();
    for _ in 0..3 {
        assert!(check(&gate, "/trap").await.grant().is_some());
        assert!(check(&gate, "/wait").await.grant().is_some());
    }
    let shadow = gate.status().await.unwrap().shadow.unwrap();
    let mut counts = shadow.counts.iter();
    assert!(counts.all(|count| count.comparison == Comparison::NotCompared));
    assert_eq!(
        shadow.counts.iter().map(|count| count.count).sum::<u64>(),
        6
    );
}

#[test]
fn a_gate_may_be_dropped_after_its_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let gate = runtime.block_on(builder().fetcher(Slices).build()).unwrap();
    let generation = gate.generation();
    let lease = runtime.block_on(generation.pool.take());
    generation.pool.journal.fail(&wanted(), 0);
    drop(runtime);
    // It is behind, and nobody is left to have it catch up.
    drop(lease);
    drop((gate, generation));
}

#[tokio::test]
async fn a_clock_that_panics_denies_until_it_has_a_time() {
    let broken = Arc::new(AtomicBool::new(true));
    let clock = broken.clone();
    let gate = builder().clock(move || {
        assert!(!clock.load(Ordering::Relaxed), "no time is to be had");
        0
    });
    let gate = gate.build().await.unwrap();
    assert!(is_internal_error(&check(&gate, "/").await));
    let token = gate.check_token("token", &Requirement::NONE).await;
    assert!(is_internal_error(&token));
    broken.store(false, Ordering::Relaxed);
    assert!(check(&gate, "/").await.grant().is_some());
}

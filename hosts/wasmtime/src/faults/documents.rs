//! Documents on which the module traps or which it reads in many calls, and fetchers
//! that fail.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{Answers, Slices, builder, check, is_internal_error, wanted};
use crate::{
    document::{Fetch, Outcome},
    fetch::{self, FetchError, Fetched, Fetcher, Fetching, Reason},
};

#[tokio::test]
async fn a_document_on_which_the_module_traps_is_a_failed_fetch() {
    let gate = builder().fetcher(Answers::default()).build().await.unwrap();
    let decision = check(&gate, "/wait").await;
    assert_eq!(decision.denial().unwrap().code, "keys_unavailable");
    assert!(check(&gate, "/").await.grant().is_some());
}

#[tokio::test]
async fn between_the_slices_of_a_document_the_one_instance_decides_other_requests() {
    let gate = builder().fetcher(Slices).build().await.unwrap();
    let patient = tokio::spawn({
        let gate = gate.clone();
        async move { check(&gate, "/wait").await }
    });
    let journal = &gate.generation().pool.journal;
    let mut decided = 0;
    while journal.latest() == 0 {
        assert!(check(&gate, "/").await.grant().is_some());
        decided += 1;
        tokio::task::yield_now().await;
    }
    assert!(decided >= 20, "{decided}");
    assert!(patient.await.unwrap().grant().is_some());
}

#[tokio::test]
async fn every_instance_reads_a_large_document_off_the_requests_path() {
    let gate = builder()
        .instances(3)
        .fetcher(Slices)
        .build()
        .await
        .unwrap();
    assert!(check(&gate, "/wait").await.grant().is_some());
    let generation = gate.generation();
    let pool = &generation.pool;
    let mut leases = Vec::new();
    for _ in 0..3 {
        let mut lease = pool.take().await;
        let read = lease.call(|reader| Ok(reader.read)).unwrap();
        assert_eq!(
            read,
            pool.journal.latest(),
            "it was behind when it was free"
        );
        leases.push(lease);
    }
}

#[tokio::test]
async fn a_document_that_finds_no_free_instance_waits_and_is_no_failure() {
    let gate = builder().fetcher(Slices).build().await.unwrap();
    let generation = gate.generation();
    let lease = generation.pool.take().await;
    let fetched = Fetched {
        outcome: Arc::new(Outcome::Response(Slices.fetch(&wanted()).await.unwrap())),
        failure: None,
    };
    let supplying = tokio::spawn({
        let generation = generation.clone();
        async move { generation.supply(&wanted(), fetched, 0).await }
    });
    // Longer than a check would wait.
    tokio::time::sleep(Duration::from_millis(2300)).await;
    assert!(!supplying.is_finished());
    assert!(is_internal_error(&check(&gate, "/").await));
    drop(lease);
    supplying.await.unwrap();
    assert!(generation.pool.journal.accepted(&wanted()).is_some());
    assert!(!generation.pool.journal.is_failing(7, "x"));
}

#[tokio::test]
async fn an_instance_that_traps_between_two_slices_is_no_failure_of_the_document() {
    let gate = builder().fetcher(Slices).build().await.unwrap();
    let patient = tokio::spawn({
        let gate = gate.clone();
        async move { check(&gate, "/wait").await }
    });
    tokio::task::yield_now().await;
    let journal = &gate.generation().pool.journal;
    for _ in 0..2 {
        assert_eq!(journal.latest(), 0);
        assert!(is_internal_error(&check(&gate, "/trap").await));
    }
    assert!(patient.await.unwrap().grant().is_some());
    assert!(!journal.is_failing(7, "x"));
}

/// Panics where others would fail.
struct Panics;

impl Fetcher for Panics {
    fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
        Box::pin(async { panic!("a fetcher with a fault") })
    }
}

#[tokio::test]
async fn a_fetcher_that_panics_has_failed() {
    let fetched = fetch::fetch(Arc::new(Panics), &wanted()).await;
    assert_eq!(*fetched.outcome, Outcome::Failed);
    let gate = builder().fetcher(Panics).build().await.unwrap();
    let decision = check(&gate, "/wait").await;
    assert_eq!(decision.denial().unwrap().code, "keys_unavailable");
}

#[tokio::test]
async fn an_error_of_a_fetcher_is_a_failed_fetch() {
    struct Fails;
    impl Fetcher for Fails {
        fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
            Box::pin(async { Err(FetchError::new("refused")) })
        }
    }
    let fetched = fetch::fetch(Arc::new(Fails), &wanted()).await;
    assert_eq!(*fetched.outcome, Outcome::Failed);
}

#[tokio::test]
async fn a_gate_that_never_stops_to_wait_is_called_a_few_times_only() {
    let answers = Answers::default();
    let fetches = answers.0.clone();
    let gate = builder().fetcher(answers).build().await.unwrap();
    let decision = check(&gate, "/wait").await;
    assert_eq!(decision.denial().unwrap().status, 503);
    assert!((2..=16).contains(&fetches.load(Ordering::Relaxed)));
}

#[tokio::test]
async fn a_body_that_a_fetcher_should_have_cut_is_thrown_away() {
    let wanted = Fetch {
        max_bytes: 8,
        ..wanted()
    };
    let fetched = fetch::fetch(Arc::new(Answers::default()), &wanted).await;
    assert_eq!(*fetched.outcome, Outcome::Failed);
    assert_eq!(fetched.failure.unwrap().reason, Reason::TooLarge);
    let larger = Fetch {
        max_bytes: 9,
        ..wanted
    };
    let fetched = fetch::fetch(Arc::new(Answers::default()), &larger).await;
    assert!(matches!(*fetched.outcome, Outcome::Response(_)));
    assert!(fetched.failure.is_none());
}

//! Requests that a decision needs, with a module that needs one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use super::{builder, check, is_internal_error};
use crate::{
    document::{Fetch, Outcome, Response},
    fetch::{self, FetchError, Fetcher, Fetching},
    need::Outgoing,
};

/// Responds once it may, and counts the requests.
struct Responds {
    sent: Arc<AtomicUsize>,
    may: Arc<Semaphore>,
    response: fn() -> Result<Response, FetchError>,
}

impl Responds {
    fn new(response: fn() -> Result<Response, FetchError>, permits: usize) -> Self {
        Self {
            sent: Arc::default(),
            may: Arc::new(Semaphore::new(permits)),
            response,
        }
    }
}

fn good() -> Result<Response, FetchError> {
    Ok(Response {
        status: 200,
        cache_control: String::new(),
        body: b"x".to_vec(),
    })
}

fn refused() -> Result<Response, FetchError> {
    Err(FetchError::new("refused"))
}

impl Fetcher for Responds {
    fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
        Box::pin(async { panic!("no document is needed") })
    }

    fn send<'a>(&'a self, request: &'a Outgoing) -> Fetching<'a> {
        assert_eq!(*request, wanted());
        self.sent.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {
            self.may.acquire().await.unwrap().forget();
            (self.response)()
        })
    }
}

/// What the module needs.
fn wanted() -> Outgoing {
    Outgoing {
        ticket: 5,
        issuer: "x".into(),
        method: "POST".into(),
        uri: "x".into(),
        headers: vec![("x".into(), "x".into())],
        body: b"x".to_vec(),
        timeout_ms: 1000,
        max_bytes: 1000,
    }
}

#[tokio::test]
async fn the_response_goes_to_the_instance_that_asked() {
    let fetcher = Responds::new(good, 9);
    let sent = fetcher.sent.clone();
    let gate = builder().instances(3).fetcher(fetcher);
    let gate = gate.build().await.unwrap();
    assert!(check(&gate, "/r").await.grant().is_some());
    assert_eq!(sent.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn checks_that_need_the_same_request_send_it_once() {
    let fetcher = Responds::new(good, 0);
    let (sent, may) = (fetcher.sent.clone(), fetcher.may.clone());
    let gate = builder().fetcher(fetcher).build().await.unwrap();
    let checks = (0..20).map(|_| {
        let gate = gate.clone();
        tokio::spawn(async move { check(&gate, "/r").await })
    });
    let checks = checks.collect::<Vec<_>>();
    tokio::time::sleep(Duration::from_millis(50)).await;
    // Meanwhile the instance decides other requests.
    assert!(check(&gate, "/").await.grant().is_some());
    may.add_permits(1);
    for check in checks {
        assert!(check.await.unwrap().grant().is_some());
    }
    assert_eq!(sent.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_instance_that_trapped_meanwhile_gets_no_response_and_another_one_asks() {
    let fetcher = Responds::new(good, 0);
    let (sent, may) = (fetcher.sent.clone(), fetcher.may.clone());
    let gate = builder().fetcher(fetcher).build().await.unwrap();
    let waits = tokio::spawn({
        let gate = gate.clone();
        async move { check(&gate, "/r").await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(is_internal_error(&check(&gate, "/trap").await));
    may.add_permits(2);
    assert!(waits.await.unwrap().grant().is_some());
    assert_eq!(sent.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_request_that_fails_denies_after_a_few_tries() {
    let fetcher = Responds::new(refused, 99);
    let sent = fetcher.sent.clone();
    let gate = builder().fetcher(fetcher).build().await.unwrap();
    let decision = check(&gate, "/r").await;
    assert_eq!(decision.denial().unwrap().status, 503);
    assert!((2..=16).contains(&sent.load(Ordering::Relaxed)));
}

#[tokio::test]
async fn a_room_without_places_denies_at_once() {
    let fetcher = Responds::new(good, 0);
    let gate = builder().fetcher(fetcher).max_waiting(0);
    let gate = gate.build().await.unwrap();
    let decision = tokio::time::timeout(Duration::from_millis(500), check(&gate, "/r"));
    assert_eq!(decision.await.unwrap().denial().unwrap().status, 503);
}

#[tokio::test]
async fn a_fetcher_of_documents_only_sends_nothing() {
    struct Documents;
    impl Fetcher for Documents {
        fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
            Box::pin(async { good() })
        }
    }
    let sent = fetch::send(Arc::new(Documents), &wanted()).await;
    assert_eq!(*sent, Outcome::Failed);
}

#[tokio::test]
async fn the_bounds_hold_for_every_fetcher() {
    let endless = Responds::new(good, 0);
    let hurried = Outgoing {
        timeout_ms: 20,
        ..wanted()
    };
    // It is asked for the other one.
    struct Any(Responds);
    impl Fetcher for Any {
        fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Fetching<'a> {
            self.0.fetch(fetch)
        }
        fn send<'a>(&'a self, _: &'a Outgoing) -> Fetching<'a> {
            Box::pin(async {
                self.0.may.acquire().await.unwrap().forget();
                (self.0.response)()
            })
        }
    }
    let sent = fetch::send(Arc::new(Any(endless)), &hurried).await;
    assert_eq!(*sent, Outcome::Failed);
    let small = Outgoing {
        max_bytes: 0,
        ..wanted()
    };
    let sent = fetch::send(Arc::new(Any(Responds::new(good, 1))), &small).await;
    assert_eq!(*sent, Outcome::Failed);
}

#[test]
fn what_is_logged_of_a_request_holds_no_secret() {
    let request = Outgoing {
        uri: "https://auth.example.com/introspect?key=secret".into(),
        headers: vec![("authorization".into(), "Basic secret".into())],
        body: b"token=secret".to_vec(),
        ..wanted()
    };
    let shown = format!("{request:?}");
    assert!(shown.contains("https://auth.example.com/introspect"));
    assert!(
        !shown.contains("secret") && !shown.contains("115, 101, 99"),
        "{shown}"
    );
}

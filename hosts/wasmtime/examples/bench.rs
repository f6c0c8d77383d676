//! What a check costs: `cargo run --release -p countersign-host --example bench`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use countersign_host::{Answer, Gate, Instance, Outcome, Request, Requirement, Response, Supplied};
use support::{A, Clock, Issuer, START_MS};

/// Long enough to be read, short enough to be repeated.
const RUN: Duration = Duration::from_millis(700);

#[tokio::main]
async fn main() {
    let issuer = Issuer::publishing(&[A]).await;
    let mut policy = support::policy(&[issuer.entry("platform")]);
    policy["remember"] = false.into();
    let forgetful = policy.to_string();
    policy["remember"] = true.into();
    let policy = policy.to_string();

    let start = Instant::now();
    countersign_host::inspect(b"");
    println!(
        "{:<34} {:>10.1?}",
        "compile the module, once",
        start.elapsed()
    );
    let start = Instant::now();
    let mut instance = Instance::open(policy.as_bytes()).unwrap();
    println!("{:<34} {:>10.1?}", "open an instance", start.elapsed());
    supply(&mut instance);

    let token = issuer.token(A);
    let bearer = format!("Bearer {token}");
    let token = token.as_bytes();
    let headers = [(&b"authorization"[..], bearer.as_bytes())];
    let request = Request {
        method: b"GET",
        authority: b"api.example.com",
        target: b"/things",
        headers: &headers,
        connection: Default::default(),
    };
    let public = Request {
        target: b"/public",
        headers: &[],
        ..request
    };

    let mut forgets = Instance::open(forgetful.as_bytes()).unwrap();
    supply(&mut forgets);
    measure("instance: fresh RS256 token", || {
        allowed(&forgets.check_token(token, 0, false, START_MS).unwrap());
    });
    measure("instance: public path", || {
        allowed(&instance.check(public, START_MS).unwrap())
    });
    measure("instance: remembered, token", || {
        allowed(&instance.check_token(token, 0, false, START_MS).unwrap());
    });
    measure("instance: remembered, request", || {
        allowed(&instance.check(request, START_MS).unwrap());
    });

    let clock = Clock::new();
    let gate = Gate::builder()
        .policy(policy)
        .clock(clock.reader())
        .build()
        .await
        .unwrap();
    gate.warm().await.unwrap();
    let request = axum::http::Request::get("/things")
        .header("host", "api.example.com")
        .header("authorization", &bearer)
        .body(())
        .unwrap();
    each("gate: remembered, token", async || {
        gate.check_token(token, &Requirement::NONE)
            .await
            .grant()
            .is_some()
    })
    .await;
    each("gate: remembered, http request", async || {
        gate.check(&request).await.grant().is_some()
    })
    .await;
}

fn supply(instance: &mut Instance) {
    for fetch in instance.due(START_MS).unwrap() {
        let body = support::jwks(&[A]).to_string().into_bytes();
        let response = Response {
            status: 200,
            cache_control: String::new(),
            body,
        };
        let outcome = Outcome::Response(response);
        let supplied = instance.supply(fetch.source, &fetch.uri, &outcome, START_MS);
        assert!(matches!(supplied.unwrap(), Supplied::Accepted(all) if all.skipped.is_empty()));
    }
}

fn allowed(answer: &Answer) {
    let Answer::Decided(decision) = answer else {
        panic!("{answer:?}")
    };
    assert!(decision.grant().is_some(), "{decision:?}");
}

fn measure(what: &str, mut once: impl FnMut()) {
    let mut batches = Batches::default();
    while batches.go_on() {
        let start = Instant::now();
        (0..BATCH).for_each(|_| once());
        batches.took(start.elapsed());
    }
    batches.print(what);
}

async fn each(what: &str, once: impl AsyncFn() -> bool) {
    let mut batches = Batches::default();
    while batches.go_on() {
        let start = Instant::now();
        for _ in 0..BATCH {
            assert!(once().await);
        }
        batches.took(start.elapsed());
    }
    batches.print(what);
}

/// Calls in a row, so that the clock does not count.
const BATCH: u32 = 20;

#[derive(Default)]
struct Batches(Vec<Duration>);

impl Batches {
    fn go_on(&self) -> bool {
        self.0.iter().sum::<Duration>() < RUN
    }

    fn took(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Median, and the best for machines that do other things too.
    fn print(mut self, what: &str) {
        self.0.sort();
        let (median, best) = (self.0[self.0.len() / 2] / BATCH, self.0[0] / BATCH);
        println!("{what:<34} {median:>10.2?} (best {best:.2?})");
    }
}

//! The decision log: which events are written, and that no decision waits for it.

mod support;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, mpsc},
};

use countersign_host::{DecisionLog, Gate};
use serde_json::Value;
use support::{A, Clock, Issuer, builder, check, policy};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

async fn gate(log: &DecisionLog, issuer: &Issuer) -> Gate {
    let gate = builder(&Clock::new(), &policy(&[issuer.entry("platform")]));
    gate.on_decision(log.hook()).build().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_denials_are_logged_and_one_of_so_many_allowed_requests() {
    let (issuer, sink) = (Issuer::publishing(&[A]).await, Sink::default());
    let log = DecisionLog::builder().allow_every(4).write_to(sink.clone());
    let gate = gate(&log, &issuer).await;
    for _ in 0..8 {
        assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
        assert_eq!(check(&gate, "bad").await, "token_malformed");
    }
    log.flush();
    let lines = sink.lines();
    let count = |decision: &str| {
        lines
            .iter()
            .filter(|line| line["decision"] == decision)
            .count()
    };
    assert_eq!((count("allow"), count("deny"), log.dropped()), (2, 8, 0));
    for line in &lines {
        let time = line["time"].as_str().unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        assert_eq!(line["rule"]["path"], "/**");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comparisons_that_do_not_agree_are_all_logged_and_of_the_others_one_of_so_many() {
    let (issuer, sink) = (Issuer::publishing(&[A]).await, Sink::default());
    let log = DecisionLog::builder().allow_every(4).write_to(sink.clone());
    let in_force = policy(&[issuer.entry("platform")]);
    let mut entry = issuer.entry("platform");
    entry["keys"] = serde_json::json!({ "jwks": support::jwks(&[A]) });
    let gate = builder(&Clock::new(), &in_force)
        .on_decision(log.hook())
        .shadow(policy(&[entry]).to_string());
    let gate = gate.build().await.unwrap();
    for _ in 0..8 {
        assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
        // Both deny: the denial itself has a line of its own.
        assert_eq!(check(&gate, "bad").await, "token_malformed");
    }
    let mut stricter = in_force.clone();
    stricter["rules"] = serde_json::json!([{ "path": "/else", "require": {} }]);
    gate.reload_shadow(Some(stricter.to_string().into()))
        .await
        .unwrap();
    for _ in 0..3 {
        assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    }
    log.flush();
    let lines = sink.lines();
    let count = |mode: &str, name: &str, value: &str| {
        let is_counted = |line: &&Value| line["mode"] == mode && line[name] == value;
        lines.iter().filter(is_counted).count()
    };
    // Of eleven and of sixteen.
    assert_eq!(count("enforced", "decision", "allow"), 3);
    assert_eq!(count("shadow", "comparison", "agree"), 4);
    assert_eq!(count("enforced", "decision", "deny"), 8);
    assert_eq!(count("shadow", "comparison", "would_deny"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_hangs_drops_events_and_delays_no_decision() {
    let issuer = Issuer::publishing(&[A]).await;
    let (go_on, waits) = mpsc::channel::<()>();
    let written = Arc::new(Mutex::new(0));
    let counted = written.clone();
    let log = DecisionLog::builder().ring(8).call(move |_| {
        // Until the test ends the wait.
        let _ = waits.recv();
        *counted.lock().unwrap() += 1;
    });
    let gate = gate(&log, &issuer).await;
    for _ in 0..100 {
        assert_eq!(check(&gate, "bad").await, "token_malformed");
    }
    // The ring, and at most one in the writer's hand.
    let dropped = log.dropped();
    assert!((91..=92).contains(&dropped), "{dropped}");
    drop(go_on);
    log.flush();
    assert_eq!(*written.lock().unwrap() + dropped, 100);
}

#[tokio::test]
async fn a_caller_adds_what_it_knows() {
    let (issuer, sink) = (Issuer::publishing(&[A]).await, Sink::default());
    let log = DecisionLog::builder().write_to(sink.clone());
    let own = log.clone();
    let gate = builder(&Clock::new(), &policy(&[issuer.entry("platform")]))
        .on_decision(move |event, _| own.record(event, &[("request_id", "r-\"1\"")]));
    let gate = gate.build().await.unwrap();
    check(&gate, "bad").await;
    log.flush();
    assert_eq!(sink.lines()[0]["request_id"], "r-\"1\"");
}

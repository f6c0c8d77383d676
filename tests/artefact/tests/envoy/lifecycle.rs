//! Tests of keys over hours and days, in an Envoy with four workers and a clock
//! that the test sets. One worker fetches for all of them.

use std::{thread, time::Duration};

use countersign_artefact_tests::{cases, token::Key};
use serde_json::json;

use crate::stage::{
    self,
    clock::Clock,
    envoy::Envoy,
    eventually,
    issuer::{Document, Issuer, JWKS},
    policy,
    setup::Setup,
};

/// Number of connections that reaches every worker.
const MANY: usize = 40;

#[test]
fn a_rotation_reaches_all_workers_by_one_fetch() {
    let Some((envoy, clock, issuer)) = start("max-age=3600") else {
        return;
    };
    let (old, new) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    every_worker_answers(&envoy, &old, 200);
    assert_eq!(issuer.asked(JWKS), 1);

    issuer.publish(JWKS, Document::keys(&[&new]));
    every_worker_answers(&envoy, &new, 401);
    assert_eq!(issuer.asked(JWKS), 1, "it was asked less than 30 s ago");
    clock.pass(30);
    every_worker_answers(&envoy, &new, 200);
    eventually("the withdrawn key is gone in every worker", || {
        (0..MANY).all(|_| envoy.get("/", Some(&token(&old))).code() == "key_unknown")
    });
    assert_eq!(issuer.asked(JWKS), 2);
}

#[test]
fn keys_are_refreshed_ahead_of_time_and_then_by_one_worker() {
    let Some((envoy, clock, issuer)) = start("max-age=1000") else {
        return;
    };
    every_worker_answers(&envoy, &Key::read("rsa-2048-a"), 200);
    clock.pass(799);
    settle();
    assert_eq!(issuer.asked(JWKS), 1, "80 % of their time are not over");
    // The refresh is up to a tenth later, but before the keys are too old.
    clock.pass(81);
    eventually("they are refreshed", || issuer.asked(JWKS) == 2);
    settle();
    assert_eq!(issuer.asked(JWKS), 2);
}

#[test]
fn a_clock_set_back_by_hours_delays_no_refresh() {
    let Some((envoy, clock, issuer)) = start("max-age=1000") else {
        return;
    };
    every_worker_answers(&envoy, &Key::read("rsa-2048-a"), 200);
    settle();
    clock.set(cases::now_ms() - 8 * 3_600_000);
    settle();
    clock.pass(881);
    eventually("they are refreshed", || issuer.asked(JWKS) == 2);
    settle();
    assert_eq!(issuer.asked(JWKS), 2);
}

#[test]
fn old_keys_stay_usable_for_a_day_of_outage() {
    let Some((envoy, clock, issuer)) = start("max-age=1000") else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    every_worker_answers(&envoy, &key, 200);
    issuer.withdraw(JWKS);
    clock.pass(900);
    eventually("the refresh has failed", || issuer.asked(JWKS) == 2);
    settle();
    assert_eq!(
        issuer.asked(JWKS),
        2,
        "there is no other attempt within a second"
    );
    clock.pass(2);
    eventually("one tries again", || issuer.asked(JWKS) == 3);
    clock.pass(86_000);
    every_worker_answers(&envoy, &key, 200);
    clock.pass(600);
    let reply = envoy.get("/", Some(&token(&key)));
    assert_eq!((reply.status, &*reply.code()), (503, "keys_unavailable"));

    issuer.publish(JWKS, Document::keys(&[&key]));
    clock.pass(61);
    eventually("the issuer is back", || {
        envoy.get("/", Some(&token(&key))).status == 200
    });
}

#[test]
fn a_new_policy_uses_the_existing_documents() {
    let Some(clock) = Clock::new(cases::now_ms()) else {
        return;
    };
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    let mut stricter = policy::fetched();
    stricter["rules"][1]["require"] = json!({ "scopes": { "all": ["nobody:has"] } });
    let text = policy::by_cluster(&stricter).to_string();
    let setup = setup(&issuer, &clock)
        .concurrency(1)
        .listen("stricter", &text);
    let envoy = Envoy::start(&binary, &setup);
    every_worker_answers(&envoy, &key, 200);
    let to = envoy.listeners()["stricter"];
    let bearer = (
        "authorization",
        format!("Bearer {}", token(&key)).into_bytes(),
    );
    let reply = stage::client::send(to, "GET", "/", &[bearer])
        .unwrap()
        .reply();
    assert_eq!(reply.unwrap().code(), "scope_insufficient");
    assert_eq!(issuer.asked(JWKS), 1);
}

fn start(cache_control: &str) -> Option<(Envoy, Clock, Issuer)> {
    let (binary, clock) = (stage::binary()?, Clock::new(cases::now_ms())?);
    let issuer = Issuer::start();
    let keys = Document::keys(&[&Key::read("rsa-2048-a")]);
    issuer.publish(JWKS, keys.header("cache-control", cache_control));
    let envoy = Envoy::start(&binary, &setup(&issuer, &clock));
    Some((envoy, clock, issuer))
}

fn setup(issuer: &Issuer, clock: &Clock) -> Setup {
    stage::fetching(issuer, &policy::by_cluster(&policy::fetched()))
        .environment(clock.environment())
        .concurrency(4)
}

/// Checks that every worker gives the same answer.
fn every_worker_answers(envoy: &Envoy, key: &Key, status: u16) {
    for _ in 0..MANY {
        assert_eq!(envoy.get("/", Some(&token(key))).status, status);
    }
}

/// Returns a token that is valid for the whole time of these tests.
fn token(key: &Key) -> String {
    let mut claims = policy::claims();
    claims["exp"] = json!(cases::now_ms() / 1000 + 200_000);
    key.sign(&claims)
}

/// Waits longer than the tick period of the workers.
fn settle() {
    thread::sleep(Duration::from_millis(2_500));
}

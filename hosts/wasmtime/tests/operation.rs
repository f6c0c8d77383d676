//! What an operator meets: an issuer that hangs beside one that does not, a
//! clock that was set, keys that move, lists that grow, a frozen process.

mod support;

use std::time::{Duration, Instant};

use countersign_host::{Refresh, Requirement};
use serde_json::{Value, json};
use support::{
    A, Answer, B, Clock, Issuer, METADATA, builder, check, code, decision, eventually, jwks, policy,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A policy of one issuer whose list of revocations is fetched every 30 s.
fn with_revocations(issuer: &Issuer) -> Value {
    let uri = format!("{}/revoked", issuer.uri);
    let mut entry = issuer.entry("platform");
    entry["revocations"] = json!({ "uri": uri, "insecure_http": true, "refresh_s": 30 });
    policy(&[entry])
}

fn revoke(issuer: &Issuer, subject: &str) {
    let list = json!({ "sub": [{ "sub": subject }] });
    issuer.answer("revoked", Answer::Document(list));
}

#[tokio::test]
async fn an_issuer_that_hangs_turns_away_nobody_but_its_own_callers() {
    let (clock, up) = (Clock::new(), Issuer::publishing(&[A]).await);
    let hangs = Issuer::publishing(&[B]).await;
    hangs.answer("jwks", Answer::Slow(HOUR, json!({})));
    let both = policy(&[up.entry("up"), hangs.entry("hangs")]);
    let gate = builder(&clock, &both).max_waiting(2).wait(4 * SECOND);
    let gate = gate.build().await.unwrap();
    let waiting = (0..2).map(|_| {
        let (gate, token) = (gate.clone(), hangs.token(B));
        tokio::spawn(async move { check(&gate, &token).await })
    });
    let waiting = waiting.collect::<Vec<_>>();
    eventually("its room is full", async || {
        let start = Instant::now();
        let code = check(&gate, &hangs.token(B)).await;
        code == "keys_unavailable" && start.elapsed() < SECOND
    })
    .await;
    assert_eq!(check(&gate, &up.token(A)).await, "allow");
    // Rotates, which its neighbour has to wait for too.
    clock.forward(MINUTE);
    up.answer("jwks", Answer::Slow(SECOND / 4, jwks(&[B])));
    assert_eq!(check(&gate, &up.token(B)).await, "allow");
    for request in waiting {
        assert_eq!(request.await.unwrap(), "keys_unavailable");
    }
    assert_eq!(hangs.fetches_of("jwks"), 1);
}

#[tokio::test]
async fn a_room_without_places_does_not_keep_the_fetch_from_being_made() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let policy = policy(&[issuer.entry("platform")]);
    // Nothing is fetched but by a request.
    let gate = builder(&clock, &policy).refresh(Refresh::Inline);
    let gate = gate
        .wait(Duration::ZERO)
        .max_waiting(0)
        .build()
        .await
        .unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "keys_unavailable");
    eventually("it was fetched", async || {
        check(&gate, &issuer.token(A)).await == "allow"
    })
    .await;
    clock.forward(MINUTE);
    issuer.publish(&[A, B]);
    assert_eq!(check(&gate, &issuer.token(B)).await, "keys_unavailable");
    eventually("it was fetched again", async || {
        check(&gate, &issuer.token(B)).await == "allow"
    })
    .await;
}

#[tokio::test]
async fn after_the_clock_was_set_back_nobody_waits_until_it_has_caught_up() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    revoke(&issuer, "eve");
    let gate = builder(&clock, &with_revocations(&issuer)).build().await;
    let gate = gate.unwrap();
    gate.warm().await.unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    revoke(&issuer, "ada");
    clock.back(8 * HOUR);
    eventually("the revocation is known", async || {
        check(&gate, &issuer.token(A)).await == "token_revoked"
    })
    .await;
    // And from then on as ever.
    let before = issuer.fetches_of("revoked");
    clock.forward(MINUTE);
    eventually("it is fetched again", async || {
        issuer.fetches_of("revoked") > before
    })
    .await;
}

#[tokio::test]
async fn keys_from_an_address_that_discovery_no_longer_names_change_nothing() {
    // The keys of the old address come before and after those of the new one.
    for (old_ms, new_ms) in [(600, 0), (300, 600)] {
        let (clock, issuer) = (Clock::new(), Issuer::publishing(&[]).await);
        let slow = |ms, kids: &[&str]| Answer::Slow(Duration::from_millis(ms), jwks(kids));
        issuer.answer("old", slow(old_ms, &[A]));
        issuer.answer("new", slow(new_ms, &[B]));
        issuer.name_keys("old");
        let mut entry = issuer.entry("platform");
        entry["keys"] = json!({ "discovery": true, "insecure_http": true });
        let gate = builder(&clock, &policy(&[entry])).build().await.unwrap();
        eventually("the old keys are fetched", async || {
            issuer.fetches_of("old") == 1
        })
        .await;
        issuer.name_keys("new");
        clock.forward(HOUR);
        gate.warm().await.unwrap();
        assert_eq!(issuer.fetches_of(METADATA), 2);
        assert_eq!(
            issuer.fetches_of("new"),
            1,
            "the old flight suppressed the new one"
        );
        tokio::time::sleep(Duration::from_millis(old_ms.max(new_ms) + 200)).await;
        // More often than there are instances.
        for _ in 0..9 {
            assert_eq!(check(&gate, &issuer.token(B)).await, "allow");
            assert_eq!(check(&gate, &issuer.token(A)).await, "key_unknown");
            for document in gate.status().await.unwrap().documents {
                assert!(document.usable && document.failures == 0, "{document:?}");
            }
        }
        assert_eq!((issuer.fetches_of("old"), issuer.fetches_of("new")), (1, 1));
    }
}

#[tokio::test]
async fn a_frozen_process_refreshes_before_it_decides() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    revoke(&issuer, "eve");
    let gate = builder(&clock, &with_revocations(&issuer)).refresh(Refresh::Inline);
    let gate = gate.wait(SECOND).build().await.unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    let before = issuer.fetches_of("revoked");
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    assert_eq!(issuer.fetches_of("revoked"), before, "nothing was due");

    // An hour passes while nothing runs; then two requests come at once.
    revoke(&issuer, "ada");
    clock.forward(HOUR);
    let token = issuer.token(A);
    let both = tokio::join!(check(&gate, &token), check(&gate, &token));
    assert_eq!(both, ("token_revoked".into(), "token_revoked".into()));
    assert_eq!(issuer.fetches_of("revoked"), before + 1);

    // An issuer that hangs costs the first request its wait, and no other.
    issuer.answer("revoked", Answer::Slow(HOUR, json!({})));
    clock.forward(HOUR);
    let start = Instant::now();
    assert_eq!(check(&gate, &token).await, "token_revoked");
    assert!(start.elapsed() >= SECOND && start.elapsed() < 3 * SECOND);
    eventually("the fetch has failed", async || {
        let status = gate.status().await.unwrap().documents;
        status.iter().any(|document| document.failures == 1)
    })
    .await;
    clock.forward(HOUR);
    let start = Instant::now();
    assert_eq!(check(&gate, &token).await, "token_revoked");
    assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_revocations_may_have_many_megabytes_and_no_more_than_its_bound() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let jtis = (0..100_000).map(|number| json!(format!("{number:080}")));
    let mut list = json!({ "jti": jtis.collect::<Vec<_>>() });
    list["sub"] = json!([{ "sub": "eve" }]);
    let bytes = list.to_string().len();
    assert!(bytes > 7 << 20, "{bytes}");
    issuer.answer("revoked", Answer::Document(list));
    let gate = builder(&clock, &with_revocations(&issuer)).build().await;
    let gate = gate.unwrap();
    gate.warm().await.unwrap();
    eventually("the list is read", async || {
        check(&gate, &issuer.token_of(A, A, "eve")).await == "token_revoked"
    })
    .await;
    for _ in 0..9 {
        let eve = issuer.token_of(A, A, "eve");
        assert_eq!(check(&gate, &eve).await, "token_revoked");
        assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    }
    // What is larger than the bound leaves the old list in force.
    issuer.answer("revoked", Answer::Bytes((32 << 20) + 1));
    clock.forward(MINUTE);
    gate.warm().await.unwrap();
    let status = gate.status().await.unwrap().documents;
    assert!(
        status
            .iter()
            .any(|document| document.failures > 0 && document.usable)
    );
    let eve = issuer.token_of(A, A, "eve");
    assert_eq!(check(&gate, &eve).await, "token_revoked");
}

#[tokio::test]
async fn any_number_of_requirements_may_be_prepared() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let gate = support::gate(&clock, &issuer).await;
    let token = issuer.token(A);
    let requirement = async |scope: &str| {
        let text = json!({ "scopes": [scope] }).to_string();
        gate.prepare(text.as_bytes()).await.unwrap()
    };
    let (read, admin) = (requirement("read").await, requirement("admin").await);
    let mut last = Requirement::NONE;
    for number in 0..3000 {
        last = requirement(&format!("scope-{number}")).await;
        if number % 100 == 0 {
            assert_eq!(
                code(&gate.check_token(&token, &last).await),
                "scope_insufficient"
            );
        }
    }
    for _ in 0..9 {
        assert_eq!(code(&gate.check_token(&token, &read).await), "allow");
        assert_eq!(
            code(&gate.check_token(&token, &admin).await),
            "scope_insufficient"
        );
        assert_eq!(
            code(&gate.check_token(&token, &last).await),
            "scope_insufficient"
        );
    }
}

#[tokio::test]
async fn nothing_that_is_printed_has_a_token_or_a_claim() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    let mut forwarding = policy(&[issuer.entry("platform")]);
    forwarding["forward"] = json!({ "x-auth-subject": "subject" });
    let gate = builder(&clock, &forwarding).build().await.unwrap();
    let token = issuer.token(A);
    let decision = decision(&gate, &token).await;
    let grant = decision.grant().unwrap();
    assert_eq!(
        grant.principal.as_ref().unwrap().subject.as_deref(),
        Some("ada")
    );
    let request = axum::http::Request::get("/things?access_token=secret")
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .unwrap();
    let steps = gate.explain(&request).await.unwrap();
    let requirement = gate.prepare(br#"{ "tenant": { "fixed": "acme" } }"#).await;
    let inspection = countersign_host::inspect(token.as_bytes());
    let headers = [(&b"authorization"[..], token.as_bytes())];
    let raw = countersign_host::Request {
        target: b"/things?access_token=secret",
        headers: &headers,
        ..countersign_host::Request::default()
    };
    let printed = format!(
        "{gate:?} {decision:?} {grant:?} {:?} {steps:?} {requirement:?} {inspection:?} {raw:?}",
        countersign_host::GateLayer::new(gate.clone()),
    );
    for secret in ["ada", "acme", "secret", &token, &issuer.uri] {
        assert!(!printed.contains(secret), "{secret} is in {printed}");
    }
    assert!(printed.contains("platform") && printed.contains("authorization"));
}

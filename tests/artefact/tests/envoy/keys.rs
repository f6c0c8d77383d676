//! Tests that Envoy fetches documents on time and with only one worker.

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
    upstream,
};

const METADATA: &str = "/.well-known/openid-configuration";

#[test]
fn keys_are_fetched_before_the_first_request() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    let envoy = Envoy::start(&binary, &setup(&issuer));
    eventually("the keys are fetched", || issuer.asked(JWKS) == 1);
    assert_eq!(envoy.get("/", Some(&policy::token(&key))).status, 200);
    assert_eq!(issuer.asked(JWKS), 1);
    let head = issuer.heads().concat().to_lowercase();
    assert!(head.contains("\r\nhost: auth.example.com\r\n"), "{head}");
    assert!(head.contains("\r\naccept: application/json\r\n"), "{head}");
    assert!(!head.contains("\r\nauthorization:"), "{head}");
}

#[test]
fn discovery_names_the_keys_and_must_name_its_issuer() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    let metadata = |iss: &str| {
        Document::new(&json!({ "issuer": iss, "jwks_uri": format!("{}/jwks", policy::ISSUER) }))
    };
    issuer.publish(METADATA, metadata("https://evil.example"));
    let configuration = policy::by_cluster(&policy::of(json!({ "discovery": true })));
    let setup = stage::fetching(&issuer, &configuration).concurrency(4);
    let envoy = Envoy::start(&binary, &setup);
    let reply = envoy.get("/", Some(&policy::token(&key)));
    assert_eq!((reply.status, &*reply.code()), (503, "keys_unavailable"));
    assert!(envoy.log().contains("`issuer`"), "{}", envoy.log());
    assert_eq!(issuer.asked(JWKS), 0);

    issuer.publish(METADATA, metadata(policy::ISSUER));
    eventually("the keys are there", || {
        envoy.get("/", Some(&policy::token(&key))).status == 200
    });
    assert_eq!(issuer.asked(JWKS), 1);
}

#[test]
fn discovery_cannot_direct_fetches_to_another_service_of_the_mesh() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer, payments) = (Key::read("rsa-2048-a"), Issuer::start(), Issuer::start());
    payments.publish("/internal", Document::keys(&[&key]));
    let metadata = |uri: &str| Document::new(&json!({ "issuer": policy::ISSUER, "jwks_uri": uri }));
    issuer.publish(METADATA, metadata("https://payments.internal/internal"));
    let policy = policy::of(json!({ "discovery": true }));
    let clusters = json!({ "clusters": { "*": "outbound|{port}||{host}" } });
    let setup = Setup::new(
        &json!({ "policy": policy, "envoy": clusters }),
        upstream::echo(),
    )
    .cluster("outbound|443||auth.example.com", issuer.address)
    .cluster("outbound|443||payments.internal", payments.address);
    let envoy = Envoy::start(&binary, &setup);
    let reply = envoy.get("/", Some(&policy::token(&key)));
    assert_eq!((reply.status, &*reply.code()), (503, "keys_unavailable"));
    assert!(
        envoy
            .log()
            .contains("no entry of `clusters` is for this host"),
        "{}",
        envoy.log()
    );
    assert!(payments.heads().is_empty(), "{:?}", payments.heads());
}

#[test]
fn only_requests_that_need_the_keys_wait_for_them() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]).after(Duration::from_secs(2)));
    let envoy = Envoy::start(&binary, &setup(&issuer));
    let waiting = envoy
        .begin(
            "GET",
            "/",
            &[("authorization", policy::bearer(&policy::token(&key)))],
        )
        .unwrap();
    assert_eq!(envoy.get("/public/", None).status, 200);
    assert_eq!(envoy.get("/", None).code(), "token_missing");
    assert_eq!(issuer.asked(JWKS), 1, "the issuer has not answered yet");
    let reply = waiting.reply().unwrap();
    assert_eq!(reply.status, 200);
    assert!(
        reply.body.contains("x-auth-subject: user-1"),
        "{}",
        reply.body
    );
}

#[test]
fn without_keys_the_response_has_retry_after() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    let envoy = Envoy::start(&binary, &setup(&issuer));
    let reply = envoy.get("/", Some(&policy::token(&key)));
    assert_eq!((reply.status, &*reply.code()), (503, "keys_unavailable"));
    let after: u32 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&after), "{after}");
    assert!(
        envoy.log().contains("the server answered with status 404"),
        "{}",
        envoy.log()
    );

    issuer.publish(JWKS, Document::keys(&[&key]));
    eventually("the keys are there", || {
        envoy.get("/", Some(&policy::token(&key))).status == 200
    });
    issuer.withdraw(JWKS);
    assert_eq!(envoy.get("/", Some(&policy::token(&key))).status, 200);
}

#[test]
fn revocations_are_fetched_and_applied() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    let mut policy = policy::fetched();
    policy["issuers"][0]["revocations"] = json!({
        "uri": format!("{}/revoked", policy::ISSUER), "refresh_s": 5, "required": true,
    });
    let setup = stage::fetching(&issuer, &policy::by_cluster(&policy));
    let envoy = Envoy::start(&binary, &setup);
    let token = |jti: &str| {
        let mut claims = policy::claims();
        claims["jti"] = json!(jti);
        key.sign(&claims)
    };
    let reply = envoy.get("/", Some(&token("a")));
    assert_eq!(
        (reply.status, &*reply.code()),
        (503, "revocations_unavailable")
    );

    issuer.publish("/revoked", Document::new(&json!({ "jti": ["b"] })));
    eventually("the list is there", || {
        envoy.get("/", Some(&token("a"))).status == 200
    });
    assert_eq!(envoy.get("/", Some(&token("b"))).code(), "token_revoked");
    issuer.publish("/revoked", Document::new(&json!({ "jti": ["a"] })));
    eventually("the list is refreshed", || {
        envoy.get("/", Some(&token("a"))).code() == "token_revoked"
    });
}

#[test]
fn a_large_revocation_document_delays_no_request() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    let jti = |number: usize| format!("00000000-0000-4000-8000-{number:012}");
    let all: Vec<String> = (0..200_000).map(jti).collect();
    let list = Document::new(&json!({ "jti": all }));
    assert!(list.body.len() > 7 << 20);
    issuer.publish("/revoked", Document::new(&json!({})));
    let mut policy = policy::fetched();
    policy["issuers"][0]["revocations"] = json!({
        "uri": format!("{}/revoked", policy::ISSUER), "refresh_s": 5, "required": true,
    });
    let setup = stage::fetching(&issuer, &policy::by_cluster(&policy)).concurrency(2);
    let envoy = Envoy::start(&binary, &setup);
    let token = |number: usize| {
        let mut claims = policy::claims();
        claims["jti"] = json!(jti(number));
        key.sign(&claims)
    };
    let (last, other) = (token(199_999), token(200_000));
    eventually("the first list is there", || {
        envoy.get("/", Some(&last)).status == 200
    });
    issuer.publish("/revoked", list);
    eventually("the large one is in force in every worker", || {
        (0..10).all(|_| {
            assert_eq!(envoy.get("/", Some(&other)).status, 200);
            envoy.get("/", Some(&last)).code() == "token_revoked"
        })
    });
    assert!(!envoy.log().contains("Wasm VM failed"), "{}", envoy.log());
}

#[test]
fn after_a_move_keys_of_the_old_address_are_not_used() {
    let (Some(binary), Some(clock)) = (stage::binary(), Clock::new(cases::now_ms())) else {
        return;
    };
    let (a, b) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let issuer = Issuer::start();
    let metadata = |path: &str| {
        let uri = [policy::ISSUER, path].concat();
        Document::new(&json!({ "issuer": policy::ISSUER, "jwks_uri": uri }))
            .header("cache-control", "max-age=60")
    };
    let keys = |key: &Key, age: &str| Document::keys(&[key]).header("cache-control", age);
    issuer.publish(METADATA, metadata("/old"));
    issuer.publish("/old", keys(&a, "max-age=60"));
    let configuration = policy::by_cluster(&policy::of(json!({ "discovery": true })));
    let setup = stage::fetching(&issuer, &configuration)
        .environment(clock.environment())
        .concurrency(4);
    let envoy = Envoy::start(&binary, &setup);
    let all_workers_allow =
        |key: &Key| (0..20).all(|_| envoy.get("/", Some(&policy::token(key))).status == 200);
    eventually("the keys are there", || all_workers_allow(&a));

    // The old address answers late, with a freshness of one day; the metadata after the
    // old address was asked once more.
    let late = keys(&a, "max-age=86400").after(Duration::from_secs(4));
    issuer.publish("/old", late);
    let moved = metadata("/new").after(Duration::from_secs(2));
    issuer.publish(METADATA, moved);
    issuer.publish("/new", keys(&b, "max-age=60"));
    clock.pass(60);
    eventually("both are asked", || {
        (issuer.asked("/old"), issuer.asked("/new")) == (2, 1)
    });
    thread::sleep(Duration::from_secs(3));
    assert!(all_workers_allow(&b), "{}", envoy.log());
    assert_eq!(
        envoy.get("/", Some(&policy::token(&a))).code(),
        "key_unknown"
    );
    clock.pass(60);
    eventually("the new place is asked on time", || {
        issuer.asked("/new") == 2
    });
    assert_eq!(issuer.asked("/old"), 2);
}

#[test]
fn documents_of_many_issuers_are_fetched_a_few_at_a_time() {
    let Some(binary) = stage::binary() else {
        return;
    };
    const ISSUERS: usize = 120;
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    let mut policy = policy::fetched();
    let template = policy["issuers"][0].clone();
    let issuers = (0..ISSUERS).map(|number| {
        let path = format!("/jwks/{number}");
        issuer.publish(
            &path,
            Document::keys(&[&key]).after(Duration::from_millis(100)),
        );
        let mut named = template.clone();
        named["name"] = json!(format!("issuer-{number}"));
        named["issuer"] = json!(format!("{}/{number}", policy::ISSUER));
        named["keys"]["jwks_uri"] = json!([policy::ISSUER, &path].concat());
        named
    });
    policy["issuers"] = issuers.collect();
    let setup = stage::fetching(&issuer, &policy::by_cluster(&policy));
    let envoy = Envoy::start(&binary, &setup);
    eventually("all have answered", || {
        envoy.metric("wasmcustom.countersign.fetches_ok") >= Some(120)
    });
    assert_eq!(issuer.heads().len(), ISSUERS);
    // Envoy has one worker and its main thread.
    let most = issuer.most_at_once();
    assert!(most <= 2 * 32, "{most} at once");
    let mut claims = policy::claims();
    claims["iss"] = json!(format!("{}/119", policy::ISSUER));
    assert_eq!(envoy.get("/", Some(&key.sign(&claims))).status, 200);
}

fn setup(issuer: &Issuer) -> Setup {
    stage::fetching(issuer, &policy::by_cluster(&policy::fetched()))
}

//! Tests with malicious or broken clients and issuers. They must not crash the
//! filter, and valid requests must pass as before.

use std::time::Duration;

use countersign_artefact_tests::{cases, token::Key};
use serde_json::json;

use crate::stage::{
    self,
    client::{self, Sent},
    clock::Clock,
    envoy::Envoy,
    eventually,
    issuer::{Document, Issuer, JWKS},
    policy,
    setup::Setup,
    upstream, within,
};

#[test]
fn no_request_crashes_the_filter() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let policy = policy::of(json!({ "jwks": { "keys": [key.public()] } }));
    let setup = Setup::new(&policy, upstream::echo()).manage(|manager| {
        // Some of these requests exceed Envoy's own limits.
        manager["max_request_headers_kb"] = json!(512);
        manager["common_http_protocol_options"] = json!({ "max_headers_count": 400 });
    });
    let envoy = Envoy::start(&binary, &setup);
    let token = policy::token(&key);
    let bearer = |token: &[u8]| ("authorization", [b"Bearer ", token].concat());
    let good = bearer(token.as_bytes());
    let send = |headers: &[(&str, Vec<u8>)]| {
        let reply = envoy.send("GET", "/", headers).expect("a reply");
        (reply.status, reply.code())
    };
    let denied = |status, code: &str| (status, code.to_owned());
    let allowed = (200, String::new());

    let every_byte: Vec<u8> = (0x21..=0xff).filter(|byte| *byte != 0x7f).collect();
    assert_eq!(
        send(&[("x-note", every_byte.clone()), good.clone()]),
        allowed
    );
    assert_eq!(send(&[bearer(&every_byte)]), denied(400, "token_multiple"));
    assert_eq!(send(&[bearer(b"\xff")]), denied(401, "token_malformed"));
    assert_eq!(send(&[("cookie", every_byte), good.clone()]), allowed);

    let names: Vec<String> = (0..300).map(|index| format!("x-{index}")).collect();
    let mut many: Vec<_> = names.iter().map(|name| (&**name, b"1".to_vec())).collect();
    many.push(good.clone());
    assert_eq!(send(&many), allowed, "300 headers");
    let claimed = vec![("x-auth-subject", b"admin".to_vec()); 100];
    assert_eq!(
        send(&[&claimed[..], std::slice::from_ref(&good)].concat()),
        allowed
    );

    assert_eq!(
        send(&[good.clone(), good.clone()]),
        allowed,
        "the same token twice"
    );
    let other = bearer(policy::token(&Key::read("rsa-2048-b")).as_bytes());
    assert_eq!(send(&[good.clone(), other]), denied(400, "token_multiple"));
    let basic = ("authorization", b"Basic YTpi".to_vec());
    assert_eq!(send(&[good.clone(), basic]), denied(400, "token_multiple"));

    assert_eq!(
        send(&[bearer(&vec![b'a'; 64 << 10])]),
        denied(401, "token_too_large")
    );
    assert_eq!(
        send(&[bearer(&vec![b'.'; 16 << 10])]),
        denied(401, "token_malformed")
    );
    assert_eq!(send(&[bearer(b"")]), denied(401, "token_missing"));
    assert_eq!(
        send(&[("authorization", vec![])]),
        denied(401, "token_missing")
    );

    let target = format!("/{}", "a/".repeat(20_000));
    let reply = envoy
        .send("GET", &target, std::slice::from_ref(&good))
        .unwrap();
    assert_eq!(reply.code(), "request_ambiguous");
    let reply = envoy
        .send("GET", "/\u{ff}%zz", std::slice::from_ref(&good))
        .unwrap();
    assert_eq!(reply.status, 400);
    let connect = client::write(envoy.address, b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n");
    assert!(connect.unwrap().reply().unwrap().status >= 400);

    assert_eq!(send(&[good]), allowed, "after all of that");
    assert!(!envoy.log().contains("Wasm VM failed"), "{}", envoy.log());
    assert!(!envoy.log().contains(&token), "a token is in the log");
}

#[test]
fn a_flood_of_unknown_keys_causes_one_fetch_in_thirty_seconds() {
    let (Some(binary), Some(clock)) = (stage::binary(), Clock::new(cases::now_ms())) else {
        return;
    };
    let (key, stranger) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let issuer = Issuer::start();
    issuer.publish(JWKS, Document::keys(&[&key]));
    let setup = setup(&issuer, json!({}))
        .environment(clock.environment())
        .concurrency(4);
    let envoy = Envoy::start(&binary, &setup);
    assert_eq!(envoy.get("/", Some(&policy::token(&key))).status, 200);
    for (seconds, asked) in [(29, 1), (1, 2), (29, 2), (1, 3)] {
        clock.pass(seconds);
        for round in 0..100 {
            let token = stranger.sign_as(&format!("unknown-{round}"), &policy::claims());
            assert_eq!(envoy.get("/", Some(&token)).code(), "key_unknown");
            assert_eq!(envoy.get("/", Some(&policy::token(&key))).status, 200);
        }
        assert_eq!(issuer.asked(JWKS), asked);
    }
}

#[test]
fn the_wait_for_a_slow_issuer_is_limited_in_time_and_number() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]).after(Duration::from_secs(20)));
    let bounds = json!({ "max_waiting": 2, "max_wait_ms": 1500, "fetch_timeout_ms": 3000 });
    let envoy = Envoy::start(&binary, &setup(&issuer, bounds));
    let waiting: Vec<Sent> = (0..2).map(|_| begin(&envoy, &key)).collect();
    eventually("they wait", || {
        envoy.metric("wasmcustom.countersign.waited") == Some(2)
    });
    let reply = envoy.get("/", Some(&policy::token(&key)));
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (503, Some("5"))
    );
    for sent in waiting {
        let reply = sent.reply().unwrap();
        assert_eq!((reply.status, &*reply.code()), (503, "keys_unavailable"));
    }
    assert_eq!(issuer.asked(JWKS), 1, "there is no second fetch");
    eventually("the fetch has failed", || {
        envoy.metric("wasmcustom.countersign.fetches_failed") == Some(1)
    });
    issuer.publish(JWKS, Document::keys(&[&key]));
    eventually("the next one does not", || {
        envoy.get("/", Some(&policy::token(&key))).status == 200
    });
}

#[test]
fn a_client_that_leaves_frees_its_place() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]).after(Duration::from_secs(2)));
    let envoy = Envoy::start(&binary, &setup(&issuer, json!({ "max_waiting": 3 })));
    let waiting = |count| {
        eventually("they wait", || {
            envoy.metric("wasmcustom.countersign.waited") == Some(count)
        });
    };
    let first = begin(&envoy, &key);
    let leaving: Vec<Sent> = (0..2).map(|_| begin(&envoy, &key)).collect();
    waiting(3);
    leaving.into_iter().for_each(Sent::leave);
    eventually("they have left", || {
        envoy.metric("http.http.downstream_rq_active") == Some(1)
    });
    let others = [begin(&envoy, &key), begin(&envoy, &key)];
    waiting(5);
    assert_eq!(issuer.asked(JWKS), 1);
    for sent in std::iter::once(first).chain(others) {
        assert_eq!(sent.reply().unwrap().status, 200);
    }
    assert!(!envoy.log().contains("Wasm VM failed"), "{}", envoy.log());
}

#[test]
fn invalid_documents_of_an_issuer_are_refused() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    let keys = || Document::keys(&[&key]);
    let body = |body: &[u8]| Document {
        body: body.to_vec(),
        ..keys()
    };
    let lies = [
        (body(b"<html>"), "the document is not JSON"),
        (body(&vec![b' '; 1100 << 10]), "its answer is too large"),
        (
            body(br#"{ "issuer": "https://auth.example.com" }"#),
            "an array `keys`",
        ),
        (
            body(br#"{ "keys": [{ "kty": "oct", "k": "AAAA" }] }"#),
            "a symmetric key",
        ),
        (
            keys().status("302 Found").header("location", "/elsewhere"),
            "status 302",
        ),
        (keys().status("500 Internal Server Error"), "status 500"),
        (keys().status("206 Partial Content"), "status 206"),
    ];
    issuer.publish("/elsewhere", Document::keys(&[&key]));
    for (lie, reason) in lies {
        issuer.publish(JWKS, lie);
        let envoy = Envoy::start(&binary, &setup(&issuer, json!({})));
        let reply = envoy.get("/", Some(&policy::token(&key)));
        assert_eq!(
            (reply.status, &*reply.code()),
            (503, "keys_unavailable"),
            "{reason}"
        );
        assert!(envoy.log().contains(reason), "{reason}: {}", envoy.log());
        issuer.publish(JWKS, keys().header("cache-control", "max-age=\u{ff}"));
        let better = || envoy.get("/", Some(&policy::token(&key))).status == 200;
        assert!(
            within(Duration::from_secs(10), better),
            "{reason}: {}",
            envoy.log()
        );
        assert!(!envoy.log().contains("Wasm VM failed"), "{}", envoy.log());
    }
    assert_eq!(issuer.asked("/elsewhere"), 0);
}

#[test]
fn waiting_requests_continue_in_their_order_of_arrival() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]).after(Duration::from_secs(2)));
    let (upstream, seen) = upstream::one_by_one();
    let configuration = policy::by_cluster(&policy::fetched());
    let setup = Setup::new(&configuration, upstream).cluster("issuer", issuer.address);
    let envoy = Envoy::start(&binary, &setup);
    let token = format!("Bearer {}", policy::token(&key)).into_bytes();
    let waiting: Vec<Sent> = (1..=5)
        .map(|place| {
            let headers = [("authorization", token.clone())];
            let sent = envoy.begin("GET", &format!("/{place}"), &headers).unwrap();
            eventually("it waits", || {
                envoy.metric("http.http.downstream_rq_active") == Some(place)
            });
            sent
        })
        .collect();
    for sent in waiting {
        assert_eq!(sent.reply().unwrap().status, 200);
    }
    let seen: Vec<String> = seen.lock().unwrap().clone();
    assert_eq!(seen, ["/1", "/2", "/3", "/4", "/5"]);
}

fn setup(issuer: &Issuer, envoy: serde_json::Value) -> Setup {
    stage::fetching(issuer, &policy::with(&policy::fetched(), envoy))
}

fn begin(envoy: &Envoy, key: &Key) -> Sent {
    let value = format!("Bearer {}", policy::token(key)).into_bytes();
    envoy
        .begin("GET", "/", &[("authorization", value)])
        .unwrap()
}

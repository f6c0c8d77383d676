//! Tests of opaque tokens: each worker asks the authorization server through a
//! cluster, once for each token.

use std::time::Duration;

use countersign_artefact_tests::cases;
use serde_json::{Value, json};

use crate::stage::{
    self,
    client::Sent,
    envoy::Envoy,
    eventually,
    issuer::{Document, Issuer},
    policy,
    setup::Setup,
    upstream,
};

const PATH: &str = "/introspect";
const SECRET: &str = "a secret: of ours/1";

#[test]
fn the_server_is_asked_once_by_each_worker_with_the_secret_of_envoy() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let issuer = Issuer::start();
    issuer.publish(PATH, Document::new(&active()));
    let setup = stage::fetching(&issuer, &configuration(json!({}))).concurrency(2);
    let envoy = Envoy::start(&binary, &setup);
    for _ in 0..20 {
        let reply = envoy.get("/", Some("opq_a/1"));
        assert_eq!(reply.status, 200, "{reply:?}\n{}", envoy.log());
        let forwarded = reply.body.contains("x-auth-subject: ada\r\n");
        assert!(forwarded, "{}", reply.body);
    }
    let asked = issuer.asked_by("POST", PATH);
    assert!((1..=2).contains(&asked), "{asked} times");

    let request = issuer.heads().remove(0);
    for part in [
        "POST /introspect HTTP/1.1\r\n",
        "\r\nhost: auth.example.com\r\n",
        "\r\ncontent-type: application/x-www-form-urlencoded\r\n",
        "\r\naccept: application/json\r\n",
        "\r\nauthorization: Basic Z2F0ZTphJTIwc2VjcmV0JTNBJTIwb2YlMjBvdXJzJTJGMQ==\r\n",
        "\r\n\r\ntoken=opq_a%2F1&token_type_hint=access_token",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }
    assert_eq!(request.matches("accept:").count(), 1, "{request}");
    // What is no opaque token is not asked about.
    assert_eq!(envoy.get("/", Some("abc")).status, 401);
    assert_eq!(issuer.asked_by("POST", PATH), asked);
    for secret in ["opq_a", "Z2F0ZT", SECRET] {
        assert!(!envoy.log().contains(secret), "{}", envoy.log());
    }
}

#[test]
fn an_inactive_token_is_refused_and_the_answer_remembered() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let issuer = Issuer::start();
    issuer.publish(PATH, Document::new(&json!({ "active": false })));
    let envoy = start(&binary, &issuer);
    for _ in 0..5 {
        let reply = envoy.get("/", Some("opq_1"));
        assert_eq!((reply.status, &*reply.code()), (401, "token_inactive"));
    }
    assert_eq!(issuer.asked_by("POST", PATH), 1);
    // `negative_cache_s` is 2.
    issuer.publish(PATH, Document::new(&active()));
    eventually("the server is asked again", || {
        envoy.get("/", Some("opq_1")).status == 200
    });
}

#[test]
fn two_requests_with_one_token_share_a_flight_and_others_do_not_wait() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let issuer = Issuer::start();
    issuer.publish(PATH, Document::new(&active()));
    issuer.publish("/introspect?token=opq_slow", Document::new(&active()));
    let envoy = start(&binary, &issuer);
    assert_eq!(envoy.get("/", Some("opq_known")).status, 200);
    issuer.hold();
    let waiting: Vec<Sent> = (0..5).map(|_| begin(&envoy, "opq_slow")).collect();
    eventually("they wait", || {
        envoy.metric("wasmcustom.countersign.waited") == Some(6)
    });
    assert_eq!(issuer.asked_by("POST", PATH), 2);
    assert_eq!(envoy.get("/", Some("opq_known")).status, 200);
    assert_eq!(envoy.get("/public/", None).status, 200);
    issuer.release();
    for sent in waiting {
        assert_eq!(sent.reply().unwrap().status, 200);
    }
    assert_eq!(issuer.asked_by("POST", PATH), 2);
}

#[test]
fn a_slow_server_gets_503_and_keeps_nobody_longer_than_the_limit() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let issuer = Issuer::start();
    let slow = Document::new(&active()).after(Duration::from_secs(20));
    issuer.publish("/introspect?token=opq_slow", slow);
    issuer.publish(PATH, Document::new(&active()));
    let limits = json!({ "max_wait_ms": 1500, "fetch_timeout_ms": 3000, "max_waiting": 2 });
    let setup = stage::fetching(&issuer, &configuration(limits));
    let envoy = Envoy::start(&binary, &setup);
    let waiting = [begin(&envoy, "opq_slow"), begin(&envoy, "opq_slow")];
    eventually("they wait", || {
        envoy.metric("wasmcustom.countersign.waited") == Some(2)
    });
    let unavailable = |reply: &stage::client::Reply| {
        assert!(reply.header("retry-after").is_some(), "{reply:?}");
        let seen = (reply.status, &*reply.code());
        assert_eq!(seen, (503, "introspection_unavailable"));
    };
    // The room is full.
    unavailable(&envoy.get("/", Some("opq_slow")));
    for sent in waiting {
        unavailable(&sent.reply().unwrap());
    }
    assert_eq!(envoy.get("/", Some("opq_other")).status, 200);
}

#[test]
fn an_answer_that_is_none_never_admits_anybody() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let issuer = Issuer::start();
    let body = |body: &[u8]| Document {
        body: body.to_vec(),
        ..Document::new(&active())
    };
    let huge = [
        br#"{"active":true,"sub":""#,
        &vec![b'a'; 70 << 10][..],
        b"\"}",
    ]
    .concat();
    let lies = [
        ("html", body(b"<html>active: true</html>"), "no JSON object"),
        ("text", body(br#"{ "active": "true" }"#), "active"),
        ("none", body(b"{}"), "active"),
        ("huge", body(&huge), "its answer is too large"),
        (
            "error",
            body(b"{}").status("500 Internal Server Error"),
            "500",
        ),
        (
            "moved",
            body(b"{}").status("302 Found").header("location", "/ok"),
            "302",
        ),
    ];
    for (name, lie, _) in &lies {
        issuer.publish(&format!("/introspect?token=opq_{name}"), lie.clone());
    }
    issuer.publish(PATH, Document::new(&active()));
    let envoy = start(&binary, &issuer);
    for (name, _, reason) in lies {
        let reply = envoy.get("/", Some(&format!("opq_{name}")));
        let seen = (reply.status, &*reply.code());
        assert_eq!(seen, (503, "introspection_unavailable"), "{name}");
        let log = envoy.log();
        let last = log
            .lines()
            .rfind(|line| line.contains("the request to issuer"));
        assert!(
            last.is_some_and(|line| line.contains(reason)),
            "{name}: {log}"
        );
    }
    assert_eq!(envoy.get("/", Some("opq_good")).status, 200);
    assert_eq!(issuer.asked("/ok"), 0);
    assert!(!envoy.log().contains("Wasm VM failed"), "{}", envoy.log());
}

#[test]
fn a_server_that_is_down_is_left_alone_and_known_tokens_pass() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let issuer = Issuer::start();
    let down = Document::new(&json!({})).status("503 Service Unavailable");
    issuer.publish(PATH, down);
    issuer.publish("/introspect?token=opq_known", Document::new(&active()));
    let envoy = start(&binary, &issuer);
    assert_eq!(envoy.get("/", Some("opq_known")).status, 200);
    for number in 0..20 {
        let reply = envoy.get("/", Some(&format!("opq_{number}")));
        let seen = (reply.status, &*reply.code());
        assert_eq!(seen, (503, "introspection_unavailable"));
        assert_eq!(envoy.get("/", Some("opq_known")).status, 200);
    }
    // After three failures it is asked no more for a second, then for two.
    let asked = issuer.asked_by("POST", PATH);
    assert!((4..=7).contains(&asked), "{asked} times");
    issuer.publish(PATH, Document::new(&active()));
    eventually("the server is asked again", || {
        envoy.get("/", Some("opq_new")).status == 200
    });
}

#[test]
fn a_server_that_no_cluster_reaches_refuses_the_configuration() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let mut none = configuration(json!({}));
    none["envoy"]["clusters"] = json!({ "other.example.com": "issuer" });
    let log = Envoy::refuse(&binary, &Setup::new(&none, upstream::echo()));
    assert!(log.contains("(cluster_missing)"), "{log}");
    assert!(log.contains("`auth.example.com`"), "{log}");
    assert!(!log.contains(SECRET), "{log}");
}

fn start(binary: &std::path::Path, issuer: &Issuer) -> Envoy {
    Envoy::start(binary, &stage::fetching(issuer, &configuration(json!({}))))
}

fn begin(envoy: &Envoy, token: &str) -> Sent {
    let bearer = [("authorization", policy::bearer(token))];
    envoy.begin("GET", "/", &bearer).unwrap()
}

fn configuration(envoy: Value) -> Value {
    let mut policy = policy::fetched();
    policy["issuers"] = json!([{
        "name": "legacy", "audiences": ["platform"],
        "introspection": {
            "uri": format!("{}{PATH}", policy::ISSUER),
            "prefix": ["opq_"],
            "negative_cache_s": 2,
            "client": { "id": "gate", "secret_from": "introspection" },
        },
    }]);
    let mut envoy = envoy;
    envoy["secrets"] = json!({ "introspection": SECRET });
    policy::with(&policy, envoy)
}

fn active() -> Value {
    let exp = cases::now_ms() / 1000 + 600;
    json!({ "active": true, "sub": "ada", "aud": "platform", "exp": exp })
}

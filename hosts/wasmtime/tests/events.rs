//! Events: what hooks are told of decisions and documents, and what they never are.

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, http::Request, routing::get};
use countersign_host::{
    DecisionEvent, Gate, GateBuilder, GateLayer, Observed, OpenError, ReadyService, Requirement,
    SHA256, policy_digest,
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use support::{A, Answer, B, Clock, Issuer, builder, check, eventually, policy};
use tokio::sync::Semaphore;
use tower::ServiceExt;

type Lines = Arc<Mutex<Vec<Value>>>;

/// The events of a gate, as JSON.
fn listening(builder: GateBuilder) -> (GateBuilder, Lines, Lines) {
    let (decisions, documents) = (Lines::default(), Lines::default());
    let add = |lines: &Lines, line: String| {
        let line = serde_json::from_str(&line).unwrap();
        lines.lock().unwrap().push(line);
    };
    let (one, other) = (decisions.clone(), documents.clone());
    let builder = builder
        .on_decision(move |event, _| add(&one, event.to_json()))
        .on_document(move |event| add(&other, event.to_json()));
    (builder, decisions, documents)
}

fn last(lines: &Lines) -> Value {
    lines.lock().unwrap().pop().expect("an event")
}

#[tokio::test]
async fn each_decision_is_one_event_with_its_rule_and_its_issuer() {
    let issuer = Issuer::publishing(&[A]).await;
    let mut policy = policy(&[issuer.entry("platform")]);
    policy["rules"][1]["name"] = "things".into();
    let (builder, decisions, _) = listening(builder(&Clock::new(), &policy).instances(1));
    let gate = builder.subject_key([7; 16]).build().await.unwrap();
    let digest = policy_digest(policy.to_string().as_bytes()).unwrap();
    assert_eq!(gate.status().await.unwrap().policy_digest, digest);

    let pause = Duration::from_millis(30);
    issuer.answer("jwks", Answer::Slow(pause, support::jwks(&[A])));
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    let mut event = last(&decisions);
    assert!(event["waited_ms"].as_u64().unwrap() > 0, "{event}");
    assert_eq!(event["subject_ref"].as_str().unwrap().len(), 32);
    event["waited_ms"] = 0.into();
    event["subject_ref"] = "x".into();
    let things = json!({ "index": 1, "name": "things", "path": "/**" });
    let expected = json!({
        "decision": "allow", "rule": things, "issuer": "platform", "remembered": false,
        "waited_ms": 0, "mode": "enforced", "subject_ref": "x",
        "policy_digest": digest, "module_digest": SHA256,
    });
    assert_eq!(event, expected);
    check(&gate, &issuer.token(A)).await;
    let again = last(&decisions);
    assert_eq!(
        (&again["remembered"], &again["waited_ms"]),
        (&true.into(), &0.into())
    );

    check(&gate, "no.token").await;
    let event = last(&decisions);
    assert_eq!(
        (
            &event["decision"],
            &event["code"],
            &event["status"],
            &event["rule"]
        ),
        (
            &"deny".into(),
            &"token_malformed".into(),
            &401.into(),
            &things
        )
    );
    gate.check_token(issuer.token(A), &Requirement::NONE).await;
    let event = last(&decisions);
    assert_eq!(
        (&event["issuer"], event.get("rule")),
        (&"platform".into(), None)
    );
    assert!(decisions.lock().unwrap().is_empty(), "one event each");

    // What did not come.
    issuer.answer("jwks", Answer::Status(500));
    let gate = listening(support::builder(&Clock::new(), &policy).instances(1));
    let (builder, decisions, _) = gate;
    let gate = builder.build().await.unwrap();
    assert_eq!(check(&gate, &issuer.token(B)).await, "keys_unavailable");
    let event = last(&decisions);
    assert_eq!(
        (&event["code"], &event["issuer"]),
        (&"keys_unavailable".into(), &"platform".into())
    );
}

#[tokio::test]
async fn what_the_gate_answers_itself_is_an_event_too() {
    let mut policy = policy(&[Issuer::publishing(&[A]).await.entry("platform")]);
    let metadata = json!({ "resource": "https://app.example.com/seen" });
    policy["rules"] = json!([{
        "path": "/seen", "require": {}, "challenge": { "resource_metadata": metadata },
    }]);
    let (builder, decisions, _) = listening(builder(&Clock::new(), &policy));
    let gate = builder.build().await.unwrap();
    let address = "/.well-known/oauth-protected-resource/seen";
    let request = Request::get(address).header("host", "app.example.com");
    gate.check(&request.body(()).unwrap()).await;
    let event = last(&decisions);
    assert_eq!(
        (&event["decision"], &event["status"]),
        (&"answer".into(), &200.into())
    );
}

#[tokio::test]
async fn nothing_of_a_token_a_claim_a_key_or_a_request_is_in_an_event() {
    let issuer = Issuer::publishing(&[A]).await;
    let mut entry = issuer.entry("platform");
    entry["keys"]["jwks_uri"] = format!("{}/jwks?key=secret-query", issuer.uri).into();
    let policy = policy(&[entry]);
    let (builder, decisions, documents) = listening(builder(&Clock::new(), &policy));
    let gate = builder.subject_key([7; 32]).build().await.unwrap();
    let token = issuer.token(A);
    let other = issuer.token_of(A, B, "ada");
    for token in [&token, &token, &other, "secret.token.x"] {
        let request = Request::get("/secret-path?access=secret-query")
            .header("authorization", format!("Bearer {token}"))
            .body(())
            .unwrap();
        gate.check(&request).await;
    }
    let all = format!(
        "{:?} {:?}",
        decisions.lock().unwrap(),
        documents.lock().unwrap()
    );
    let key = support::jwks(&[A])["keys"][0]["n"].to_string();
    let parts = token.split('.').chain(other.split('.'));
    let secrets = [
        "ada",
        "acme",
        "read write",
        "secret",
        A,
        key.trim_matches('"'),
        &issuer.uri,
    ];
    for secret in parts.chain(secrets) {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
    assert!(all.contains("platform") && all.contains("/**"));
}

#[tokio::test]
async fn a_hook_that_panics_changes_nothing_and_other_hooks_are_called() {
    let issuer = Issuer::publishing(&[A]).await;
    let builder = builder(&Clock::new(), &policy(&[issuer.entry("platform")]))
        .on_decision(|_, _| panic!("a hook with a fault"))
        .on_document(|_| panic!("a hook with a fault"));
    let (builder, decisions, documents) = listening(builder);
    let gate = builder.build().await.unwrap();
    for _ in 0..3 {
        assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    }
    assert_eq!(decisions.lock().unwrap().len(), 3);
    assert!(!documents.lock().unwrap().is_empty());
}

#[tokio::test]
async fn each_document_is_one_event_that_says_why() {
    let cases = [
        (
            Answer::Document(support::jwks(&[A])),
            json!(["accepted", null, null, 1, 0]),
        ),
        (
            Answer::Html,
            json!(["refused", "refused", "json_syntax", null, null]),
        ),
        (
            Answer::Status(503),
            json!(["failed", "status", "503", null, null]),
        ),
        (
            Answer::Redirect("/x".into()),
            json!(["failed", "redirect", "302", null, null]),
        ),
        (
            Answer::Bytes(4 << 20),
            json!(["failed", "too_large", null, null, null]),
        ),
    ];
    for (answer, expected) in cases {
        let issuer = Issuer::publishing(&[A]).await;
        issuer.answer("jwks", answer);
        let event = first_document(&issuer.entry("platform")).await;
        let mut said =
            ["outcome", "reason", "detail", "used", "skipped"].map(|name| event[name].clone());
        if expected[0] == "refused" {
            said[2] = expected[2].clone();
        }
        assert_eq!(json!(said), expected, "{event}");
        assert_eq!(
            (&event["kind"], &event["mode"]),
            (&"jwks".into(), &"enforced".into())
        );
        assert_eq!(
            event["age_ms"].as_u64(),
            (expected[0] == "accepted").then_some(0)
        );
    }
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = unused.local_addr().unwrap().port();
    drop(unused);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let hangs = silent.local_addr().unwrap().port();
    for (uri, reason) in [
        (format!("http://127.0.0.1:{port}/jwks"), "connection"),
        ("http://no-such-host.invalid/jwks".into(), "dns"),
        (format!("http://127.0.0.1:{hangs}/jwks"), "timeout"),
    ] {
        let mut entry = Issuer::publishing(&[A]).await.entry("platform");
        entry["keys"]["jwks_uri"] = uri.into();
        let event = first_document(&entry).await;
        assert_eq!(
            (&event["outcome"], &event["reason"]),
            (&"failed".into(), &reason.into())
        );
    }
}

async fn first_document(entry: &Value) -> Value {
    let policy = policy(std::slice::from_ref(entry));
    let (builder, _, documents) = listening(builder(&Clock::new(), &policy).instances(1));
    let _gate = builder.build().await.unwrap();
    eventually("an event", async || !documents.lock().unwrap().is_empty()).await;
    documents.lock().unwrap().remove(0)
}

#[tokio::test]
async fn a_hook_gets_what_an_outer_layer_knows_of_the_request() {
    let issuer = Issuer::publishing(&[A]).await;
    let ids = Arc::new(Mutex::new(Vec::new()));
    let seen = ids.clone();
    let gate = builder(&Clock::new(), &policy(&[issuer.entry("platform")])).on_decision(
        move |event: &DecisionEvent, extensions| {
            let id: Option<&u64> = extensions.get();
            seen.lock()
                .unwrap()
                .push((event.mode.as_str(), id.copied()));
        },
    );
    let gate = gate.build().await.unwrap();
    let mut request = Request::get("/public").body(()).unwrap();
    request.extensions_mut().insert(42_u64);
    gate.check(&request).await;
    gate.observer().check(&request).await;
    let request = countersign_host::Request {
        method: b"GET",
        target: b"/public",
        ..Default::default()
    };
    gate.check_bytes_with(request, &http::Extensions::new())
        .await;
    let expected = [
        ("enforced", Some(42)),
        ("observed", Some(42)),
        ("enforced", None),
    ];
    assert_eq!(*ids.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_subject_key_that_can_be_guessed_is_refused() {
    let refused = Gate::builder()
        .subject_key([7; 15])
        .build()
        .await
        .unwrap_err();
    assert!(matches!(refused, OpenError::Policy(_)));
    assert_eq!(refused.problems()[0].code, "subject_key_short");
}

#[tokio::test]
async fn a_gate_is_ready_once_it_has_had_what_it_needs() {
    let (clock, issuer) = (Clock::new(), Issuer::publishing(&[A]).await);
    issuer.answer("jwks", Answer::Status(500));
    let policy = policy(&[issuer.entry("platform")]);
    let gate = builder(&clock, &policy).wait_ready(Duration::from_millis(200));
    let gate = gate.build().await.unwrap();
    assert!(!gate.ready());
    let probe = async || {
        let app: Router = Router::new().route_service("/readyz", ReadyService::new(gate.clone()));
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice::<Value>(&body).unwrap())
    };
    let missing = json!([{ "issuer": "platform", "kind": "jwks" }]);
    let not_ready = json!({ "ready": false, "missing": missing });
    assert_eq!(probe().await, (503, not_ready));
    assert!(gate.status().await.unwrap().documents[0].needed);
    issuer.publish(&[A]);
    clock.forward(Duration::from_secs(60));
    assert!(gate.until_ready(Duration::from_secs(10)).await);
    assert_eq!(probe().await, (200, json!({ "ready": true })));
    // It stays so, whatever its documents become.
    issuer.answer("jwks", Answer::Status(500));
    clock.forward(Duration::from_secs(600_000));
    gate.warm().await.unwrap();
    assert!(gate.ready() && gate.status().await.unwrap().ready);
    // Keys of the policy itself come from nowhere.
    let mut entry = issuer.entry("platform");
    entry["keys"] = json!({ "jwks": support::jwks(&[A]) });
    let gate = builder(&clock, &support::policy(&[entry]));
    assert!(gate.build().await.unwrap().ready());
}

#[tokio::test]
async fn a_document_that_a_reload_takes_over_is_no_event() {
    let issuer = Issuer::publishing(&[A]).await;
    let mut policy = policy(&[issuer.entry("platform")]);
    let (builder, _, documents) = listening(builder(&Clock::new(), &policy));
    let gate = builder.build().await.unwrap();
    gate.warm().await.unwrap();
    policy["realm"] = "another".into();
    gate.reload(policy.to_string()).await.unwrap();
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    assert_eq!(documents.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_layer_that_observes_passes_every_request_as_it_came() {
    let issuer = Issuer::publishing(&[A]).await;
    let mut policy = policy(&[issuer.entry("platform")]);
    policy["forward"] = json!({ "x-auth-subject": "subject" });
    policy["strip_credential"] = true.into();
    let (builder, decisions, _) = listening(builder(&Clock::new(), &policy));
    let gate = builder.build().await.unwrap();
    // Otherwise the first request would not wait for its keys.
    assert!(gate.until_ready(Duration::from_secs(10)).await);
    let echo = async |request: Request<Body>| {
        let (parts, body) = request.into_parts();
        assert!(parts.extensions.get::<countersign_host::Grant>().is_none());
        let Observed(decision) = parts.extensions.get().unwrap();
        let code = support::code(decision);
        let body = body.collect().await.unwrap().to_bytes();
        axum::Json(json!([
            code,
            parts.uri.to_string(),
            format!("{:?}", parts.headers),
            body.to_vec()
        ]))
    };
    let app = Router::new()
        .route("/things", get(echo).post(echo))
        .layer(GateLayer::new(gate).observe(true));
    for (token, code) in [
        (issuer.token(A), "allow"),
        ("bad".into(), "token_malformed"),
    ] {
        let request = Request::post("/things?x=1")
            .header("authorization", format!("Bearer {token}"))
            .header("X_Auth_Subject", "spoofed")
            .body(Body::from("the body"))
            .unwrap();
        let headers = format!("{:?}", request.headers());
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let seen = response.into_body().collect().await.unwrap().to_bytes();
        let expected = json!([code, "/things?x=1", headers, b"the body".to_vec()]);
        assert_eq!(serde_json::from_slice::<Value>(&seen).unwrap(), expected);
        assert_eq!(last(&decisions)["mode"], "observed");
    }
}

#[tokio::test]
async fn a_request_that_is_observed_passes_before_its_documents_come() {
    let issuer = Issuer::publishing(&[]).await;
    let until = Arc::new(Semaphore::new(0));
    issuer.answer("jwks", Answer::Held(until.clone(), support::jwks(&[A])));
    let policy = policy(&[issuer.entry("platform")]);
    let (builder, decisions, _) = listening(builder(&Clock::new(), &policy));
    let gate = builder.wait(Duration::from_secs(60)).build().await.unwrap();
    let handler = async |request: Request<Body>| {
        assert!(request.extensions().get::<Observed>().is_none());
    };
    let app: Router = Router::new()
        .route("/things", get(handler))
        .layer(GateLayer::new(gate).observe(true));
    let request = Request::get("/things")
        .header("authorization", format!("Bearer {}", issuer.token(A)))
        .body(Body::empty())
        .unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), 200);
    assert!(decisions.lock().unwrap().is_empty());
    until.add_permits(1);
    eventually("the decision follows", async || {
        !decisions.lock().unwrap().is_empty()
    })
    .await;
    let event = last(&decisions);
    assert_eq!(event["mode"], "observed");
    assert_eq!(event["decision"], "allow");
    assert!(event["waited_ms"].as_u64().unwrap() > 0);
}

//! A candidate beside the policy in force: it is compared, and it changes nothing.

mod support;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use countersign_host::{
    Comparison, DecisionEvent, Fetch, FetchError, Fetcher, Fetching, Gate, GateBuilder, Mode,
    Outgoing, Response,
};
use serde_json::{Value, json};
use support::{A, Clock, Issuer, START_MS, builder, check, decision, eventually, policy};

type Events = Arc<Mutex<Vec<DecisionEvent>>>;

fn listening(builder: GateBuilder) -> (GateBuilder, Events) {
    let events = Events::default();
    let seen = events.clone();
    let builder = builder.on_decision(move |event, _| seen.lock().unwrap().push(event.clone()));
    (builder, events)
}

/// The event in force and the candidate's.
fn both(events: &Events) -> (DecisionEvent, DecisionEvent) {
    let mut events = std::mem::take(&mut *events.lock().unwrap()).into_iter();
    let both = (events.next().unwrap(), events.next().unwrap());
    assert!(events.next().is_none());
    both
}

async fn is_ready(gate: &Gate) -> bool {
    let shadow = gate.status().await.unwrap().shadow;
    gate.ready() && shadow.is_some_and(|shadow| shadow.ready)
}

async fn open(builder: GateBuilder, candidate: &Value) -> Gate {
    let gate = builder.shadow(candidate.to_string()).build().await.unwrap();
    eventually("both are ready", async || is_ready(&gate).await).await;
    gate
}

#[tokio::test]
async fn each_request_is_compared_and_counted_by_rule_and_code() {
    let issuer = Issuer::publishing(&[A]).await;
    let in_force = policy(&[issuer.entry("platform")]);
    let mut candidate = in_force.clone();
    candidate["rules"][1]["require"] = json!({ "scopes": ["admin"] });
    candidate["rules"][0]["path"] = "/{any}".into();
    let (builder, events) = listening(builder(&Clock::new(), &in_force));
    let gate = open(builder, &candidate).await;

    assert_eq!(check(&gate, "bad").await, "token_malformed");
    let (enforced, shadow) = both(&events);
    assert_eq!((enforced.mode, enforced.comparison), (Mode::Enforced, None));
    assert_eq!(
        (shadow.mode, shadow.comparison),
        (Mode::Shadow, Some(Comparison::WouldAllow))
    );
    assert_eq!(shadow.rule.unwrap().path, "/{any}");
    assert_ne!(enforced.policy_digest, shadow.policy_digest);

    let request = |path: &str| {
        let token = format!("Bearer {}", issuer.token(A));
        http::Request::get(path)
            .header("authorization", token)
            .body(())
            .unwrap()
    };
    for _ in 0..2 {
        assert!(gate.check(&request("/a/b")).await.grant().is_some());
        let (_, shadow) = both(&events);
        assert_eq!(shadow.comparison, Some(Comparison::WouldDeny));
        assert_eq!(shadow.code.as_deref(), Some("scope_insufficient"));
    }
    assert!(gate.check(&request("/public")).await.grant().is_some());
    assert_eq!(both(&events).1.comparison, Some(Comparison::Agree));
    // Who passes without identity does not have the same effects.
    assert!(gate.check(&request("/things")).await.grant().is_some());
    assert_eq!(both(&events).1.comparison, Some(Comparison::Differs));

    let status = gate.status().await.unwrap().shadow.unwrap();
    let count = |comparison| {
        let mut counts = status.counts.iter();
        let count = counts.find(|count| count.comparison == comparison).unwrap();
        (count.rule.as_deref(), count.code.as_deref(), count.count)
    };
    assert_eq!(
        count(Comparison::WouldDeny),
        (Some("/rules/1"), Some("scope_insufficient"), 2)
    );
    assert_eq!(count(Comparison::Agree), (Some("/rules/0"), None, 1));
    assert_eq!((status.counts.len(), status.other), (4, 0));

    // What was counted is about the rules of the policy in force.
    assert!(gate.reload(b"{}".to_vec()).await.is_err());
    let counts = async || gate.status().await.unwrap().shadow.unwrap().counts.len();
    assert_eq!(counts().await, 4);
    gate.reload(in_force.to_string()).await.unwrap();
    assert_eq!(counts().await, 0);

    // Without a candidate there is one event again.
    gate.reload_shadow(None).await.unwrap();
    check(&gate, "bad").await;
    assert_eq!(events.lock().unwrap().len(), 1);
    assert!(gate.status().await.unwrap().shadow.is_none());
    let bad = gate.reload_shadow(Some(b"{}".to_vec())).await;
    assert!(!bad.unwrap_err().problems().is_empty());
}

#[tokio::test]
async fn a_candidate_without_its_keys_keeps_nobody_waiting_and_fetches_them_itself() {
    let (issuer, other) = (
        Issuer::publishing(&[A]).await,
        Issuer::publishing(&[A]).await,
    );
    let hour = std::time::Duration::from_secs(3600);
    other.answer("jwks", support::Answer::Slow(hour, json!({})));
    let mut entry = issuer.entry("platform");
    entry["keys"]["jwks_uri"] = format!("{}/jwks", other.uri).into();
    let (builder, events) = listening(builder(&Clock::new(), &policy(&[issuer.entry("platform")])));
    let gate = builder
        .shadow(policy(&[entry]).to_string())
        .build()
        .await
        .unwrap();
    gate.warm().await.unwrap();
    let began = std::time::Instant::now();
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    assert!(began.elapsed() < std::time::Duration::from_secs(2));
    let (enforced, shadow) = both(&events);
    assert_eq!((enforced.code, enforced.waited_ms), (None, 0));
    assert_eq!(shadow.comparison, Some(Comparison::NotCompared));
    assert_eq!(shadow.code.as_deref(), Some("keys_unavailable"));
    assert_eq!(other.fetches_of("jwks"), 1);
}

/// An introspection server that knows every token, and counts questions.
struct Introspection(Arc<AtomicUsize>);

impl Fetcher for Introspection {
    fn fetch<'a>(&'a self, _: &'a Fetch) -> Fetching<'a> {
        Box::pin(async { Err(FetchError::new("there are no documents")) })
    }

    fn send<'a>(&'a self, _: &'a Outgoing) -> Fetching<'a> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let active =
            json!({ "active": true, "sub": "ada", "aud": "api", "exp": START_MS / 1000 + 60 });
        let response = Response {
            status: 200,
            cache_control: String::new(),
            body: active.to_string().into(),
        };
        Box::pin(async { Ok(response) })
    }
}

fn opaque(host: &str, audience: &str) -> Value {
    let mut policy = policy(&[json!({
        "name": "platform", "issuer": "https://auth.example.com", "audiences": [audience],
        "introspection": {
            "uri": format!("https://{host}/introspect"),
            "client": { "id": "gate", "secret_from": "client" },
            "prefix": ["opq_"],
        },
    })]);
    policy["rules"] = json!([{ "path": "/**", "require": {} }]);
    policy
}

#[tokio::test]
async fn a_candidate_sends_no_token_anywhere() {
    let cases = [
        (opaque("auth.example.com", "api"), Comparison::Agree),
        (opaque("auth.example.com", "other"), Comparison::WouldDeny),
        (opaque("elsewhere.example", "api"), Comparison::NotCompared),
    ];
    for (candidate, expected) in cases {
        let asked = Arc::new(AtomicUsize::new(0));
        let in_force = opaque("auth.example.com", "api");
        let builder = builder(&Clock::new(), &in_force)
            .fetcher(Introspection(asked.clone()))
            .secret("client", "s3cret");
        let (builder, events) = listening(builder);
        let gate = open(builder, &candidate).await;
        let decided = decision(&gate, "opq_token").await;
        assert!(decided.grant().is_some(), "{decided:?}");
        let (_, shadow) = both(&events);
        assert_eq!(shadow.comparison, Some(expected), "{shadow:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}

//! Tests of the facts that a gate tells about its last decision. The answers of
//! HMAC-SHA-256 here were computed by Python's `hmac`.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use countersign::{Decision, Event, Gate, MatchedRule, Request};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const NOW_MS: u64 = 1_700_000_000_000;
const SECRET: &[u8] = b"an HMAC secret that tests may use";

fn policy() -> Value {
    let keys = json!({ "secrets": [{ "kid": "1", "k": B64.encode(SECRET) }] });
    json!({
        "contract": "1",
        "issuers": [
            { "name": "platform", "issuer": "https://a.test", "audiences": ["api"], "algorithms": ["HS256"],
              "keys": keys, "claims": { "tenant": "/tenant" },
              "token_types": [{ "name": "access", "claim": { "kind": "access" } }] },
            { "name": "mesh", "issuer": "https://mesh.test", "audiences": ["api"], "algorithms": ["HS256"], "keys": keys },
        ],
        "credentials": [{ "header": "authorization", "scheme": "Bearer" },
            { "header": "x-service", "issuers": ["mesh"], "principal": "service" }],
        "rules": [
            { "path": "/open", "public": true },
            { "name": "orders", "path": ["/o", "/orders/{id}/**"], "require": { "tenant": { "fixed": "acme" } } },
            { "name": "both", "path": "/both", "require": {}, "principals": { "service": {} } },
        ],
        "forward": { "x-subject": "subject" },
    })
}

fn open(policy: &Value) -> Gate {
    Gate::open(policy.to_string().as_bytes(), 7).unwrap()
}

/// A good token with these claims; `null` takes one away.
fn token(claims: Value) -> String {
    let mut all = json!({ "iss": "https://a.test", "aud": "api", "exp": 1_700_000_060, "sub": "me",
        "kind": "access", "tenant": "acme" });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    all.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let header = B64.encode(r#"{"alg":"HS256","kid":"1"}"#);
    let input = format!("{header}.{}", B64.encode(all.to_string()));
    let mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    let mac = mac.chain_update(&input).finalize().into_bytes();
    format!("{input}.{}", B64.encode(mac))
}

fn ask(gate: &mut Gate, target: &str, user: &str, service: Option<&str>) -> bool {
    let user = format!("Bearer {user}");
    let mut headers = vec![(&b"authorization"[..], user.as_bytes())];
    headers.extend(service.map(|token| (&b"x-service"[..], token.as_bytes())));
    let request = Request {
        method: b"GET",
        authority: b"a.test",
        target: target.as_bytes(),
        headers: &headers,
        connection: Default::default(),
    };
    matches!(gate.check(&request, NOW_MS), Decision::Allow(_))
}

fn effects(gate: &mut Gate, target: &str, claims: Value) -> [u8; 32] {
    assert!(ask(gate, target, &token(claims), None), "{target}");
    gate.last_event(b"", true).effects.unwrap()
}

#[test]
fn an_event_has_the_rule_the_issuer_and_what_the_token_is() {
    let mut gate = open(&policy());
    assert_eq!(gate.last_event(b"key", true), Event::default());
    assert!(ask(&mut gate, "/orders/7/x?y=z", &token(json!({})), None));
    let event = gate.last_event(b"", false);
    let matched = MatchedRule {
        index: 1,
        name: Some("orders".into()),
        path: "/orders/{id}/**".into(),
    };
    let wanted = Event {
        rule: Some(matched),
        issuer: Some("platform".into()),
        token_type: Some("access".into()),
        remembered: Some(false),
        subject_ref: None,
        effects: None,
    };
    assert_eq!(event, wanted);
    assert!(ask(&mut gate, "/o", &token(json!({})), None));
    let event = gate.last_event(b"", false);
    assert_eq!(
        (event.remembered, &*event.rule.unwrap().path),
        (Some(true), "/o")
    );
}

#[test]
fn a_rule_without_a_name_has_its_index_and_its_pattern() {
    let mut gate = open(&policy());
    assert!(ask(&mut gate, "/open", "x", None));
    let event = gate.last_event(b"key", false);
    let rule = event.rule.as_ref().unwrap();
    assert_eq!((rule.index, &rule.name, &*rule.path), (0, &None, "/open"));
    let nothing = Event {
        rule: event.rule.clone(),
        ..Event::default()
    };
    assert_eq!(event, nothing, "a public rule reads no token");
    assert!(!ask(&mut gate, "/none", "x", None));
    assert_eq!(gate.last_event(b"key", true), Event::default());
}

#[test]
fn what_is_not_verified_is_not_told() {
    let mut gate = open(&policy());
    let good = token(json!({}));
    let (input, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", B64.encode([7; 32]));
    assert!(!ask(&mut gate, "/o", &forged, None));
    let event = gate.last_event(b"host key", true);
    assert_eq!(event.issuer.as_deref(), Some("platform"));
    let told = (
        event.token_type,
        event.remembered,
        event.subject_ref,
        event.effects,
    );
    assert_eq!(told, (None, None, None, None));
    assert!(!ask(&mut gate, "/o", "a.b.c", None));
    assert_eq!(gate.last_event(b"host key", true).issuer, None);
}

#[test]
fn a_denied_token_whose_signature_held_has_a_subject() {
    let mut gate = open(&policy());
    assert!(!ask(
        &mut gate,
        "/o",
        &token(json!({ "tenant": "globex" })),
        None
    ));
    let event = gate.last_event(b"host key", true);
    assert_eq!(event.token_type.as_deref(), Some("access"));
    assert!(event.subject_ref.is_some());
    assert_eq!(event.effects, None, "nothing goes to the backend");
}

#[test]
fn the_subject_is_an_hmac_under_the_key_of_the_host() {
    let mut gate = open(&policy());
    assert!(ask(&mut gate, "/o", &token(json!({})), None));
    let subject = |key: &[u8]| gate.last_event(key, false).subject_ref;
    assert_eq!(
        subject(b"host key").as_deref(),
        Some("c2e7d114ae37305946e4ff5290a50168")
    );
    assert_ne!(subject(b"another key"), subject(b"host key"));
    assert_eq!(subject(b""), None);
    assert!(ask(&mut gate, "/o", &token(json!({ "sub": null })), None));
    assert_eq!(gate.last_event(b"host key", false).subject_ref, None);
}

#[test]
fn a_check_of_a_token_has_no_rule() {
    let mut gate = open(&policy());
    let decision = gate.check_token(token(json!({})).as_bytes(), 0, false, NOW_MS);
    assert!(matches!(decision, Decision::Allow(_)));
    let event = gate.last_event(b"host key", true);
    assert_eq!(
        (event.rule, event.issuer.as_deref()),
        (None, Some("platform"))
    );
    assert!(event.subject_ref.is_some() && event.effects.is_some());
}

#[test]
fn the_token_beside_the_user_changes_nothing_but_the_effects() {
    let mut gate = open(&policy());
    let user = token(json!({}));
    let service = |sub: &str| token(json!({ "iss": "https://mesh.test", "sub": sub }));
    let mut both = |service: &str| {
        let allowed = ask(&mut gate, "/both", &user, Some(service));
        (allowed, gate.last_event(b"host key", true))
    };
    let (allowed, first) = both(&service("build"));
    assert!(allowed);
    assert_eq!(first.issuer.as_deref(), Some("platform"));
    assert_eq!(first.token_type.as_deref(), Some("access"));
    assert_eq!(
        first.subject_ref.as_deref(),
        Some("c2e7d114ae37305946e4ff5290a50168")
    );
    let (_, same) = both(&service("build"));
    assert_eq!(same.remembered, Some(true));
    assert_eq!(
        Event {
            remembered: Some(false),
            ..same
        },
        first
    );
    let (_, other) = both(&service("deploy"));
    assert_eq!(other.subject_ref, first.subject_ref);
    assert_ne!(other.effects, first.effects);
    // A denial for the service's token is still about the user's.
    let (allowed, denied) = both("a.b.c");
    assert!(!allowed);
    assert_eq!(denied.issuer.as_deref(), Some("platform"));
    assert_eq!(denied.subject_ref, first.subject_ref);
}

#[test]
fn equal_effects_mean_that_the_backend_sees_the_same() {
    let mut gate = open(&policy());
    let first = effects(&mut gate, "/o", json!({}));
    assert_eq!(effects(&mut gate, "/o", json!({})), first, "remembered");
    assert_eq!(
        effects(&mut gate, "/orders/7", json!({ "jti": "2" })),
        first,
        "another rule and token"
    );
    assert_ne!(effects(&mut gate, "/o", json!({ "sub": "you" })), first);
    // The same request, by another policy.
    let effects_by = |change: &dyn Fn(&mut Value)| {
        let mut policy = policy();
        change(&mut policy);
        effects(&mut open(&policy), "/o", json!({}))
    };
    assert_eq!(
        effects_by(&|policy| policy["realm"] = "other".into()),
        first
    );
    for change in [
        &(|policy: &mut Value| policy["forward"]["x-tenant"] = "tenant".into())
            as &dyn Fn(&mut Value),
        &|policy| policy["forward"] = json!({ "x-sub": "subject" }),
        &|policy| policy["strip_credential"] = true.into(),
        &|policy| policy["issuers"][0]["claims"] = json!({ "tenant": "/tenant", "roles": "/kind" }),
        &|policy| policy["issuers"][0]["name"] = "other".into(),
    ] {
        assert_ne!(effects_by(change), first);
    }
}

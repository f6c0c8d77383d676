//! Tests of introspection through the public API: what vectors cannot see, such
//! as tickets, places and what is printed.

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::{Code, Decision, Gate, Host, Need, Outcome, Outgoing, Verdict, policy_json};
use serde_json::{Value, json};

const NOW_MS: u64 = 1_700_000_000_000;
const SECRET: &str = "pass:word/ä";

fn policy(introspection: Value) -> Value {
    let mut members = json!({ "uri": "https://as.test/introspect", "prefix": ["opq_"],
        "client": { "id": "gate 1", "secret_from": "as" } });
    for (name, value) in introspection.as_object().unwrap() {
        members[name] = value.clone();
    }
    json!({ "contract": "1", "leeway_s": 0,
        "issuers": [{ "name": "as", "audiences": ["api"], "introspection": members }],
        "rules": [{ "path": "/**", "require": {} }] })
}

fn open(introspection: Value) -> Gate {
    let text = policy(introspection).to_string();
    let host = Host {
        seed: 1 << 20,
        secrets: &[("as", SECRET.as_bytes())],
        ..Host::default()
    };
    Gate::open_json(&policy_json(text.as_bytes()).unwrap(), host).unwrap()
}

fn check(gate: &mut Gate, token: &str, at: u64) -> Decision {
    gate.check_token(token.as_bytes(), 0, false, NOW_MS + at)
}

fn asked(decision: Decision) -> Outgoing {
    match decision {
        Decision::Wait(needs) => match needs.into_iter().next() {
            Some(Need::Request(request)) => request,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn code(decision: &Decision) -> Option<Code> {
    match decision {
        Decision::Deny(denial) => Some(denial.code),
        Decision::Allow(_) => None,
        other => panic!("{other:?}"),
    }
}

fn respond(gate: &mut Gate, ticket: u64, body: &str, at: u64) -> Option<String> {
    let outcome = Outcome::Response {
        status: 200,
        cache_control: "",
        length: body.len(),
        body: body.as_bytes().into(),
    };
    let problem = gate.respond(ticket, outcome, NOW_MS + at);
    problem.map(|problem| problem.message)
}

const ACTIVE: &str = r#"{"active":true,"sub":"me","aud":"api","exp":1700000600}"#;

#[test]
fn the_request_authenticates_the_client_and_shows_nothing() {
    let mut gate = open(json!({}));
    let decision = check(&mut gate, "opq_a+b/c=&é".trim_end_matches('é'), 0);
    let printed = format!("{decision:?} {decision:#?} {gate:?}");
    let request = asked(decision);
    assert_eq!(
        (request.method, &*request.uri),
        ("POST", "https://as.test/introspect")
    );
    let body = "token=opq_a%2Bb%2Fc%3D%26&token_type_hint=access_token";
    assert_eq!(String::from_utf8(request.body).unwrap(), body);
    let header = |wanted: &str| {
        let mut headers = request.headers.iter();
        headers
            .find(|(name, _)| &**name == wanted)
            .map(|(_, value)| value.to_string())
    };
    assert_eq!(
        header("content-type").unwrap(),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(header("accept").unwrap(), "application/json");
    let pair = BASE64_STANDARD.encode("gate%201:pass%3Aword%2F%C3%A4");
    assert_eq!(header("authorization").unwrap(), format!("Basic {pair}"));
    for secret in ["opq_a", "pass", &pair] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn a_gate_lists_where_it_asks() {
    let gate = open(json!({}));
    assert_eq!(gate.asks(), ["https://as.test/introspect"]);
    assert!(gate.documents().is_empty());
}

#[test]
fn a_client_in_the_body_sends_no_header() {
    let client = json!({ "id": "gate 1", "secret_from": "as", "method": "post" });
    let mut gate = open(json!({ "client": client }));
    let request = asked(check(&mut gate, "opq_1", 0));
    let body = "token=opq_1&token_type_hint=access_token&client_id=gate%201&client_secret=pass%3Aword%2F%C3%A4";
    assert_eq!(String::from_utf8(request.body).unwrap(), body);
    assert!(
        request
            .headers
            .iter()
            .all(|(name, _)| &**name != "authorization")
    );
}

#[test]
fn one_request_a_token_and_only_its_first_response_in_time_counts() {
    let mut gate = open(json!({}));
    let first = asked(check(&mut gate, "opq_1", 0));
    assert_eq!(asked(check(&mut gate, "opq_1", 5_000)), first);
    let other = asked(check(&mut gate, "opq_2", 5_000));
    assert_ne!(other.ticket, first.ticket);
    respond(&mut gate, first.ticket + 99, ACTIVE, 5_000);
    assert_eq!(asked(check(&mut gate, "opq_1", 5_000)), first);
    assert_eq!(
        respond(&mut gate, first.ticket, r#"{"active":false}"#, 5_000),
        None
    );
    respond(&mut gate, first.ticket, ACTIVE, 5_000);
    assert_eq!(
        code(&check(&mut gate, "opq_1", 5_000)),
        Some(Code::TokenInactive)
    );
    // The other question ends after ten seconds, and so does its answer.
    respond(&mut gate, other.ticket, ACTIVE, 15_000);
    assert_ne!(
        asked(check(&mut gate, "opq_2", 15_000)).ticket,
        other.ticket
    );
}

#[test]
fn a_lie_is_no_answer_and_the_host_hears_why() {
    let lies = [
        "<html>",
        "",
        "[]",
        "{}",
        r#"{"active":"true"}"#,
        r#"{"active":1}"#,
        r#"{"active":null}"#,
        r#"{"active":true,"active":true}"#,
        r#"{"active":true} {}"#,
        "eyJhbGciOiJub25lIn0.e30.",
    ];
    for lie in lies {
        let mut gate = open(json!({}));
        let request = asked(check(&mut gate, "opq_1", 0));
        let said = respond(&mut gate, request.ticket, lie, 0);
        assert!(said.is_some_and(|said| said.contains("answer")), "{lie}");
        let denied = check(&mut gate, "opq_1", 0);
        assert_eq!(code(&denied), Some(Code::IntrospectionUnavailable), "{lie}");
        // It is the token's failure, and for a second: others are asked about.
        asked(check(&mut gate, "opq_2", 0));
        asked(check(&mut gate, "opq_1", 1_000));
    }
}

#[test]
fn a_large_answer_and_one_in_parts_are_refused() {
    let mut gate = open(json!({}));
    let request = asked(check(&mut gate, "opq_1", 0));
    assert_eq!(request.max_bytes, 65_536);
    let large = format!("{ACTIVE}{}", " ".repeat(65_536 - ACTIVE.len() + 1));
    assert!(
        respond(&mut gate, request.ticket, &large, 0)
            .unwrap()
            .contains("65536")
    );
    let whole = asked(check(&mut gate, "opq_2", 0));
    assert_eq!(
        respond(&mut gate, whole.ticket, large.split_at(65_536).0, 0),
        None
    );
    assert_eq!(code(&check(&mut gate, "opq_2", 0)), None);
    let part = asked(check(&mut gate, "opq_3", 0));
    let outcome = Outcome::Response {
        status: 200,
        cache_control: "",
        length: ACTIVE.len() + 1,
        body: ACTIVE.as_bytes().into(),
    };
    assert!(gate.respond(part.ticket, outcome, NOW_MS).is_some());
}

/// Lets the requests about these tokens fail.
fn fail(gate: &mut Gate, tokens: &[&str], at: u64) {
    for token in tokens {
        let request = asked(check(gate, token, at));
        let problem = gate.respond(request.ticket, Outcome::Failed, NOW_MS + at);
        assert_eq!(problem.unwrap().code, "introspection_unusable");
    }
}

#[test]
fn a_server_that_is_down_is_not_asked_for_a_while() {
    let mut gate = open(json!({}));
    // One failure can be that of one token.
    fail(&mut gate, &["opq_a", "opq_b"], 0);
    let good = asked(check(&mut gate, "opq_good", 0));
    respond(&mut gate, good.ticket, ACTIVE, 0);
    fail(&mut gate, &["opq_c", "opq_d", "opq_e"], 0);
    let Decision::Deny(denied) = check(&mut gate, "opq_1", 999) else {
        panic!("denied")
    };
    let seen = (denied.code, denied.retry_after_s);
    assert_eq!(seen, (Code::IntrospectionUnavailable, Some(1)));
    fail(&mut gate, &["opq_f"], 1_000);
    let Decision::Deny(denied) = check(&mut gate, "opq_1", 1_000) else {
        panic!("denied")
    };
    assert_eq!(denied.retry_after_s, Some(2));
    // A clock that is set back ends the pause.
    asked(check(&mut gate, "opq_1", 500));
    let recovered = asked(check(&mut gate, "opq_5", 3_000));
    respond(&mut gate, recovered.ticket, ACTIVE, 3_000);
    assert_eq!(code(&check(&mut gate, "opq_5", 3_000)), None);
}

#[test]
fn a_slow_server_has_places_of_its_own_and_they_end() {
    let mut gate = open(json!({ "rate_per_s": 10_000 }));
    for n in 0..128 {
        asked(check(&mut gate, &format!("opq_{n}"), 0));
    }
    let denied = check(&mut gate, "opq_128", 9_999);
    assert_eq!(code(&denied), Some(Code::IntrospectionUnavailable));
    asked(check(&mut gate, "opq_128", 10_000));
}

#[test]
fn a_flood_of_new_tokens_stops_no_known_one() {
    let mut gate = open(json!({ "rate_per_s": 8, "cache_s": 60 }));
    let known = asked(check(&mut gate, "opq_known", 0));
    respond(&mut gate, known.ticket, ACTIVE, 0);
    let flood = |gate: &mut Gate, from: u32, at: u64| {
        let mut passed = 0;
        for n in 0..20 {
            let decision = check(gate, &format!("opq_{}", from + n), at);
            if let Decision::Wait(_) = decision {
                let ticket = asked(decision).ticket;
                respond(gate, ticket, r#"{"active":false}"#, at);
                passed += 1;
            } else {
                assert_eq!(code(&decision), Some(Code::IntrospectionUnavailable));
            }
        }
        passed
    };
    assert_eq!(flood(&mut gate, 0, 0), 5);
    // It is remembered, whatever the rate is.
    assert_eq!(code(&check(&mut gate, "opq_known", 59_999)), None);
    assert_eq!(flood(&mut gate, 100, 60_000), 6);
    // And when it is asked about again, a part of the rate is left for it.
    asked(check(&mut gate, "opq_known", 60_000));
}

#[test]
fn refused_tokens_are_bounded_in_number_and_bytes() {
    let mut gate = open(json!({ "rate_per_s": 10_000, "negative_cache_s": 3_600 }));
    let large = "x".repeat(16_000);
    for n in 0..100 {
        let token = format!("opq_{n}{large}");
        let request = asked(check(&mut gate, &token, 0));
        respond(&mut gate, request.ticket, r#"{"active":false}"#, 0);
        assert_eq!(
            code(&check(&mut gate, &token, 0)),
            Some(Code::TokenInactive)
        );
    }
    // The oldest are forgotten, the newest are not.
    asked(check(&mut gate, &format!("opq_0{large}"), 0));
    let last = check(&mut gate, &format!("opq_99{large}"), 0);
    assert_eq!(code(&last), Some(Code::TokenInactive));
}

#[test]
fn a_clock_that_is_set_back_makes_no_answer_last_longer() {
    let mut gate = open(json!({ "cache_s": 3_600 }));
    let request = asked(check(&mut gate, "opq_1", 10_000));
    respond(&mut gate, request.ticket, ACTIVE, 10_000);
    assert_eq!(code(&check(&mut gate, "opq_1", 10_000)), None);
    let again = asked(check(&mut gate, "opq_1", 9_999));
    respond(&mut gate, again.ticket, r#"{"active":false}"#, 9_999);
    // The older answer is forgotten, though its time has come again.
    let denied = check(&mut gate, "opq_1", 10_000);
    assert_eq!(code(&denied), Some(Code::TokenInactive));
}

#[test]
fn an_explanation_asks_nothing_and_says_what_is_known() {
    use countersign::Request;
    let mut gate = open(json!({}));
    let request = Request {
        method: b"GET",
        authority: b"a.test",
        target: b"/",
        headers: &[(b"authorization", b"Bearer opq_1")],
        connection: Default::default(),
    };
    let last = |gate: &Gate, at: u64| {
        let steps = gate.explain(&request, NOW_MS + at);
        let step = steps.iter().find(|step| step.check == "introspection");
        step.map(|step| step.verdict)
    };
    assert_eq!(last(&gate, 0), Some(Verdict::Wait));
    // The explanation has taken nothing of the rate and opened no question.
    let asked = asked(gate.check(&request, NOW_MS));
    assert_eq!(last(&gate, 0), Some(Verdict::Wait));
    respond(&mut gate, asked.ticket, ACTIVE, 0);
    let before = gate.check(&request, NOW_MS);
    assert_eq!(last(&gate, 0), Some(Verdict::Pass));
    assert_eq!(gate.check(&request, NOW_MS), before);
    assert_eq!(last(&gate, 60_000), Some(Verdict::Wait));
    let again = match gate.check(&request, NOW_MS + 60_000) {
        Decision::Wait(needs) => match &needs[0] {
            Need::Request(request) => request.ticket,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    respond(&mut gate, again, r#"{"active":false}"#, 60_000);
    let inactive = Some(Verdict::Fail(Code::TokenInactive));
    assert_eq!(last(&gate, 60_000), inactive);
}

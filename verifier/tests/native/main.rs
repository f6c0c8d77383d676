//! Tests of gates whose signatures the host verifies. Here the test is the host:
//! it says what it likes about a signature, so that none has to be made.

mod keys;
mod tickets;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use countersign::{
    Algorithm, Code, Decision, Gate, Host, Native, Need, Outcome, Request, Signature, Supplied,
    Verdict,
    Verification::{self, Failed, Invalid, Valid},
    policy_json,
};
use serde_json::{Value, json};

pub(crate) const NOW_MS: u64 = 1_700_000_000_000;
pub(crate) const JWKS: &str = "https://a.test/jwks";

/// Opens a gate for a host that verifies every algorithm.
pub(crate) fn open(policy: &Value) -> Gate {
    open_for(policy, 1 << 20, Algorithm::ALL)
}

pub(crate) fn open_for(policy: &Value, seed: u64, algorithms: &[Algorithm]) -> Gate {
    let native = Native {
        fips: false,
        algorithms: algorithms.into(),
    };
    let text = policy.to_string();
    let policy = policy_json(text.as_bytes()).unwrap();
    let host = Host {
        seed,
        native: Some(native),
        ..Host::default()
    };
    Gate::open_json(&policy, host).unwrap()
}

/// A policy with one issuer: these algorithms and keys.
pub(crate) fn policy(algorithms: &[&str], keys: Value) -> Value {
    json!({ "contract": "1",
        "issuers": [{ "name": "a", "issuer": "https://a.test", "audiences": "any",
            "algorithms": algorithms, "keys": keys }],
        "rules": [{ "path": "/**", "require": {} }] })
}

/// Secrets of these `kid`s; an empty one is none.
pub(crate) fn secrets(kids: &[&str]) -> Value {
    let secret = |(n, kid): (u8, &&str)| match kid.is_empty() {
        true => json!({ "k": B64.encode([n; 32]) }),
        false => json!({ "k": B64.encode([n; 32]), "kid": kid }),
    };
    json!({ "secrets": (1..).zip(kids).map(secret).collect::<Vec<_>>() })
}

pub(crate) fn hmac_policy(kids: &[&str]) -> Value {
    policy(&["HS256"], secrets(kids))
}

/// A token with this subject, header members after `alg`, and signature.
pub(crate) fn signed(algorithm: &str, rest: &str, subject: &str, signature: &[u8]) -> String {
    let header = B64.encode(format!(r#"{{"alg":"{algorithm}"{rest}}}"#));
    let claims = format!(r#"{{"iss":"https://a.test","exp":1700000600,"sub":"{subject}"}}"#);
    format!("{header}.{}.{}", B64.encode(claims), B64.encode(signature))
}

/// A token without `kid` whose signature is 32 bytes.
pub(crate) fn token(subject: &str) -> String {
    signed("HS256", "", subject, &[0; 32])
}

pub(crate) fn check(gate: &mut Gate, token: &str) -> Decision {
    gate.check_token(token.as_bytes(), 0, false, NOW_MS)
}

/// The signatures that a decision waits for; none if it is decided.
pub(crate) fn asked(decision: Decision) -> Vec<Signature> {
    let Decision::Wait(needs) = decision else {
        return Vec::new();
    };
    let signature = |need| match need {
        Need::Signature(signature) => signature,
        other => panic!("{other:?}"),
    };
    needs.into_iter().map(signature).collect()
}

/// Decides as a host does: it answers every question by `verify`, and checks
/// again until there is none. Returns the decision and the questions.
pub(crate) fn decide(
    gate: &mut Gate,
    token: &str,
    mut verify: impl FnMut(&Signature) -> Verification,
) -> (Decision, Vec<Signature>) {
    let mut all = Vec::new();
    loop {
        let decision = check(gate, token);
        let questions = asked(decision.clone());
        if questions.is_empty() {
            return (decision, all);
        }
        for question in questions {
            gate.verified(question.ticket, verify(&question));
            all.push(question);
        }
    }
}

pub(crate) fn code(decision: &Decision) -> Option<Code> {
    match decision {
        Decision::Deny(denial) => Some(denial.code),
        Decision::Allow(_) => None,
        other => panic!("{other:?}"),
    }
}

fn subject(decision: &Decision) -> Option<&str> {
    match decision {
        Decision::Allow(grant) => grant.principal.as_ref()?.subject.as_deref(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_question_has_the_signed_bytes_and_its_answer_decides() {
    let mut gate = open(&hmac_policy(&["1"]));
    let token = signed("HS256", r#","kid":"1""#, "me", &[7; 32]);
    let [question] = &*asked(check(&mut gate, &token)) else {
        panic!("one question")
    };
    assert_eq!(question.algorithm, Algorithm::HS256);
    let (input, _) = token.rsplit_once('.').unwrap();
    assert_eq!(&*question.signed, input.as_bytes());
    assert_eq!(*question.signature, [7; 32]);
    gate.verified(question.ticket, Valid);
    assert_eq!(subject(&check(&mut gate, &token)), Some("me"));
}

#[test]
fn nothing_that_is_printed_shows_the_token() {
    let mut gate = open(&hmac_policy(&[""]));
    let token = token("sub-0815");
    let decision = check(&mut gate, &token);
    let printed = format!("{decision:?} {decision:#?} {gate:?}");
    assert!(!printed.contains(token.split('.').nth(1).unwrap()) && !printed.contains("signed"));
}

#[test]
fn the_first_candidate_that_verifies_counts_whatever_the_order_of_answers() {
    // One question for each of the first four keys, as without a host.
    let mut gate = open(&hmac_policy(&["1", "2", "3", "4", "5"]));
    let questions = asked(check(&mut gate, &token("me")));
    assert_eq!(questions.len(), 4);
    for question in questions.iter().rev() {
        let is_good = question.ticket != questions[0].ticket;
        gate.verified(question.ticket, if is_good { Valid } else { Invalid });
    }
    assert_eq!(code(&check(&mut gate, &token("me"))), None);

    // The second key is known to be good: that the first is not answered still
    // counts.
    let token = token("you");
    let questions = asked(check(&mut gate, &token));
    gate.verified(questions[1].ticket, Valid);
    let again = asked(check(&mut gate, &token));
    assert_eq!(again.len(), 3, "all but the answered one");
    assert!(again.iter().all(|other| other.key != questions[1].key));
    assert_eq!(again[0].key, questions[0].key);
}

#[test]
fn without_a_good_key_the_code_is_that_of_the_module() {
    let mut gate = open(&hmac_policy(&["1", "2"]));
    let (decision, questions) = decide(&mut gate, &token("me"), |_| Invalid);
    assert_eq!(code(&decision), Some(Code::SignatureInvalid));
    assert_eq!(questions.len(), 2);
    let mut gate = open(&hmac_policy(&["1", "2", "3", "4", "5"]));
    let (decision, questions) = decide(&mut gate, &token("me"), |_| Invalid);
    assert_eq!(code(&decision), Some(Code::KeyUnknown));
    assert_eq!(questions.len(), 4);
}

#[test]
fn invalid_denies_this_request_and_is_asked_again_for_the_next() {
    let mut gate = open(&hmac_policy(&[""]));
    for _ in 0..3 {
        let (decision, questions) = decide(&mut gate, &token("me"), |_| Invalid);
        assert_eq!(code(&decision), Some(Code::SignatureInvalid));
        assert_eq!(questions.len(), 1);
    }
    let (decision, _) = decide(&mut gate, &token("me"), |_| Valid);
    assert_eq!(code(&decision), None);
}

#[test]
fn failed_is_an_internal_error_even_if_another_key_is_good() {
    let mut gate = open(&hmac_policy(&["1", "2"]));
    let mut first = true;
    let (decision, _) = decide(&mut gate, &token("me"), |_| {
        if std::mem::take(&mut first) {
            Failed
        } else {
            Valid
        }
    });
    assert_eq!(code(&decision), Some(Code::InternalError));
    let (decision, questions) = decide(&mut gate, &token("me"), |_| Valid);
    assert_eq!((code(&decision), questions.len()), (None, 2));
}

#[test]
fn a_remembered_token_is_asked_about_once_and_a_forgotten_one_each_time() {
    let mut gate = open(&hmac_policy(&[""]));
    assert_eq!(decide(&mut gate, &token("me"), |_| Valid).1.len(), 1);
    assert_eq!(decide(&mut gate, &token("me"), |_| Failed).1.len(), 0);

    let mut forgetful = hmac_policy(&[""]);
    forgetful["remember"] = false.into();
    let mut gate = open(&forgetful);
    for _ in 0..3 {
        let (decision, questions) = decide(&mut gate, &token("me"), |_| Valid);
        assert_eq!((code(&decision), questions.len()), (None, 1));
    }
}

#[test]
fn of_several_cookies_each_is_asked_about_in_its_turn() {
    let mut policy = hmac_policy(&[""]);
    policy["credentials"] = json!([{ "cookie": "session" }]);
    policy["several"] = "first".into();
    policy["strip_credential"] = true.into();
    let mut gate = open(&policy);
    let cookie = ["one", "two", "three"].map(|subject| format!("session={}", token(subject)));
    let cookies = cookie.join("; ");
    let headers = [(&b"cookie"[..], cookies.as_bytes())];
    let request = get(&headers);
    let mut seen = Vec::new();
    for answer in [Invalid, Valid] {
        let questions = asked(gate.check(&request, NOW_MS));
        assert_eq!(questions.len(), 1);
        seen.push(questions[0].signed.clone());
        gate.verified(questions[0].ticket, answer);
    }
    assert_ne!(seen[0], seen[1]);
    assert_eq!(subject(&gate.check(&request, NOW_MS)), Some("two"));

    // The verdict on the first was not remembered; that on the second was.
    let questions = asked(gate.check(&request, NOW_MS));
    assert_eq!(questions[0].signed, seen[0]);
    gate.verified(questions[0].ticket, Failed);
    assert_eq!(
        code(&gate.check(&request, NOW_MS)),
        Some(Code::InternalError)
    );
}

#[test]
fn each_principal_is_asked_about() {
    let mut policy = hmac_policy(&[""]);
    policy["credentials"] = json!([{ "header": "authorization", "scheme": "Bearer" },
        { "header": "x-service", "issuers": ["mesh"], "principal": "service" }]);
    policy["rules"] = json!([{ "path": "/", "require": {}, "principals": { "service": {} } }]);
    let mut mesh = policy["issuers"][0].clone();
    mesh["name"] = "mesh".into();
    mesh["issuer"] = "https://mesh.test".into();
    policy["issuers"].as_array_mut().unwrap().push(mesh);
    let mut gate = open(&policy);
    let user = format!("Bearer {}", token("me"));
    let service = token("build").replace(
        &B64.encode(r#"{"iss":"https://a.test","exp":1700000600,"sub":"build"}"#),
        &B64.encode(r#"{"iss":"https://mesh.test","exp":1700000600,"sub":"build"}"#),
    );
    let headers = [
        (&b"authorization"[..], user.as_bytes()),
        (&b"x-service"[..], service.as_bytes()),
    ];
    let request = get(&headers);
    for _ in 0..2 {
        let questions = asked(gate.check(&request, NOW_MS));
        assert_eq!(questions.len(), 1);
        gate.verified(questions[0].ticket, Valid);
    }
    let decision = gate.check(&request, NOW_MS);
    assert_eq!(subject(&decision), Some("me"));
    let Decision::Allow(grant) = decision else {
        panic!("a grant")
    };
    assert_eq!(grant.others.len(), 1);
}

#[test]
fn an_explanation_waits_for_the_signature_and_changes_nothing() {
    let mut gate = open(&hmac_policy(&["1", "2"]));
    let value = format!("Bearer {}", token("me"));
    let headers = [(&b"authorization"[..], value.as_bytes())];
    let last = |gate: &Gate| {
        let step = gate.explain(&get(&headers), NOW_MS).pop().unwrap();
        (step.check, step.verdict)
    };
    assert_eq!(last(&gate), ("signature", Verdict::Wait));
    let questions = asked(check(&mut gate, &token("me")));
    assert_eq!(questions.len(), 2);
    gate.verified(questions[0].ticket, Invalid);
    gate.verified(questions[1].ticket, Valid);
    assert_eq!(
        last(&gate),
        ("signature", Verdict::Wait),
        "an answer is for the check that asked"
    );
    assert_eq!(code(&check(&mut gate, &token("me"))), None);
    // It is remembered, with the second key.
    assert_ne!(last(&gate).1, Verdict::Wait);
}

pub(crate) fn get<'r>(headers: &'r [(&'r [u8], &'r [u8])]) -> Request<'r> {
    Request {
        method: b"GET",
        authority: b"a.test",
        target: b"/",
        headers,
        connection: Default::default(),
    }
}

/// Supplies a key document that is accepted.
pub(crate) fn supply(gate: &mut Gate, keys: &[Value]) {
    let body = json!({ "keys": keys }).to_string();
    let outcome = Outcome::Response {
        status: 200,
        cache_control: "",
        length: body.len(),
        body: body.into_bytes().into(),
    };
    let supplied = gate.supply(0, JWKS, outcome, NOW_MS);
    assert!(
        matches!(supplied, Supplied::Accepted { .. }),
        "{supplied:?}"
    );
}

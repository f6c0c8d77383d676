//! The gate through its public API, with shared secrets: signatures of every
//! other kind are the conformance corpus' matter.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use countersign::{Code, Decision, Gate, Request, Verdict};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const NOW_MS: u64 = 1_700_000_000_000;
const SECRET: &[u8] = b"an HMAC secret that tests may use";

fn policy() -> String {
    format!(
        r#"{{ "contract": "1", "issuers": [{{ "name": "platform", "issuer": "https://a.test",
            "audiences": ["api"], "algorithms": ["HS256"], "keys": {{ "secrets": [{{ "kid": "1", "k": "{}" }}] }},
            "claims": {{ "tenant": "/tenant_id" }} }}],
          "rules": [{{ "path": "/open", "public": true }},
            {{ "path": "/maybe", "optional": true }},
            {{ "path": "/orgs/{{org}}/**", "require": {{ "tenant": "{{org}}", "scopes": ["read"] }} }}],
          "forward": {{ "x-subject": "subject" }} }}"#,
        B64.encode(SECRET)
    )
}

fn token(claims: &str) -> String {
    let input = format!(
        "{}.{}",
        B64.encode(r#"{"alg":"HS256","kid":"1"}"#),
        B64.encode(claims)
    );
    let mac = Hmac::<Sha256>::new_from_slice(SECRET)
        .unwrap()
        .chain_update(&input);
    format!("{input}.{}", B64.encode(mac.finalize().into_bytes()))
}

fn good_token() -> String {
    let claims = r#"{"iss":"https://a.test","aud":"api","exp":1700000060,"sub":"me","tenant_id":"acme","scope":"read"}"#;
    token(claims)
}

fn check(gate: &mut Gate, target: &str, token: Option<&str>) -> Decision {
    let value = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = value
        .iter()
        .map(|value| (&b"authorization"[..], value.as_bytes()))
        .collect();
    let request = Request {
        method: b"GET",
        authority: b"a.test",
        target: target.as_bytes(),
        headers: &headers,
    };
    let decision = gate.check(&request, NOW_MS);
    let last = gate.explain(&request, NOW_MS).pop().unwrap();
    match &decision {
        Decision::Deny(denial) => assert_eq!(last.verdict, Verdict::Fail(denial.code)),
        Decision::Allow(_) => assert!(matches!(last.verdict, Verdict::Pass | Verdict::Skip)),
        Decision::Wait(_) => assert_eq!(last.verdict, Verdict::Wait),
    }
    decision
}

fn code(decision: Decision) -> Option<Code> {
    match decision {
        Decision::Deny(denial) => Some(denial.code),
        _ => None,
    }
}

#[test]
fn a_good_token_passes_fresh_and_remembered_with_the_same_grant() {
    let mut gate = Gate::open(policy().as_bytes(), 7).unwrap();
    let first = check(&mut gate, "/orgs/acme/x", Some(&good_token()));
    let Decision::Allow(grant) = &first else {
        panic!("{first:?}")
    };
    assert_eq!(*grant.set_headers, [("x-subject".into(), "me".into())]);
    assert_eq!(*grant.remove_headers, ["x-subject".into()]);
    assert_eq!(check(&mut gate, "/orgs/acme/x", Some(&good_token())), first);
}

#[test]
fn each_check_answers_with_its_code() {
    let mut gate = Gate::open(policy().as_bytes(), 0).unwrap();
    let good = good_token();
    let mut denied = |target: &str, token: Option<&str>| code(check(&mut gate, target, token));
    assert_eq!(denied("/open", None), None);
    assert_eq!(denied("/open", Some("nonsense")), None);
    assert_eq!(denied("/maybe", None), None);
    assert_eq!(
        denied("/maybe", Some("nonsense")),
        Some(Code::TokenMalformed)
    );
    assert_eq!(denied("/orgs/acme", None), Some(Code::TokenMissing));
    assert_eq!(denied("/orgs/other", Some(&good)), Some(Code::TenantDenied));
    assert_eq!(denied("/nowhere", Some(&good)), Some(Code::RuleDenied));
    assert_eq!(
        denied("/orgs/../acme", Some(&good)),
        Some(Code::RequestAmbiguous)
    );
    let mut forged = good.clone();
    let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
    forged.push(last);
    assert_eq!(
        denied("/orgs/acme", Some(&forged)),
        Some(Code::SignatureInvalid)
    );
    let expired = token(r#"{"iss":"https://a.test","aud":"api","exp":1699999970}"#);
    assert_eq!(
        denied("/orgs/acme", Some(&expired)),
        Some(Code::TokenExpired)
    );
}

#[test]
fn a_requirement_is_prepared_once_and_an_unknown_number_denies() {
    let mut gate = Gate::open(policy().as_bytes(), 0).unwrap();
    let number = gate.prepare(br#"{ "scopes": ["write"] }"#).unwrap();
    assert_eq!(gate.prepare(br#"{ "scopes": ["write"] }"#).unwrap(), number);
    let good = good_token();
    assert_eq!(code(gate.check_token(good.as_bytes(), 0, NOW_MS)), None);
    assert_eq!(
        code(gate.check_token(good.as_bytes(), number, NOW_MS)),
        Some(Code::ScopeInsufficient)
    );
    assert_eq!(
        code(gate.check_token(good.as_bytes(), 99, NOW_MS)),
        Some(Code::InternalError)
    );
    assert_eq!(
        code(gate.check_token(b"", 0, NOW_MS)),
        Some(Code::TokenMissing)
    );
}

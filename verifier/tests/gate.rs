//! Tests of the gate through its public API, with HMAC tokens. The conformance
//! corpus tests the other signature algorithms.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use countersign::{
    Algorithm, Code, Decision, Gate, Host, Native, Need, Outcome, Request, Severity, Supplied,
    Verdict, Verification,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
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

fn policy_value() -> Value {
    serde_json::from_str(&policy()).unwrap()
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

fn valid_token() -> String {
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
        connection: Default::default(),
    };
    let decision = gate.check(&request, NOW_MS);
    let last = gate.explain(&request, NOW_MS).pop().unwrap();
    match &decision {
        Decision::Deny(denial) => assert_eq!(last.verdict, Verdict::Fail(denial.code)),
        Decision::Allow(_) => assert!(matches!(last.verdict, Verdict::Pass | Verdict::Skip)),
        Decision::Wait(_) => assert_eq!(last.verdict, Verdict::Wait),
        Decision::Answer(_) => assert_eq!(last.verdict, Verdict::Skip),
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
fn a_valid_token_has_the_same_grant_new_and_remembered() {
    let mut gate = Gate::open(policy().as_bytes(), 7).unwrap();
    let first = check(&mut gate, "/orgs/acme/x", Some(&valid_token()));
    let Decision::Allow(grant) = &first else {
        panic!("{first:?}")
    };
    assert_eq!(*grant.set_headers, [("x-subject".into(), "me".into())]);
    assert_eq!(*grant.remove_headers, ["x-subject".into()]);
    assert_eq!(
        check(&mut gate, "/orgs/acme/x", Some(&valid_token())),
        first
    );
}

#[test]
fn a_denial_names_the_principal_and_a_grant_says_what_each_is() {
    let policy = policy()
        .replace(
            r#""rules": ["#,
            r#""credentials": [{ "header": "authorization", "scheme": "Bearer" },
                { "header": "x-service", "issuers": ["mesh"], "principal": "service" }],
              "rules": [{ "path": "/both", "require": {}, "principals": { "service": {} } },"#,
        )
        .replace(
            r#""claims": { "tenant": "/tenant_id" } }],"#,
            &format!(
                r#""claims": {{ "tenant": "/tenant_id" }} }},
                {{ "name": "mesh", "issuer": "https://mesh.test", "audiences": ["api"],
                  "algorithms": ["HS256"], "keys": {{ "secrets": [{{ "kid": "1", "k": "{}" }}] }} }}],"#,
                B64.encode(SECRET)
            ),
        );
    let mut gate = Gate::open(policy.as_bytes(), 0).unwrap();
    let user = format!("Bearer {}", valid_token());
    let mut ask = |service: Option<&str>| {
        let claims = |sub: &str| {
            format!(r#"{{"iss":"https://mesh.test","aud":"api","exp":1700000060,"sub":"{sub}"}}"#)
        };
        let service = service.map(|sub| token(&claims(sub)));
        let mut headers = vec![(&b"authorization"[..], user.as_bytes())];
        headers.extend(
            service
                .iter()
                .map(|token| (&b"x-service"[..], token.as_bytes())),
        );
        let request = Request {
            method: b"GET",
            authority: b"a.test",
            target: b"/both",
            headers: &headers,
            connection: Default::default(),
        };
        let steps = gate.explain(&request, NOW_MS);
        (gate.check(&request, NOW_MS), steps)
    };
    let (Decision::Deny(denial), steps) = ask(None) else {
        panic!("a principal has no token")
    };
    assert_eq!(denial.code, Code::TokenMissing);
    assert_eq!(denial.principal.as_deref(), Some("service"));
    assert!(steps.last().unwrap().detail.starts_with("service: "));

    let (Decision::Allow(first), _) = ask(Some("build")) else {
        panic!("both have a good token")
    };
    assert_eq!(first.principal.unwrap().subject.as_deref(), Some("me"));
    let [other] = &*first.others else {
        panic!("one more principal")
    };
    assert_eq!(
        (&*other.name, other.principal.subject.as_deref()),
        ("service", Some("build"))
    );
    assert_ne!(other.number, first.number);

    // Another service's token does not change the user's number.
    let (Decision::Allow(second), _) = ask(Some("deploy")) else {
        panic!("both have a good token")
    };
    assert_eq!(second.number, first.number);
    assert_ne!(second.others, first.others);
}

#[test]
fn each_check_denies_with_its_code() {
    let mut gate = Gate::open(policy().as_bytes(), 0).unwrap();
    let good = valid_token();
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
    let good = valid_token();
    assert_eq!(
        code(gate.check_token(good.as_bytes(), 0, false, NOW_MS)),
        None
    );
    assert_eq!(
        code(gate.check_token(good.as_bytes(), number, false, NOW_MS)),
        Some(Code::ScopeInsufficient)
    );
    assert_eq!(
        code(gate.check_token(good.as_bytes(), 99, false, NOW_MS)),
        Some(Code::InternalError)
    );
    assert_eq!(
        code(gate.check_token(b"", 0, false, NOW_MS)),
        Some(Code::TokenMissing)
    );
}

#[test]
fn the_least_recently_used_requirement_is_dropped() {
    let mut gate = Gate::open(policy().as_bytes(), 0).unwrap();
    let good = valid_token();
    let text = |n: u32| format!(r#"{{ "scopes": ["s{n}"] }}"#);
    let numbers: Vec<u32> = (0..1_024)
        .map(|n| gate.prepare(text(n).as_bytes()).unwrap())
        .collect();
    gate.check_token(good.as_bytes(), numbers[0], false, NOW_MS);
    let read = gate.prepare(br#"{ "scopes": ["read"] }"#).unwrap();
    let mut denied = |number| code(gate.check_token(good.as_bytes(), number, false, NOW_MS));
    assert_eq!(denied(read), None);
    assert_eq!(denied(numbers[0]), Some(Code::ScopeInsufficient));
    assert_eq!(
        denied(numbers[1]),
        Some(Code::InternalError),
        "it was forgotten, and its number names no other"
    );
    let again = gate.prepare(text(1).as_bytes()).unwrap();
    assert_ne!(again, numbers[1]);
    assert_eq!(
        code(gate.check_token(good.as_bytes(), again, false, NOW_MS)),
        Some(Code::ScopeInsufficient)
    );
}

#[test]
fn debug_output_contains_no_secret_no_token_and_no_claim() {
    let mut gate = Gate::open(policy().as_bytes(), 0).unwrap();
    let token = token(
        r#"{"iss":"https://a.test","aud":"api","exp":1700000060,"sub":"sub-0815","tenant_id":"acme","scope":"read","email":"me@example.com"}"#,
    );
    let decision = check(&mut gate, "/orgs/acme/x", Some(&token));
    let printed = format!("{gate:?} {decision:?} {gate:#?} {decision:#?}");
    let payload = token.split('.').nth(1).unwrap();
    let secret = B64.encode(SECRET);
    for hidden in ["sub-0815", "me@example.com", payload, &secret] {
        assert!(!printed.contains(hidden), "{hidden}: {printed}");
    }
}

#[test]
fn an_explanation_shows_no_query() {
    let gate = Gate::open(policy().as_bytes(), 0).unwrap();
    let request = Request {
        method: b"GET",
        authority: b"a.test",
        target: b"/open?access_token=secret-0815",
        headers: &[],
        connection: Default::default(),
    };
    let steps = gate.explain(&request, NOW_MS);
    assert!(steps.iter().any(|step| step.detail.contains("/open")));
    assert!(
        steps
            .iter()
            .all(|step| !step.detail.contains("secret-0815"))
    );
}

/// Returns a gate with a revocation document, and its source.
fn gate_with_revocations() -> (Gate, u32) {
    let policy = policy().replace(
        r#""claims": { "tenant""#,
        r#""revocations": { "uri": "https://a.test/revoked" }, "claims": { "tenant""#,
    );
    let mut gate = Gate::open(policy.as_bytes(), 0).unwrap();
    let source = gate.due(NOW_MS)[0].source;
    (gate, source)
}

#[test]
fn the_old_document_is_in_force_until_the_new_one_is_read_completely() {
    let (mut gate, source) = gate_with_revocations();
    let good = valid_token();
    let supply = |gate: &mut Gate, body: String| {
        let outcome = Outcome::Response {
            status: 200,
            cache_control: "",
            length: body.len(),
            body: body.into_bytes().into(),
        };
        gate.supply(source, "https://a.test/revoked", outcome, NOW_MS)
    };
    let accepted = |used| Supplied::Accepted {
        used,
        skipped: Vec::new(),
    };
    let list = |last: &str| {
        let entries: Vec<String> = (0..50_000).map(|n| format!(r#""token-{n}""#)).collect();
        format!(r#"{{"jti":[{}],"sub":[{last}]}}"#, entries.join(","))
    };
    let mut slices = 0;
    let mut supplied = supply(&mut gate, list(r#"{"sub":"me"}"#));
    while supplied == Supplied::Unfinished {
        slices += 1;
        let decision = check(&mut gate, "/orgs/acme/x", Some(&good));
        assert_eq!(code(decision), None, "after {slices} slices");
        supplied = gate.resume(source, &[], NOW_MS);
    }
    assert_eq!(supplied, accepted(50_001));
    assert!(slices > 3, "it was read in too few slices");
    let revoked = check(&mut gate, "/orgs/acme/x", Some(&good));
    assert_eq!(code(revoked), Some(Code::TokenRevoked));

    // A document with a fault at its end changes nothing.
    let mut supplied = supply(&mut gate, list("1"));
    while supplied == Supplied::Unfinished {
        supplied = gate.resume(source, &[], NOW_MS);
    }
    let Supplied::Refused(problem) = supplied else {
        panic!("{supplied:?}")
    };
    assert_eq!(problem.pointer, "/sub/0");
    let revoked = check(&mut gate, "/orgs/acme/x", Some(&good));
    assert_eq!(code(revoked), Some(Code::TokenRevoked));

    // A newer response replaces the one that is being read.
    assert_eq!(
        supply(&mut gate, list(r#"{"sub":"me"}"#)),
        Supplied::Unfinished
    );
    assert_eq!(supply(&mut gate, "{}".into()), accepted(0));
    assert!(matches!(
        gate.resume(source, &[], NOW_MS),
        Supplied::Refused(_)
    ));
    let decision = check(&mut gate, "/orgs/acme/x", Some(&good));
    assert_eq!(code(decision), None);
}

#[test]
fn a_body_can_arrive_in_parts() {
    let (mut gate, source) = gate_with_revocations();
    let mut read = |length: usize, parts: &[&str]| {
        let outcome = Outcome::Response {
            status: 200,
            cache_control: "",
            length,
            body: parts[0].as_bytes().into(),
        };
        let mut supplied = gate.supply(source, "https://a.test/revoked", outcome, NOW_MS);
        for part in &parts[1..] {
            assert_eq!(supplied, Supplied::Unfinished, "before {part}");
            supplied = gate.resume(source, part.as_bytes(), NOW_MS);
        }
        match supplied {
            Supplied::Refused(problem) => problem.code,
            Supplied::Accepted { .. } => "",
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(13, &[r#"{"jt"#, r#"i":["a""#, "]}"]), "");
    assert_eq!(read(14, &["", r#"{"jti":["a"]} "#]), "");
    // A body of another length than announced is refused, and no document is
    // left unfinished.
    assert_eq!(read(14, &[r#"{"jti":["a"]}"#, ""]), "document_length");
    assert_eq!(read(14, &[r#"{"jti":["a"]}"#, "]}"]), "document_length");
    assert_eq!(read(13, &[r#"{"jti":["a"]}}"#]), "document_length");
    assert_eq!(read((32 << 20) + 1, &["{"]), "document_too_large");
    let late = gate.resume(source, b"}", NOW_MS);
    assert!(matches!(late, Supplied::Refused(_)), "{late:?}");
}

#[test]
fn half_a_million_entries_are_read_and_one_more_is_refused() {
    let (mut gate, source) = gate_with_revocations();
    let mut read = |entries: usize| {
        let body = format!(r#"{{"jti":[{}"a\u0062c"]}}"#, r#""x","#.repeat(entries - 1));
        let outcome = Outcome::Response {
            status: 200,
            cache_control: "",
            length: body.len(),
            body: body.into_bytes().into(),
        };
        let mut supplied = gate.supply(source, "https://a.test/revoked", outcome, NOW_MS);
        while supplied == Supplied::Unfinished {
            supplied = gate.resume(source, &[], NOW_MS);
        }
        supplied
    };
    assert!(matches!(read(500_000), Supplied::Accepted { .. }));
    assert!(matches!(read(500_001), Supplied::Refused(_)));
}

#[test]
fn an_explanation_says_that_an_encoded_slash_is_in_the_path() {
    let mut policy = policy_value();
    policy["rules"] = json!([
        { "path": "/kept/{name}", "encoded_slash": "keep", "public": true },
        { "path": "/other/**", "public": true },
    ]);
    let gate = Gate::open(policy.to_string().as_bytes(), 0).unwrap();
    let said = |target: &str| {
        let request = Request {
            method: b"GET",
            authority: b"a.test",
            target: target.as_bytes(),
            headers: &[],
            connection: Default::default(),
        };
        let steps = gate.explain(&request, NOW_MS);
        let rule = steps.into_iter().find(|step| step.check == "rule");
        rule.unwrap().detail
    };
    assert_eq!(said("/kept/a%2fb"), "`%2f` in the path: /rules/0");
    assert_eq!(said("/other/a%2fb"), "`%2f` in the path: /rules/1");
}

#[test]
fn a_metadata_document_has_at_most_16_kib() {
    let open = |length: usize| {
        let mut policy = policy_value();
        policy["challenge"] = json!({ "resource_metadata": {
            "resource": "https://a.test",
            "resource_name": "n".repeat(length),
        } });
        Gate::open(policy.to_string().as_bytes(), 0).map(drop)
    };
    let frame = r#"{"resource":"https://a.test","resource_name":""}"#.len();
    assert!(open(16_384 - frame).is_ok());
    let problems = open(16_385 - frame).unwrap_err();
    let error = problems.iter().find(|p| p.severity == Severity::Error);
    assert_eq!(error.unwrap().pointer, "/challenge/resource_metadata");
}

fn several() -> String {
    policy()
        .replace(r#""tenant": "/tenant_id""#, r#""tenants": "/orgs""#)
        .replace(
            r#""forward": {"#,
            r#""forward": { "x-tenant": "tenant", "x-tenants": "tenants","#,
        )
}

#[test]
fn each_tenant_of_a_token_has_its_own_number_and_headers() {
    let mut gate = Gate::open(several().as_bytes(), 3).unwrap();
    let token = token(
        r#"{"iss":"https://a.test","aud":"api","exp":1700000060,"sub":"me","orgs":["acme","globex"],"scope":"read"}"#,
    );
    let mut grant = |target: &str| match check(&mut gate, target, Some(&token)) {
        Decision::Allow(grant) => grant,
        other => panic!("{other:?}"),
    };
    let acme = grant("/orgs/acme/x");
    let globex = grant("/orgs/globex/x");
    assert_ne!(acme.number, globex.number);
    assert!(acme.number > 0 && globex.number > 0);
    assert_eq!(grant("/orgs/acme/y"), acme);
    assert_eq!(grant("/orgs/globex/y"), globex);
    let unnamed = grant("/maybe");
    assert!(unnamed.number != acme.number && unnamed.number != globex.number);
    assert_eq!(grant("/maybe"), unnamed);
    let tenant = |grant: &countersign::Grant| grant.principal.as_ref().unwrap().tenant.clone();
    assert_eq!(tenant(&acme).as_deref(), Some("acme"));
    assert_eq!(tenant(&unnamed), None);
    assert!(
        globex
            .set_headers
            .contains(&("x-tenant".into(), "globex".into()))
    );
    assert!(
        globex
            .set_headers
            .contains(&("x-tenants".into(), "acme globex".into()))
    );
    assert!(
        !unnamed
            .set_headers
            .iter()
            .any(|(name, _)| **name == *"x-tenant")
    );
}

#[test]
fn a_gate_reads_the_headers_that_its_rules_compare() {
    let policy = policy().replace(
        r#""tenant": "{org}""#,
        r#""tenant": { "header": "X-Org" }, "claims": { "/team": { "equals": { "header": "x-team" } } }"#,
    );
    let gate = Gate::open(policy.as_bytes(), 0).unwrap();
    let reads = gate.reads();
    for name in ["x-org", "x-team", "connection", "authorization", "host"] {
        assert_eq!(
            reads.iter().filter(|read| **read == name).count(),
            1,
            "{name}"
        );
    }
}

/// Returns the detail of the last step of an explanation.
fn explained(policy: &str, target: &str, claims: &str) -> String {
    let gate = Gate::open(policy.as_bytes(), 0).unwrap();
    let value = format!("Bearer {}", token(claims));
    let request = Request {
        method: b"GET",
        authority: b"a.test",
        target: target.as_bytes(),
        headers: &[(b"authorization", value.as_bytes())],
        connection: Default::default(),
    };
    gate.explain(&request, NOW_MS).pop().unwrap().detail
}

#[test]
fn an_explanation_says_what_is_wrong_in_the_words_of_the_token() {
    let with = |claims: &str| {
        let claims = format!(r#"{{"iss":"https://a.test","aud":"api","exp":1700000060,{claims}}}"#);
        explained(&policy(), "/orgs/acme/x", &claims)
    };
    assert_eq!(with(r#""sub":42"#), "`sub` is a number, text is needed");
    assert_eq!(with(r#""nbf":null"#), "`nbf` is `null`, a number is needed");
    assert_eq!(with(r#""a":1,"a":2"#), "`a` stands twice");
    assert_eq!(
        with(r#""tenant_id":"globex""#),
        "tenant globex; the request names `acme`"
    );
    assert_eq!(
        explained(&policy(), "/orgs/acme", r#"{"iss":"https://a.test/"}"#),
        "`iss` `https://a.test/`; the configured one has no slash at its end"
    );
    let claims = policy().replace(
        r#""tenant": "{org}""#,
        r#""claims": { "/ref": { "starts_with": "refs/heads/" } }"#,
    );
    let with = |claim: &str| {
        let token = format!(
            r#"{{"iss":"https://a.test","aud":"api","exp":1700000060,"scope":"read"{claim}}}"#
        );
        explained(&claims, "/orgs/acme", &token)
    };
    assert_eq!(with(""), "`/ref` is not there");
    assert_eq!(with(r#","ref":"main""#), "`/ref` is the text `main`");
    assert_eq!(with(r#","ref":["refs/heads/"]"#), "`/ref` is an array");
}

#[test]
fn ten_thousand_templates_are_told_apart() {
    let issuer = |i: usize| {
        format!(
            r#"{{ "name": "i{i}", "issuer": {{ "template": "https://a.test/{{t}}/app-{i}", "claims": {{ "t": "/t" }} }},
                "audiences": ["api"], "algorithms": ["HS256"], "keys": {{ "secrets": [{{ "kid": "1", "k": "{}" }}] }} }}"#,
            B64.encode(SECRET)
        )
    };
    let issuers: Vec<String> = (0..10_000).map(issuer).collect();
    let policy = format!(
        r#"{{ "contract": "1", "issuers": [{}], "rules": [{{ "path": "/**", "require": {{}} }}] }}"#,
        issuers.join(",")
    );
    let mut gate = Gate::open(policy.as_bytes(), 0).unwrap();
    let of = |app: &str| {
        token(&format!(
            r#"{{"iss":"https://a.test/acme/{app}","t":"acme","aud":"api","exp":1700000060}}"#
        ))
    };
    match check(&mut gate, "/", Some(&of("app-9999"))) {
        Decision::Allow(grant) => assert_eq!(*grant.principal.unwrap().issuer, *"i9999"),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        code(check(&mut gate, "/", Some(&of("app-10000")))),
        Some(Code::IssuerUnknown)
    );
}

/// Checks that wait for the same signature ask at the same time. One answer is
/// enough, and the other questions do not stay open.
#[test]
fn a_remembered_token_closes_its_other_questions() {
    let policy = policy();
    let policy = countersign::policy_json(policy.as_bytes()).unwrap();
    let native = Native {
        fips: false,
        algorithms: vec![Algorithm::HS256],
    };
    let mut gate = Gate::open_json(
        &policy,
        Host {
            native: Some(native),
            ..Host::default()
        },
    )
    .unwrap();
    for number in 0..100 {
        let claims =
            format!(r#"{{"iss":"https://a.test","aud":"api","exp":1700000060,"sub":"{number}"}}"#);
        let token = token(&claims);
        let mut tickets = Vec::new();
        for _ in 0..4 {
            match gate.check_token(token.as_bytes(), 0, false, NOW_MS) {
                Decision::Wait(needs) => tickets.extend(needs.iter().map(|need| match need {
                    Need::Signature(asked) => asked.ticket,
                    other => panic!("{other:?}"),
                })),
                other => panic!("{other:?}"),
            }
        }
        for ticket in tickets {
            gate.verified(ticket, Verification::Valid);
            let decision = gate.check_token(token.as_bytes(), 0, false, NOW_MS);
            assert!(matches!(decision, Decision::Allow(_)), "{decision:?}");
        }
    }
}

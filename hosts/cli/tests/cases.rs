//! `countersign policy test`: a user's own cases.
#![allow(missing_docs)]

mod common;

use common::Folder;

const CASES: &str = r#"
policy: policy.yaml
now: "2026-11-21T09:30:00Z"
cases:
  - name: a reader reads
    token: { sub: alice, typ: pat, tenant_id: acme, roles: [], scopes: ["api:assets:read"] }
    request: GET /assets/1
    expect:
      decision: allow
      subject: alice
      tenant: acme
      scopes: ["api:assets:read"]
      set_headers: { x-auth-tenant: acme }
  - name: without a token nobody reads
    request: GET /assets/1
    expect: token_missing
  - name: a token is expired when its time is over
    token: { typ: pat, tenant_id: acme, roles: [], scopes: [], exp: 1795250000 }
    now: "2026-11-21T09:30:00Z"
    jose: { typ: JWT }
    expect: token_expired
  - name: a forged token is refused
    forged: true
    token: { typ: pat, tenant_id: acme, roles: [], scopes: ["api:assets:read"] }
    request: GET /assets/1
    expect: { decision: deny, code: signature_invalid, status: 401 }
  - name: a required claim can be left out
    token: { typ: pat, tenant_id: null, roles: [], scopes: [] }
    expect: claim_missing
  - name: what is no token is malformed
    token: nonsense
    expect: token_malformed
"#;

#[test]
fn cases_that_hold_pass_with_exit_code_0_and_no_key_of_the_user() {
    let folder = Folder::with_issuer();
    folder.write("cases.yaml", CASES);
    let run = folder.run("policy test cases.yaml").expect(0);
    assert!(run.stdout.contains("✓ a reader reads"), "{run:?}");
    assert!(
        run.stdout.trim_end().ends_with("6 passed, 0 failed"),
        "{run:?}"
    );
}

#[test]
fn a_case_that_does_not_hold_fails_with_both_values_and_exit_code_1() {
    let folder = Folder::with_issuer();
    folder.write(
        "cases.yaml",
        &CASES.replace("expect: token_missing", "expect: token_expired"),
    );
    let run = folder.run("policy test cases.yaml").expect(1);
    assert!(
        run.stdout.contains("✗ without a token nobody reads"),
        "{run:?}"
    );
    assert!(
        run.stdout
            .contains(r#"expected "token_expired" got "token_missing""#),
        "{run:?}"
    );
    assert!(
        run.stdout.trim_end().ends_with("5 passed, 1 failed"),
        "{run:?}"
    );

    let shape = folder.run("policy test --json cases.yaml").expect(1).json();
    assert_eq!((&shape["passed"], &shape["failed"]), (&5.into(), &1.into()));
    let difference = &shape["cases"][1]["differences"][0];
    assert_eq!(difference["field"], "code");
    assert_eq!(difference["got"], "token_missing");
}

#[test]
fn some_cases_can_be_chosen_by_their_name() {
    let folder = Folder::with_issuer();
    folder.write("cases.yaml", CASES);
    let run = folder.run("policy test cases.yaml --only reads").expect(0);
    assert!(run.stdout.contains("2 passed, 0 failed"), "{run:?}");
    // Nothing run is nothing shown to hold.
    folder
        .run("policy test cases.yaml --only unicorns")
        .expect(2);
}

#[test]
fn a_mistake_in_a_file_of_cases_is_said_with_its_place() {
    let folder = Folder::with_issuer();
    for (right, wrong, complaint) in [
        (
            "request: GET",
            "reqest: GET",
            "cases.yaml:7:5: /cases/0/reqest: error[cases_invalid]: unknown field",
        ),
        (
            "expect: token_missing",
            "expect: {}",
            "cases.yaml:16:5: /cases/1/expect: error[cases_invalid]: nothing is expected",
        ),
        (
            "subject: alice",
            "sbject: alice",
            "cases.yaml:8:5: /cases/0/expect: error[cases_invalid]: `sbject` cannot be expected",
        ),
        (
            "now: \"2026-11-21T09:30:00Z\"",
            "now: yesterday",
            "cases.yaml:3:1: /now: error[cases_invalid]: expected a moment",
        ),
        (
            "token: nonsense",
            "issuer: platform",
            "cases.yaml: /cases/5: a case has a `token`, a `request`, or both",
        ),
    ] {
        let cases = CASES.replacen(right, wrong, 1);
        assert_ne!(cases, CASES);
        folder.write("cases.yaml", &cases);
        let run = folder.run("policy test cases.yaml").expect(2);
        assert!(run.stderr.contains(complaint), "{complaint}: {run:?}");
    }
}

#[test]
fn keys_in_a_policy_and_secrets_sign_cases_too() {
    let folder = Folder::with_issuer();
    let jwks = folder.read("issuer/jwks.json");
    let issuer = |keys: &str, algorithm: &str| {
        format!(
            r#"{{ "contract": "1", "issuers": [{{ "name": "inline", "issuer": "inline",
                "audiences": ["x"], "algorithms": ["{algorithm}"], "keys": {keys} }}],
                "rules": [{{ "path": "/**", "require": {{}} }}] }}"#
        )
    };
    let secret =
        r#"{ "secrets": [{ "kid": "s", "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }] }"#;
    folder.write("cases.yaml", "policy: policy.json\ncases:\n  - { name: signed, token: {}, expect: allow }\n  - { name: forged, token: {}, forged: true, expect: signature_invalid }\n");
    for policy in [
        issuer(&format!(r#"{{ "jwks": {jwks} }}"#), "RS256"),
        issuer(secret, "HS256"),
    ] {
        folder.write("policy.json", &policy);
        let run = folder.run("policy test cases.yaml").expect(0);
        assert!(run.stdout.contains("2 passed"), "{run:?}");
    }
}

#[test]
fn a_case_says_where_its_tokens_are_and_which_key_signs() {
    let folder = Folder::new();
    folder.write(
        "policy.yaml",
        r#"
contract: "1"
issuers:
  - name: idp
    issuer: https://id.example.com
    audiences: [api]
    algorithms: [HS256]
    keys:
      secrets:
        - { kid: old, k: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 }
        - { kid: new, k: ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8 }
credentials:
  - { header: authorization, scheme: Bearer }
  - { cookie: session, same_origin: true }
rules: [{ path: "/**", require: {} }]
"#,
    );
    folder.write(
        "cases.yaml",
        r#"
policy: policy.yaml
cases:
  - { name: the first place, token: { sub: ada }, request: POST /, expect: allow }
  - { name: the cookie, token: { sub: ada }, in: { cookie: session }, request: POST /, expect: origin_denied }
  - name: two tokens
    token: { sub: ada }
    also: [{ token: { sub: bob }, in: { cookie: session } }]
    request: GET /
    expect: token_multiple
  - { name: a place that the policy does not read, token: {}, in: { header: x-token }, request: GET /, expect: token_missing }
  - { name: the second secret, token: {}, key: 1, request: GET /, expect: allow }
  - { name: its bytes under the other name, token: {}, key: 1, jose: { kid: old }, request: GET /, expect: signature_invalid }
  - { name: without kid, token: {}, jose: { kid: null }, forged: true, request: GET /, expect: deny }
"#,
    );
    let run = folder.run("policy test cases.yaml").expect(0);
    assert!(run.stdout.contains("7 passed, 0 failed"), "{run:?}");
    folder.write(
        "cases.yaml",
        "policy: policy.yaml\ncases:\n  - { name: none, token: {}, key: 2, request: GET /, expect: deny }\n",
    );
    let run = folder.run("policy test cases.yaml").expect(2);
    assert!(run.stderr.contains("the issuer has no secret 2"), "{run:?}");
}

#[test]
fn a_case_can_expect_the_principals_beside_the_user() {
    let folder = Folder::new();
    folder.write(
        "policy.yaml",
        r#"
contract: "1"
issuers:
  - name: idp
    issuer: https://id.example.com
    audiences: [api]
    algorithms: [HS256]
    keys: { secrets: [{ k: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 }] }
    claims: { tenants: /tenants }
credentials:
  - { header: authorization, scheme: Bearer, issuers: [idp] }
  - { header: x-service, principal: service, issuers: [idp] }
rules: [{ path: "/**", require: {}, principals: { service: {} } }]
"#,
    );
    let cases = r#"
policy: policy.yaml
cases:
  - name: both
    token: { sub: ada, tenants: [acme, globex] }
    also: [{ token: { sub: build }, in: { header: x-service } }]
    request: GET /
    expect: { decision: allow, tenants: [acme, globex], principals: { service: { subject: build } } }
  - { name: the user alone, token: {}, request: GET /, expect: { code: token_missing, principal: service } }
"#;
    folder.write("cases.yaml", cases);
    folder.run("policy test cases.yaml").expect(0);
    folder.write(
        "cases.yaml",
        &cases.replace("subject: build", "subject: deploy"),
    );
    let shape = folder.run("policy test cases.yaml --json").expect(1).json();
    let difference = &shape["cases"][0]["differences"][0];
    assert_eq!(difference["got"]["service"]["subject"], "build");
    let got = &shape["cases"][0]["got"];
    assert_eq!(got["principals"]["service"]["issuer"], "idp");
    assert_eq!(shape["cases"][1]["got"]["principal"], "service");
}

#[test]
fn the_cases_of_the_readme_hold() {
    let readme = include_str!("../README.md");
    let cases = readme
        .split("```yaml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let folder = Folder::with_issuer();
    folder.write(
        "api.yaml",
        &folder
            .read("policy.yaml")
            .replace("name: dev", "name: platform"),
    );
    folder.write("jwks.json", &folder.read("issuer/jwks.json"));
    folder.write("cases.yaml", cases);
    let run = folder.run("policy test cases.yaml --coverage").expect(0);
    assert!(run.stdout.contains("2 passed, 0 failed"), "{run:?}");
    let coverage = readme.split("```text\n").nth(1).unwrap();
    let coverage = coverage.split("```").next().unwrap();
    assert!(run.stdout.contains(coverage), "{run:?}");
}

//! `countersign policy test --coverage`: which rules, and which branches of each, the
//! cases reach.
#![allow(missing_docs)]

mod common;

use std::collections::BTreeMap;

use common::{Folder, Run};

const POLICY: &str = r#"
contract: "1"
issuers:
  - name: idp
    issuer: https://id.example.com
    audiences: [api]
    algorithms: [HS256]
    keys: { secrets: [{ k: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 }] }
    claims: { tenant: /tenant }
rules:
  - { path: /healthz, public: true }
  - { path: /feed, optional: true }
  - path: "/orgs/{org}/**"
    methods: [GET]
    require:
      tenant: "{org}"
      scopes: [read]
      claims: { plan: { one_of: [paid] }, /a~1b: true }
      max_auth_age_s: 60
      acr_values: [phr]
  - path: /nested/**
    require:
      all_of:
        - { acr_values: [phr] }
        - { roles: [staff] }
        - any_of: [{ roles: [admin] }, { subject: present, scopes: [write] }]
"#;

fn folder(policy: &str, cases: &str) -> Folder {
    let folder = Folder::new();
    folder.write("policy.yaml", policy);
    let cases = format!("policy: policy.yaml\nnow: \"2026-11-21T09:30:00Z\"\ncases:\n{cases}");
    folder.write("cases.yaml", &cases);
    folder
}

/// The branches of a rule, with the number of cases that reach each.
fn branches(run: &Run, rule: usize) -> BTreeMap<String, u64> {
    let shape = run.json();
    let rule = &shape["coverage"]["policies"][0]["rules"][rule];
    let branches = rule["branches"].as_array().unwrap().iter();
    let pair = |branch: &serde_json::Value| {
        let name = branch["branch"].as_str().unwrap().to_owned();
        (name, branch["cases"].as_u64().unwrap())
    };
    branches.map(pair).collect()
}

#[track_caller]
fn assert_branches(run: &Run, rule: usize, expected: &[(&str, u64)]) {
    let expected = expected.iter().map(|(name, n)| ((*name).to_owned(), *n));
    assert_eq!(branches(run, rule), expected.collect(), "{run:?}");
}

const GOOD: &str =
    r#"{ tenant: acme, scope: read, plan: paid, "a/b": true, acr: phr, auth_time: 1795253390 }"#;

#[test]
fn a_rule_and_its_parts_are_reached_by_the_cases_that_they_decide() {
    let folder = folder(
        POLICY,
        &format!(
            r#"
  - {{ name: health, request: GET /healthz, expect: allow }}
  - {{ name: nobody reads the feed, request: GET /feed, expect: allow }}
  - {{ name: all is good, token: {GOOD}, request: GET /orgs/acme/1, expect: allow }}
  - {{ name: another tenant, token: {{ tenant: globex }}, request: GET /orgs/acme/1, expect: tenant_denied }}
  - {{ name: another plan, token: {{ tenant: acme, scope: read, plan: free, "a/b": true }}, request: GET /orgs/acme/1, expect: claim_denied }}
  - {{ name: an old sign-in, token: {{ tenant: acme, scope: read, plan: paid, "a/b": true, acr: phr, auth_time: 1 }}, request: GET /orgs/acme/1, expect: authentication_insufficient }}
  - {{ name: a bad token, token: {{ tenant: acme }}, forged: true, request: GET /orgs/acme/1, expect: signature_invalid }}
  - {{ name: no rule, request: PUT /orgs/acme/1, expect: rule_denied }}
  - {{ name: a token alone, token: {{ tenant: acme }}, expect: allow }}
"#
        ),
    );
    let run = folder.run("policy test cases.yaml --coverage --json");
    let run = run.expect(0);
    assert_branches(&run, 0, &[("allow", 1)]);
    assert_branches(&run, 1, &[("allow", 0), ("no token", 1)]);
    assert_branches(
        &run,
        2,
        &[
            ("allow", 1),
            ("no token", 0),
            ("tenant", 1),
            ("scopes", 0),
            ("claims/plan", 1),
            ("claims/a~1b", 0),
            ("max_auth_age_s", 1),
            ("acr_values", 0),
        ],
    );
    let shape = run.json();
    let rules = &shape["coverage"]["policies"][0]["rules"];
    assert_eq!(rules[2]["cases"], 5);
    assert_eq!(rules[3]["cases"], 0);
    assert_eq!(rules[2]["requests"], "GET /orgs/{org}/**");

    let run = folder.run("policy test cases.yaml --coverage").expect(0);
    for line in [
        "✓ /rules/0   /healthz            1 of 1\n",
        "✗ /rules/1   /feed               1 of 2  not reached: allow\n",
        "✗ /rules/2   GET /orgs/{org}/**  4 of 8  not reached: no token, scopes, claims/a~1b, acr_values\n",
        "✗ /rules/3   /nested/**          0 of 10  no case reaches it\n",
        "coverage 28 %: 6 of 21 branches, 3 of 4 rules\n",
    ] {
        assert!(run.stdout.contains(line), "{line}\n{run:?}");
    }
}

#[test]
fn requirements_inside_others_have_branches_of_their_own() {
    let folder = folder(
        POLICY,
        r#"
  - { name: an admin, token: { acr: phr, roles: [staff, admin] }, request: GET /nested/1, expect: allow }
  - { name: a writer, token: { acr: phr, sub: ada, roles: [staff], scope: write }, request: GET /nested/1, expect: allow }
  - { name: neither, token: { acr: phr, sub: ada, roles: [staff] }, request: GET /nested/1, expect: role_denied }
  - { name: not of the staff and not signed in, token: { roles: [admin] }, request: GET /nested/1, expect: role_denied }
  - { name: not signed in, token: { roles: [staff, admin] }, request: GET /nested/1, expect: authentication_insufficient }
"#,
    );
    let run = folder.run("policy test cases.yaml --coverage --json");
    assert_branches(
        &run.expect(0),
        3,
        &[
            ("allow", 2),
            ("no token", 0),
            ("all_of/0/acr_values", 1),
            ("all_of/1/roles", 1),
            ("all_of/2/any_of", 1),
            ("all_of/2/any_of/0/allow", 1),
            ("all_of/2/any_of/0/roles", 2),
            ("all_of/2/any_of/1/allow", 1),
            ("all_of/2/any_of/1/subject", 0),
            ("all_of/2/any_of/1/scopes", 1),
        ],
    );
}

#[test]
fn the_origin_of_cookies_and_each_principal_have_branches() {
    let folder = folder(
        r#"
contract: "1"
issuers:
  - name: idp
    issuer: https://id.example.com
    audiences: [api]
    algorithms: [HS256]
    keys: { secrets: [{ k: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 }] }
credentials:
  - { cookie: session, same_origin: true, issuers: [idp] }
  - { header: x-service, principal: service, issuers: [idp] }
rules:
  - path: "/**"
    require: { roles: [user] }
    principals: { service: { any_of: [{ roles: [robot] }, { subject: present }] } }
"#,
        r#"
  - { name: from another site, token: { roles: [user] }, also: [{ token: {}, in: { header: x-service } }], request: POST /, expect: origin_denied }
  - { name: without the service, token: { roles: [user] }, request: GET /, expect: token_missing }
  - { name: both, token: { roles: [user] }, also: [{ token: { sub: ada }, in: { header: x-service } }], request: GET /, expect: allow }
  - { name: a service of neither kind, token: { roles: [user] }, also: [{ token: {}, in: { header: x-service } }], request: GET /, expect: role_denied }
"#,
    );
    let run = folder.run("policy test cases.yaml --coverage --json");
    assert_branches(
        &run.expect(0),
        0,
        &[
            ("allow", 1),
            ("no token", 0),
            ("origin", 1),
            ("roles", 0),
            ("principals/service/no token", 1),
            ("principals/service/any_of", 1),
            ("principals/service/any_of/0/allow", 0),
            ("principals/service/any_of/0/roles", 2),
            ("principals/service/any_of/1/allow", 1),
            ("principals/service/any_of/1/subject", 1),
        ],
    );
}

#[test]
fn a_coverage_below_the_minimum_ends_with_exit_code_1() {
    let rules = r#"
  - { path: /healthz, public: true }
  - { path: "/**", require: {} }
"#;
    let policy = POLICY.split("\n  - { path: /healthz").next().unwrap();
    let folder = folder(
        &format!("{policy}{rules}"),
        "  - { name: health, request: GET /healthz, expect: allow }\n  - { name: nobody, request: GET /, expect: token_missing }\n",
    );
    let run = folder.run("policy test cases.yaml --coverage-min 66");
    let run = run.expect(0);
    assert!(run.stdout.contains("coverage 66 %: 2 of 3"), "{run:?}");
    let run = folder.run("policy test cases.yaml --coverage-min 67");
    let run = run.expect(1);
    assert!(
        run.stderr.contains("coverage is 66 %, and less than 67 %"),
        "{run:?}"
    );
    // Cases of two files about one policy count together.
    folder.write(
        "more.yaml",
        "policy: policy.yaml\ncases:\n  - { name: ada, token: {}, request: GET /, expect: allow }\n",
    );
    let run = folder.run("policy test cases.yaml more.yaml --coverage-min 100");
    let run = run.expect(0);
    assert!(run.stdout.contains("coverage 100 %: 3 of 3"), "{run:?}");
    folder
        .run("policy test cases.yaml --coverage-min 101")
        .expect(2);
}

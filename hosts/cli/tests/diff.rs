//! `countersign policy diff`: what a new policy decides differently.
#![allow(missing_docs)]

mod common;

use common::{Folder, Run};
use serde_json::{Value, json};

const POLICY: &str = r#"
contract: "1"
issuers:
  - name: platform
    issuer: https://auth.example.com
    audiences: [platform]
    algorithms: [ES256]
    keys: { jwks_uri: "https://auth.example.com/.well-known/jwks.json" }
    claims: { tenant: /tenant_id }
rules:
  - { path: /healthz, public: true }
  - path: "/orgs/{org}/**"
    require: { tenant: "{org}", roles: { any: [admin] } }
  - path: "/assets/**"
    methods: [GET]
    require: { scopes: { all: ["api:assets:read"] } }
forward: { x-auth-subject: subject }
"#;

/// Compares [`POLICY`] with itself after these replacements.
fn diff(folder: &Folder, changes: &[(&str, &str)], options: &str) -> Run {
    let new = changes
        .iter()
        .fold(POLICY.to_owned(), |policy, (old, new)| {
            assert!(policy.contains(old), "{old}");
            policy.replacen(old, new, 1)
        });
    folder.write("old.yaml", POLICY);
    folder.write("new.yaml", &new);
    folder.run(&format!("policy diff old.yaml new.yaml {options}"))
}

/// What the first example of each difference is decided by both policies.
fn decided(shape: &Value) -> Vec<(String, String)> {
    let word = |decisions: &Value, which: &str| {
        let decision = &decisions[which]["decision"];
        let word = decision["code"].as_str().or(decision["decision"].as_str());
        word.unwrap_or_default().to_owned()
    };
    let differences = shape["differences"].as_array().unwrap().iter();
    let decisions = differences.map(|difference| &difference["effects"][0]["decisions"]);
    decisions
        .map(|decisions| (word(decisions, "old"), word(decisions, "new")))
        .collect()
}

fn pair(old: &str, new: &str) -> (String, String) {
    (old.to_owned(), new.to_owned())
}

#[test]
fn a_wider_rule_is_exit_code_1_with_an_example_both_decisions_and_why() {
    let folder = Folder::new();
    let run = diff(&folder, &[("[admin]", "[admin, editor]")], "").expect(1);
    for text in [
        "/orgs/{b}/**  (/rules/1 → /rules/1)",
        "admits more  a good token; tenant of segment 2 of the path; not role `admin`; role `editor`",
        "old deny role_denied  rule.roles: roles editor",
        "new allow   rule: /rules/1",
        "1 difference: the new policy admits more, or can",
    ] {
        assert!(run.stdout.contains(text), "{text} is missing: {run:?}");
    }
}

#[test]
fn a_narrower_policy_is_exit_code_0() {
    let folder = Folder::new();
    let narrower = [
        ("[admin]", "[admin], all: [staff]"),
        (
            "path: /healthz, public: true",
            "path: /healthz, require: {}",
        ),
    ];
    let run = diff(&folder, &narrower, "--json").expect(0);
    let shape = run.json();
    assert_eq!(shape["admits_more"], false);
    assert_eq!(
        decided(&shape),
        [
            pair("allow", "signature_invalid"),
            pair("allow", "role_denied")
        ]
    );
}

#[test]
fn a_policy_does_not_differ_from_itself_nor_by_the_order_of_members() {
    let folder = Folder::new();
    let run = diff(&folder, &[], "").expect(0);
    assert_eq!(
        run.stdout.trim(),
        "no difference: the new policy admits nothing more"
    );
    let sorted = [(
        "tenant: \"{org}\", roles: { any: [admin] }",
        "roles: { any: [admin] }, tenant: \"{org}\"",
    )];
    let run = diff(&folder, &sorted, "").expect(0);
    assert_eq!(
        run.stdout.trim(),
        "no difference: the new policy admits nothing more"
    );
}

#[test]
fn the_members_of_issuers_and_of_the_policy_count() {
    let folder = Folder::new();
    for (old, new, admits, code) in [
        (
            "audiences: [platform]",
            "audiences: [platform, billing]",
            "more",
            1,
        ),
        (
            "audiences: [platform]",
            "audiences: { all: [platform, billing] }",
            "less",
            0,
        ),
        ("jwks.json", "jwks2.json", "can_more", 1),
        ("claims: {", "max_token_age_s: 60\n    claims: {", "less", 0),
        ("claims: {", "leeway_s: 200\n    claims: {", "more", 1),
        ("tenant: /tenant_id", "tenant: /org", "can_more", 1),
        (
            "claims: {",
            "token_types: [{ name: pat, claim: { typ: pat } }]\n    claims: {",
            "can_more",
            1,
        ),
        ("forward:", "leeway_s: 0\nforward:", "less", 0),
        ("forward:", "leeway_s: 30\nforward:", "", 0),
        ("forward:", "path_case: exact\nforward:", "more", 1),
        (
            "forward:",
            "limits: { json_depth: 4 }\nforward:",
            "can_more",
            1,
        ),
        ("forward:", "remember: false\nforward:", "same", 0),
        ("forward:", "realm: api\nforward:", "same", 0),
        (
            "forward:",
            "challenge: { scope: true }\nforward:",
            "same",
            0,
        ),
        (
            "forward:",
            "credentials: [{ header: x-token }]\nforward:",
            "can_more",
            1,
        ),
        (
            "forward:",
            "dpop: { max_age_s: 20 }\nforward:",
            "can_more",
            1,
        ),
        ("subject }", "subject, x-auth-tenant: tenant }", "less", 0),
        ("x-auth-subject", "x-auth-user", "can_more", 1),
    ] {
        let run = diff(&folder, &[(old, new)], "--json").expect(code);
        let shape = run.json();
        let first = &shape["differences"][0]["effects"][0]["admits"];
        assert_eq!(first.as_str().unwrap_or_default(), admits, "{new}: {run:?}");
    }
}

#[test]
fn spellings_that_were_refused_and_may_pass_now_are_reported() {
    let folder = Folder::new();
    let before = POLICY.replace(
        "/healthz, public: true }",
        "/healthz, public: true }\n  - { path: /healthz/**, public: true }",
    );
    folder.write("old.yaml", &before);
    folder.write(
        "new.yaml",
        &POLICY.replace("path: /healthz,", "path: /healthz/**,"),
    );
    let run = folder.run("policy diff old.yaml new.yaml --json").expect(1);
    let shape = run.json();
    assert_eq!(shape["differences"][0]["subject"]["kind"], "spellings");
    assert_eq!(decided(&shape), [pair("request_ambiguous", "allow")]);
}

#[test]
fn requests_of_a_file_are_decided_by_both() {
    let folder = Folder::new();
    let lines = [
        json!({ "request": "GET /orgs/acme", "token": { "tenant_id": "acme", "roles": ["editor"] } }),
        json!({ "request": "GET /orgs/acme", "token": { "tenant_id": "acme", "roles": ["admin"] } }),
        json!({ "name": "nobody", "request": "GET /orgs/acme", "host": "api.example.com" }),
    ];
    folder.write("made.jsonl", &lines.map(|line| line.to_string()).join("\n"));
    let wider = [("[admin]", "[admin, editor]")];
    let shape = diff(&folder, &wider, "--requests made.jsonl --json")
        .expect(1)
        .json();
    let requests = &shape["requests"];
    assert_eq!(
        (
            &requests["number"],
            requests["different"].as_array().unwrap().len()
        ),
        (&json!(3), 1)
    );
    assert_eq!(requests["different"][0]["name"], "line 1");
    assert_eq!(
        requests["different"][0]["old"]["decision"]["code"],
        "role_denied"
    );
    let run = diff(&folder, &wider, "--requests made.jsonl").expect(1);
    assert!(
        run.stdout.contains("1 of 3 requests decided differently"),
        "{run:?}"
    );
    folder.write("made.jsonl", "{ \"request\": 1 }");
    let run = diff(&folder, &wider, "--requests made.jsonl").expect(2);
    assert!(run.stderr.contains("made.jsonl:1: "), "{run:?}");
}

#[test]
fn a_policy_with_an_error_is_exit_code_2() {
    let folder = Folder::new();
    let run = diff(&folder, &[("[ES256]", "[RS265]")], "").expect(2);
    assert!(
        run.stderr
            .contains("new.yaml:7:18: /issuers/0/algorithms/0: error["),
        "{run:?}"
    );
}

#[test]
fn a_secret_of_the_policy_is_not_printed() {
    let folder = Folder::new();
    let hs = |secret: &str| {
        let policy = POLICY.replace("[ES256]", "[HS256]");
        let source = "{ jwks_uri: \"https://auth.example.com/.well-known/jwks.json\" }";
        policy.replace(
            source,
            &format!("{{ secrets: [{{ alg: HS256, k: \"{secret}\" }}] }}"),
        )
    };
    let secrets = [
        "c2VjcmV0LW9mLXRoaXJ0eS10d28tYnl0ZXMtb3ItbW9yZSE",
        "YW5vdGhlci1zZWNyZXQtb2YtdGhpcnR5LXR3by1ieXRlcyE",
    ];
    folder.write("old.yaml", &hs(secrets[0]));
    folder.write("new.yaml", &hs(secrets[1]));
    for options in ["", " --json"] {
        let run = folder
            .run(&format!("policy diff old.yaml new.yaml{options}"))
            .expect(1);
        assert!(run.text().contains("(hidden)"), "{run:?}");
        assert!(
            secrets.iter().all(|secret| !run.text().contains(secret)),
            "{run:?}"
        );
    }
    let shape = folder
        .run("policy diff old.yaml new.yaml --json")
        .expect(1)
        .json();
    assert_eq!(decided(&shape), [pair("signature_invalid", "allow")]);
}

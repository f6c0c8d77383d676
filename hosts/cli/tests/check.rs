//! `countersign check`: decisions, exit codes, where tokens and keys come from.
#![allow(missing_docs)]

mod common;

use common::Folder;

const KEYS: &str = "--policy policy.yaml --keys dev=issuer/jwks.json";

#[test]
fn a_good_request_is_allowed_with_exit_code_0() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat --subject alice --tenant acme");
    let run = folder.run(&format!(
        "check {KEYS} --token token --request 'GET /orgs/acme/seats'"
    ));
    let run = run.expect(0);
    assert!(run.stdout.starts_with("allow"), "{run:?}");
    assert!(
        run.stdout.contains("alice") && run.stdout.contains("acme"),
        "{run:?}"
    );
    assert!(run.stdout.contains("in 29 minutes"), "{run:?}");
}

#[test]
fn what_the_gate_answers_itself_is_shown_with_exit_code_0_and_can_be_expected() {
    let folder = Folder::with_issuer();
    let document =
        "challenge: { resource_metadata: { resource: \"https://app.example.com/mcp\" } }\n";
    folder.write("policy.yaml", &(folder.read("policy.yaml") + document));
    let line = "GET /.well-known/oauth-protected-resource/mcp";
    let check = format!("check {KEYS} --request '{line}' --host app.example.com");
    let body = r#"{"resource":"https://app.example.com/mcp"}"#;

    let run = folder.run(&check).expect(0);
    assert!(run.stdout.starts_with("answer  200"), "{run:?}");
    assert!(run.stdout.contains(body), "{run:?}");
    let shape = folder.run(&format!("{check} --json")).expect(0).json();
    assert_eq!(
        (&shape["decision"], &shape["status"]),
        (&"answer".into(), &200.into())
    );
    assert_eq!(
        (&shape["headers"][0][0], &shape["body"]),
        (&"content-type".into(), &body.into())
    );

    folder.write("cases.yaml", &format!(
        "policy: policy.yaml\ncases:\n  - {{ name: word, request: {line}, host: app.example.com, expect: answer }}\n  \
         - name: members\n    request: {line}\n    host: app.example.com\n    \
         expect: {{ decision: answer, status: 200, headers: {{ content-type: application/json }}, body: '{body}' }}\n  \
         - {{ name: at another host the rules decide, request: {line}, expect: allow }}\n"
    ));
    let run = folder.run("policy test cases.yaml").expect(0);
    assert!(run.stdout.contains("3 passed, 0 failed"), "{run:?}");
}

#[test]
fn a_denial_has_exit_code_1_its_code_and_never_the_token() {
    let folder = Folder::with_issuer();
    let token = folder.mint("token", "--type pat --age 2h --claim secret=hush");
    for json in ["", "--json"] {
        let command = format!("check {KEYS} --token token --request 'GET /assets/1' {json}");
        let run = folder.run(&command).expect(1);
        assert!(run.stdout.contains("token_expired"), "{run:?}");
        for part in token.split('.').chain(["hush"]) {
            assert!(!run.text().contains(part), "a part of the token: {run:?}");
        }
    }
}

#[test]
fn json_has_the_same_members_for_every_allowance_and_every_denial() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat");
    let check = format!("check --json {KEYS} --token token");

    let allow = folder
        .run(&format!("{check} --request 'GET /assets/1'"))
        .expect(0)
        .json();
    assert_eq!(allow["decision"], "allow");
    assert_eq!(allow["principal"]["token_type"], "pat");
    assert_eq!(allow["principal"]["claims"]["tenant_id"], "acme");
    assert_eq!(allow["set_headers"][0][0], "x-auth-subject");

    let deny = folder
        .run(&format!("{check} --request 'GET /orgs/globex/seats'"))
        .expect(1)
        .json();
    assert_eq!(deny["decision"], "deny");
    assert_eq!(deny["code"], "tenant_denied");
    assert_eq!(deny["status"], 403);
    let mut members: Vec<_> = deny
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    let expected = [
        "challenge",
        "claim",
        "code",
        "decision",
        "documents",
        "message",
        "nonce",
        "principal",
        "retry_after_s",
        "status",
    ];
    assert_eq!(members, expected);
}

#[test]
fn wrong_use_and_wrong_files_have_exit_code_2() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat");
    for (arguments, complaint) in [
        ("check --token token", "--policy"),
        ("check --policy nowhere.yaml --token token", "nowhere.yaml"),
        ("check --policy policy.yaml --token nowhere", "nowhere"),
        (
            "check --policy policy.yaml --token token --keys stranger=issuer/jwks.json",
            "`stranger`",
        ),
        (
            "check --policy policy.yaml --token token --now yesterday",
            "2026-11-21T09:30:00Z",
        ),
        (
            "check --policy policy.yaml --token token --request 'GET /a b c'",
            "GET /assets/1",
        ),
        (
            "check --policy policy.yaml --token token --require '{\"scope\":1}'",
            "--require",
        ),
    ] {
        let run = folder.run(arguments).expect(2);
        assert!(run.stderr.contains(complaint), "{arguments}: {run:?}");
        assert_eq!(run.stdout, "", "{arguments}");
    }
    let run = folder
        .run("check --json --policy nowhere.yaml --token token")
        .expect(2);
    assert!(
        run.json()["error"]
            .as_str()
            .unwrap()
            .contains("nowhere.yaml")
    );
}

#[test]
fn a_token_comes_from_a_file_from_the_standard_input_or_as_an_argument() {
    let folder = Folder::with_issuer();
    let token = folder.mint("token", "--type pat");
    folder.run(&format!("check {KEYS} --token token")).expect(0);
    folder
        .run_with(&format!("check {KEYS} --token -"), &token)
        .expect(0);
    folder
        .run_with(&format!("check {KEYS}"), &format!("{token}\n"))
        .expect(0);
    folder.run(&format!("check {KEYS} {token}")).expect(0);
}

#[test]
fn a_token_in_the_wrong_place_is_not_repeated() {
    let folder = Folder::with_issuer();
    let token = folder.mint("token", "--type pat");
    for arguments in [
        format!("check {KEYS} --token {token}"),
        format!("check {KEYS} throw-away {token}"),
        format!("check {KEYS} --request 'GET /' -H 'Authorization Bearer {token}'"),
        token.clone(),
    ] {
        let run = folder.run(&arguments).expect(2);
        for part in token.split('.') {
            assert!(!run.text().contains(part), "{run:?}");
        }
    }
}

#[test]
fn a_token_alone_is_held_to_a_requirement() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat --tenant acme");
    let check = |requirement: &str| {
        folder.run(&format!(
            "check {KEYS} --token token --require '{requirement}'"
        ))
    };
    check(r#"{"types":["pat"],"tenant":{"fixed":"acme"}}"#).expect(0);
    let run = check(r#"{"types":["nat"]}"#).expect(1);
    assert!(run.stdout.contains("type_denied"), "{run:?}");
}

#[test]
fn the_moment_can_be_said() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat");
    let run = folder.run(&format!(
        "check {KEYS} --token token --now 2020-01-01T00:00:00Z"
    ));
    assert!(run.expect(1).stdout.contains("token_not_yet_valid"));
    let run = folder.run(&format!("check {KEYS} --token token --now 4000000000"));
    assert!(run.expect(1).stdout.contains("token_expired"));
}

#[test]
fn a_request_can_be_said_in_parts_with_its_own_headers() {
    let folder = Folder::with_issuer();
    let token = folder.mint("token", "--type nat");
    let parts = "--method POST --path /ingest/metrics --host api.example.com";
    folder
        .run(&format!("check {KEYS} {parts} --token token"))
        .expect(0);
    let header = format!("-H 'Authorization: Bearer {token}'");
    folder
        .run(&format!("check {KEYS} {parts} {header}"))
        .expect(0);
    let other = folder.mint("other", "--type nat --subject other");
    let run = folder.run(&format!(
        "check {KEYS} {parts} {header} -H 'Authorization: Bearer {other}'"
    ));
    assert!(run.expect(1).stdout.contains("token_multiple"));
}

#[test]
fn the_token_goes_where_the_policy_looks_for_it() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat");
    let policy = folder.read("policy.yaml");
    let cookie = policy.replace(
        "{ header: authorization, scheme: Bearer }",
        "{ cookie: session }",
    );
    assert_ne!(policy, cookie);
    folder.write("policy.yaml", &cookie);
    folder
        .run(&format!(
            "check {KEYS} --token token --request 'GET /assets/1'"
        ))
        .expect(0);
}

#[test]
fn yaml_toml_and_json_are_the_same_policy() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat");
    folder.write(
        "policy.json",
        &folder.run("policy show policy.yaml").expect(0).stdout,
    );
    folder.write("policy.toml", TOML);
    let shown = |file: &str| folder.run(&format!("policy show {file}")).expect(0).stdout;
    assert_eq!(shown("policy.yaml"), shown("policy.json"));
    for file in ["policy.yaml", "policy.json", "policy.toml"] {
        let check = format!("check --policy {file} --keys dev=issuer/jwks.json --token token");
        let run = folder
            .run(&format!("{check} --request 'GET /assets/1'"))
            .expect(0);
        assert!(run.stdout.contains("dev-user"), "{run:?}");
        let run = folder
            .run(&format!("{check} --request 'GET /admin'"))
            .expect(1);
        assert!(run.stdout.contains("rule_denied"), "{run:?}");
    }
    // Without an extension the format is found from the text.
    for file in ["policy.yaml", "policy.json", "policy.toml"] {
        folder.write("policy", &folder.read(file));
        assert_eq!(shown("policy"), shown(file), "{file}");
    }
}

const TOML: &str = r#"
contract = "1"

[[issuers]]
name = "dev"
issuer = "http://127.0.0.1:8181"
audiences = ["platform"]
algorithms = ["RS256"]
keys = { jwks_uri = "http://127.0.0.1:8181/.well-known/jwks.json", insecure_http = true }

[[rules]]
path = "/assets/**"
require = { scopes = { all = ["api:assets:read"] } }
"#;

#[test]
fn without_a_policy_file_a_few_options_make_one() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat");
    let quick = "--issuer http://127.0.0.1:8181 --audience platform --algorithm RS256";
    let keys = "--jwks issuer/jwks.json";
    folder
        .run(&format!("check {quick} {keys} --token token"))
        .expect(0);

    let printed = folder
        .run(&format!("check {quick} {keys} --print-policy"))
        .expect(0);
    folder.write("printed.json", &printed.stdout);
    folder
        .run("check --policy printed.json --token token")
        .expect(0);
    folder.run("policy lint printed.json").expect(0);

    // What is not said is not guessed.
    let run = folder.run(&format!(
        "check --issuer http://127.0.0.1:8181 {keys} --token token"
    ));
    let run = run.expect(2);
    assert!(run.stderr.contains("/issuers/0/audiences"), "{run:?}");
    assert!(run.stderr.contains("/issuers/0/algorithms"), "{run:?}");
}

#[test]
fn an_unreachable_issuer_is_named_with_the_reason() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat");
    let run = folder
        .run("check --offline --policy policy.yaml --token token")
        .expect(1);
    assert!(run.stdout.contains("keys_unavailable"), "{run:?}");
    assert!(run.stderr.contains("jwks of issuer `dev`"), "{run:?}");
    assert!(run.stderr.contains("--offline"), "{run:?}");
}

//! `countersign explain` and `countersign inspect`: what people read.
#![allow(missing_docs)]

mod common;

use common::Folder;

const KEYS: &str = "--policy policy.yaml --keys dev=issuer/jwks.json";

#[test]
fn a_denied_request_is_explained_check_by_check_up_to_where_it_stopped() {
    let folder = Folder::with_issuer();
    let token = folder.mint("token", "--type pat --tenant acme");
    let explain = format!("explain {KEYS} --token token --request 'GET /orgs/globex/seats'");
    let run = folder.run(&explain).expect(1);
    assert!(run.stdout.contains("  /rules/2\n"), "{run:?}");
    assert!(run.stdout.contains("✓ signature"), "{run:?}");
    assert!(run.stdout.contains("✗ rule.tenant"), "{run:?}");
    assert!(run.stdout.contains("tenant_denied"), "{run:?}");
    let signature = token.rsplit('.').next().unwrap();
    assert!(!run.text().contains(signature), "{run:?}");

    let shape = folder.run(&format!("{explain} --json")).expect(1).json();
    let steps = shape["steps"].as_array().unwrap();
    let failed: Vec<_> = steps
        .iter()
        .filter(|step| step["verdict"] == "fail")
        .collect();
    assert_eq!(failed.len(), 1, "{shape:#}");
    assert_eq!(failed[0]["code"], "tenant_denied");
    assert_eq!(shape["decision"]["code"], "tenant_denied");
}

#[test]
fn an_allowed_request_is_explained_with_exit_code_0() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat");
    let run = folder.run(&format!(
        "explain {KEYS} --token token --request 'GET /assets/1'"
    ));
    let run = run.expect(0);
    assert!(
        !run.stdout.contains('✗') && run.stdout.contains("allow"),
        "{run:?}"
    );
}

#[test]
fn a_token_alone_is_explained_too() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat --age 2h");
    let run = folder
        .run(&format!("explain {KEYS} --token token"))
        .expect(1);
    assert!(run.stdout.contains("✗ expiry"), "{run:?}");
    assert!(run.stdout.contains("token_expired"), "{run:?}");

    folder.mint("token", "--type pat");
    let require = r#"--require '{"types":["nat"]}'"#;
    let run = folder
        .run(&format!("explain {KEYS} --token token {require}"))
        .expect(1);
    assert!(run.stdout.contains("type_denied"), "{run:?}");
}

#[test]
fn claims_cannot_write_to_the_terminal() {
    let folder = Folder::with_issuer();
    folder.mint("token", r#"--type pat --claim tenant_id="a\u001b[2J\nb""#);
    for command in [
        "inspect --token token".to_owned(),
        format!("check {KEYS} --token token"),
        format!("explain {KEYS} --token token"),
        format!("explain {KEYS} --token token --request 'GET /orgs/acme/seats'"),
    ] {
        let run = folder.run(&command);
        assert!(!run.text().contains('\u{1b}'), "{command}: {run:?}");
    }
}

#[test]
fn an_inspected_token_is_marked_unverified_with_its_times_in_words() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat --subject alice --expires 10m");
    let run = folder.run("inspect --token token").expect(0);
    assert!(run.stdout.starts_with("UNVERIFIED"), "{run:?}");
    assert!(run.stdout.contains(r#""sub": "alice""#), "{run:?}");
    assert!(run.stdout.contains("expires in 9 minutes"), "{run:?}");

    folder.mint("token", "--type pat --age 49h");
    let run = folder.run("inspect --token token").expect(0);
    assert!(run.stdout.contains("expired 2 days ago"), "{run:?}");

    let shape = folder.run("inspect --json --token token").expect(0).json();
    assert_eq!(shape["verified"], false);
    assert_eq!(shape["header"]["alg"], "RS256");
    assert_eq!(shape["fault"], serde_json::Value::Null);
}

#[test]
fn what_is_no_token_is_inspected_as_far_as_it_goes() {
    let folder = Folder::new();
    let run = folder.run_with("inspect", "not a token").expect(0);
    assert!(run.stdout.contains("token_malformed"), "{run:?}");
    let run = folder.run_with("inspect --json", "e30.e30.").expect(0);
    assert!(run.json()["fault"].is_string(), "{run:?}");
}

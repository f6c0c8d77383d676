//! `--signatures native`: AWS-LC verifies, the module decides.
#![allow(missing_docs)]

mod common;

use common::Folder;

const KEYS: &str = "--policy policy.yaml --keys dev=issuer/jwks.json --signatures native";

#[test]
fn decisions_are_those_of_the_module() {
    let folder = Folder::with_issuer();
    let token = folder.mint("token", "--type pat --tenant acme");
    let check = format!("check {KEYS} --token token --request");
    let run = folder.run(&format!("{check} 'GET /orgs/acme/seats'"));
    assert!(run.expect(0).stdout.starts_with("allow"));
    let run = folder.run(&format!("{check} 'GET /orgs/globex/seats'"));
    assert!(run.expect(1).stdout.contains("tenant_denied"));

    let (signed, signature) = token.trim().rsplit_once('.').unwrap();
    let mut letters: Vec<_> = signature.chars().collect();
    letters[9] = if letters[9] == 'A' { 'B' } else { 'A' };
    folder.write("token", &format!("{signed}.{}", String::from_iter(letters)));
    let run = folder.run(&format!("{check} 'GET /orgs/acme/seats'"));
    assert!(run.expect(1).stdout.contains("signature_invalid"));
}

#[test]
fn a_denial_is_explained_up_to_where_it_stopped() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat --tenant acme");
    let explain = format!("explain {KEYS} --token token --request 'GET /orgs/globex/seats'");
    let run = folder.run(&explain).expect(1);
    assert!(run.stdout.contains("✓ signature"), "{run:?}");
    assert!(run.stdout.contains("✗ rule.tenant"), "{run:?}");

    // A token alone, which is too old.
    folder.mint("token", "--type pat --age 2h");
    let run = folder.run(&format!("explain {KEYS} --token token"));
    let run = run.expect(1);
    assert!(run.stdout.contains("✗ expiry"), "{run:?}");
}

#[test]
fn a_policy_that_demands_it_opens_with_the_option_only() {
    let folder = Folder::with_issuer();
    folder.mint("token", "--type pat --tenant acme");
    let demanding = "signatures: native\n".to_owned() + &folder.read("policy.yaml");
    folder.write("policy.yaml", &demanding);
    let request = "--token token --request 'GET /orgs/acme/seats'";
    folder.run(&format!("check {KEYS} {request}")).expect(0);
    let module = KEYS.replace("native", "module");
    let run = folder.run(&format!("check {module} {request}")).expect(2);
    assert!(run.stderr.contains("signatures_unavailable"), "{run:?}");

    folder.write("policy.yaml", &("fips: true\n".to_owned() + &demanding));
    let run = folder.run(&format!("check {KEYS} {request}"));
    if cfg!(feature = "fips") {
        run.expect(0);
    } else {
        let run = run.expect(2);
        assert!(run.stderr.contains("validated"), "{run:?}");
    }
}

#[test]
fn cases_are_run_with_it_too() {
    let folder = Folder::with_issuer();
    folder.write(
        "cases.yaml",
        "policy: policy.yaml\ncases:\n  - name: a reader reads\n    token: { sub: alice, typ: pat, tenant_id: acme, roles: [editor], scopes: [] }\n    request: GET /orgs/acme/seats\n    expect: allow\n  \
         - name: a forged token is refused\n    token: { typ: pat, tenant_id: acme, roles: [], scopes: [] }\n    forged: true\n    request: GET /orgs/acme/seats\n    expect: signature_invalid\n",
    );
    let run = folder.run("policy test cases.yaml --signatures native");
    let run = run.expect(0);
    assert!(run.stdout.contains("2 passed, 0 failed"), "{run:?}");
}

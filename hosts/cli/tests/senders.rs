//! Tokens that are bound to their sender, and secrets that the host has.
#![allow(missing_docs)]

mod common;

use common::Folder;

const POLICY: &str = r#"
contract: "1"
issuers:
  - name: dev
    issuer: http://127.0.0.1:8181
    audiences: [platform]
    algorithms: [RS256]
    keys: { jwks_uri: "http://127.0.0.1:8181/jwks.json", insecure_http: true }
credentials:
  - { header: authorization, scheme: Bearer }
  - { header: authorization, scheme: DPoP }
dpop: { nonce: { secret_from: nonce } }
rules:
  - { path: /notes, require: {} }
"#;

/// A certificate, as far as its hash is concerned.
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";

fn folder() -> Folder {
    let folder = Folder::with_issuer();
    folder.write("bound.yaml", POLICY);
    folder.write("nonce.key", "a secret of the host, 32 bytes ..\n");
    folder
}

/// Checks a request with the token of a file.
fn check(folder: &Folder, token: &str, more: &str) -> serde_json::Value {
    let line = format!(
        "check --json --policy bound.yaml --keys dev=issuer/jwks.json --offline \
         --secret nonce=nonce.key --token {token} \
         --request 'GET https://api.example.com/notes' {more}"
    );
    folder.run(&line).json()
}

/// Mints a bound token into `token`, and returns its proof.
fn mint(folder: &Folder, more: &str) -> String {
    let line = format!(
        "dev mint --json --dir issuer --dpop 'GET https://api.example.com/notes?x=1' {more}"
    );
    let minted = folder.run(&line).expect(0).json();
    folder.write("token", minted["token"].as_str().unwrap());
    minted["proof"].as_str().unwrap().to_owned()
}

#[test]
fn a_bound_token_passes_with_its_proof_and_the_nonce_of_the_gate() {
    let folder = folder();
    let proof = mint(&folder, "--dpop-key client.json");
    let denied = check(&folder, "token", "");
    assert_eq!(denied["code"], "proof_missing", "{denied}");
    let denied = check(&folder, "token", &format!("--dpop-proof {proof}"));
    assert_eq!(denied["code"], "nonce_required", "{denied}");
    let nonce = denied["nonce"].as_str().unwrap();

    // The same key again.
    let proof = mint(
        &folder,
        &format!("--dpop-key client.json --dpop-nonce {nonce}"),
    );
    let allowed = check(&folder, "token", &format!("--dpop-proof {proof}"));
    assert_eq!(allowed["decision"], "allow", "{allowed}");
    // The key of another client.
    let other = mint(&folder, &format!("--dpop-nonce {nonce}"));
    folder.write("token", "");
    mint(&folder, "--dpop-key client.json");
    let denied = check(&folder, "token", &format!("--dpop-proof {other}"));
    assert_eq!(denied["code"], "proof_invalid", "{denied}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = std::fs::metadata(folder.path.join("client.json")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn without_json_the_headers_of_a_request_are_printed() {
    let folder = folder();
    let line = "dev mint --dir issuer --dpop 'GET https://api.example.com/notes'";
    let minted = folder.run(line).expect(0).stdout;
    let lines: Vec<_> = minted.lines().collect();
    let [token, proof] = &*lines else {
        panic!("{minted}")
    };
    assert!(token.starts_with("authorization: DPoP ey"), "{minted}");
    assert!(proof.starts_with("dpop: ey"), "{minted}");
}

#[test]
fn a_token_passes_with_the_certificate_that_it_is_bound_to() {
    let folder = folder();
    folder.write("client.pem", PEM);
    folder.write("other.pem", &PEM.replace("MAMCAQE", "MAMCAQI"));
    folder.mint("token", "--client-cert client.pem");
    for (more, code) in [
        ("--client-cert client.pem", None),
        ("--client-cert other.pem", Some("proof_invalid")),
        ("", Some("proof_missing")),
    ] {
        let decision = check(&folder, "token", more);
        assert_eq!(decision["code"].as_str(), code, "{more}: {decision}");
    }
    let line = "dev mint --dir issuer --client-cert policy.yaml";
    assert!(folder.run(line).expect(2).stderr.contains("no certificate"));
}

#[test]
fn a_missing_secret_is_a_problem_of_the_policy_and_none_is_printed() {
    let folder = folder();
    folder.mint("token", "");
    let line = "check --policy bound.yaml --offline --token token --path /notes";
    let run = folder.run(line).expect(2);
    assert!(run.text().contains("secret_missing"), "{run:?}");
    let mut command = folder.command(&format!("{line} --secret nonce=env:NONCE"));
    let run = command.env("NONCE", "too short").output().unwrap();
    let text = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{text}");
    assert!(
        text.contains("/dpop/nonce") && !text.contains("too short"),
        "{text}"
    );
    for (secret, expected) in [
        ("nonce=missing.key", "missing.key"),
        ("nonce=env:NOT_THERE", "NOT_THERE"),
        ("nonce", "NAME=FILE"),
    ] {
        let run = folder.run(&format!("{line} --secret {secret}")).expect(2);
        assert!(run.stderr.contains(expected), "{run:?}");
    }
}

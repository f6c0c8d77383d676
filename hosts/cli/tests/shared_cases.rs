//! Real cases of the folder beside the repository, read there when present.
#![allow(missing_docs)]

mod common;

use std::path::Path;

use common::Folder;
use serde_json::Value;

/// The moment of all cases.
const NOW: &str = "--now 2026-11-28T12:00:00Z";

/// Copies the files of a case. `None`, with a message, if it is not there.
fn case(name: &str) -> Option<Folder> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases");
    let shared =
        ["/work/shared/cases".into(), cases].map(|cases: std::path::PathBuf| cases.join(name));
    let Some(from) = shared.iter().find(|from| from.is_dir()) else {
        println!("skipped: the case {name} is not there");
        return None;
    };
    let folder = Folder::new();
    for file in ["jwks.json", "token.txt"] {
        let text = std::fs::read_to_string(from.join(file)).unwrap();
        folder.write(file, &text);
    }
    Some(folder)
}

fn decided(folder: &Folder, request: &str, token: &str, code: i32) -> Value {
    let run = folder.run(&format!(
        "check --json {NOW} --policy policy.yaml --keys idp=jwks.json {token} --request '{request}'"
    ));
    run.expect(code).json()
}

const ISSUER: &str = r#"
contract: "1"
issuers:
  - name: idp
    issuer: https://id.example.com
    audiences: [api, "https://mcp.example.com/mcp"]
    algorithms: [RS256]
    keys: { jwks_uri: "https://id.example.com/jwks.json" }
"#;

#[test]
fn an_encoded_slash_is_kept_where_the_policy_says_so() {
    let Some(folder) = case("08-encoded-slash") else {
        return;
    };
    let rules = r#"
rules:
  - { path: "/public/**", public: true }
  - { path: "/**", encoded_slash: keep, require: { scopes: ["packages:read"] } }
"#;
    folder.write("policy.yaml", &format!("{ISSUER}{rules}"));
    let token = "--token token.txt";
    for path in [
        "/@acme%2fwidgets",
        "/api/queues/%2F/orders",
        "/api/v4/projects/group%2Fproject/repository/files",
    ] {
        let allowed = decided(&folder, &format!("GET {path}"), token, 0);
        assert_eq!(allowed["decision"], "allow", "{path}");
    }
    for path in ["/public/a%2Fb", "/public%2fb", "/a%2f..%2fb"] {
        let denied = decided(&folder, &format!("GET {path}"), token, 1);
        assert_eq!(denied["code"], "request_ambiguous", "{path}");
    }
    folder.write(
        "policy.yaml",
        &format!(
            "{ISSUER}{}",
            rules.replace("public: true", "public: true, encoded_slash: keep")
        ),
    );
    assert_eq!(
        decided(&folder, "GET /public/a%2Fb", "", 0)["decision"],
        "allow"
    );
}

#[test]
fn a_challenge_names_the_metadata_of_the_resource_and_the_scopes() {
    let Some(folder) = case("32-mcp-resource-metadata") else {
        return;
    };
    let rules = r#"
realm: mcp
challenge: { scope: true, resource_metadata: { resource: "https://mcp.example.com/mcp", authorization_servers: ["https://id.example.com"] } }
rules:
  - { path: "/mcp/**", require: { scopes: ["tools:write"] } }
"#;
    folder.write("policy.yaml", &format!("{ISSUER}{rules}"));
    folder.run("policy lint policy.yaml").expect(0);
    let address = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
    let rest = format!("scope=\"tools:write\", resource_metadata=\"{address}\"");
    let missing = decided(&folder, "POST /mcp", "", 1);
    assert_eq!(
        missing["challenge"],
        format!("Bearer realm=\"mcp\", {rest}")
    );
    let lacking = decided(&folder, "POST /mcp", "--token token.txt", 1);
    assert_eq!(lacking["code"], "scope_insufficient");
    let challenge = lacking["challenge"].as_str().unwrap();
    assert!(challenge.ends_with(&rest), "{challenge}");
    let answer = decided(
        &folder,
        "GET /.well-known/oauth-protected-resource/mcp",
        "--host mcp.example.com",
        0,
    );
    assert_eq!(answer["decision"], "answer");
    let document: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        document["authorization_servers"][0],
        "https://id.example.com"
    );
}

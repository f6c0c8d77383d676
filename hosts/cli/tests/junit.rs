//! `countersign policy test --junit`: the results as XML, read by another parser.
#![allow(missing_docs)]

mod common;

use std::process::Command;

use common::Folder;
use serde_json::Value;

const POLICY: &str = r#"
contract: "1"
issuers:
  - name: idp
    issuer: https://id.example.com
    audiences: [api]
    algorithms: [HS256]
    keys: { secrets: [{ k: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 }] }
rules: [{ path: "/**", require: { roles: [admin] } }]
"#;

/// The report as Python reads it: `[{ "name", "tests", "failures", "cases": [{ "name",
/// "classname", "message", "type", "text" }] }]`.
fn read(folder: &Folder, file: &str) -> Value {
    let program = r#"
import json, sys, xml.etree.ElementTree as ET
def case(e):
    f = e.find("failure")
    return {"name": e.get("name"), "classname": e.get("classname"), "message": f is not None and f.get("message"),
            "type": f is not None and f.get("type"), "text": f is not None and f.text}
def suite(e):
    return {"name": e.get("name"), "tests": e.get("tests"), "failures": e.get("failures"), "cases": [case(c) for c in e.findall("testcase")]}
root = ET.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites", root.tag
print(json.dumps([suite(s) for s in root.findall("testsuite")]))
"#;
    let output = Command::new("python3")
        .args(["-c", program, file])
        .current_dir(&folder.path)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"))
}

#[test]
fn each_case_is_a_testcase_and_a_failure_says_why() {
    let folder = Folder::new();
    folder.write("policy.yaml", POLICY);
    let cases = r#"
policy: policy.yaml
cases:
  - { name: "an \"admin\" & <b>more</b> ]]>", token: { roles: [admin] }, request: GET /, expect: allow }
  - { name: "a <failure/> & \"one\" \u0007", token: { roles: ["<&\">", "\u0007"] }, request: GET /, expect: allow }
  - { name: a token alone, token: { exp: 1 }, expect: allow }
"#;
    folder.write("cases.yaml", cases);
    folder.write(
        "more.yaml",
        "policy: policy.yaml\ncases:\n  - { name: nobody, request: GET /, expect: token_missing }\n",
    );
    let run = folder.run("policy test cases.yaml more.yaml --junit report.xml");
    run.expect(1);
    let suites = read(&folder, "report.xml");
    assert_eq!(suites[0]["name"], "cases.yaml");
    assert_eq!(
        (&suites[0]["tests"], &suites[0]["failures"]),
        (&"3".into(), &"2".into())
    );
    assert_eq!(suites[1]["cases"][0]["name"], "nobody");
    let [good, bad, alone] = &suites[0]["cases"].as_array().unwrap()[..] else {
        panic!("{suites:#}");
    };
    assert_eq!(good["name"], r#"an "admin" & <b>more</b> ]]>"#);
    assert_eq!(
        (&good["message"], &good["classname"]),
        (&false.into(), &"cases.yaml".into())
    );
    // XML has no place for control characters.
    assert_eq!(bad["name"], r#"a <failure/> & "one" "#);
    assert_eq!(bad["message"], r#"decision: expected "allow", got "deny""#);
    assert_eq!(bad["type"], "deny");
    let text = bad["text"].as_str().unwrap();
    assert!(text.contains("✗ rule.roles: "), "{text}");
    assert!(text.ends_with("(role_denied)"), "{text}");
    let text = alone["text"].as_str().unwrap();
    assert!(text.contains("✗ expiry: "), "{text}");
}

#[test]
fn a_report_has_no_token_and_no_secret() {
    let folder = Folder::with_issuer();
    let token = folder.mint("token", "--type pat --tenant acme");
    folder.write(
        "cases.yaml",
        &format!(
            r#"
policy: policy.yaml
keys: {{ dev: issuer/jwks.json }}
cases:
  - {{ name: as it is, token: "{token}", request: GET /orgs/globex/seats, expect: allow }}
  - {{ name: in the query, token: "{token}", in: {{ query: access_token }}, request: GET /orgs/globex/seats, expect: allow }}
  - {{ name: cut, token: "{}", request: GET /orgs/globex/seats, expect: allow }}
"#,
            &token[..token.len() - 1],
        ),
    );
    let run = folder.run("policy test cases.yaml --junit report.xml");
    run.expect(1);
    let report = folder.read("report.xml");
    assert!(report.contains("tenant_denied"), "{report}");
    for part in token.split('.') {
        assert!(!report.contains(&part[..16]), "{report}");
    }
    folder.write("policy.yaml", POLICY);
    folder.write("cases.yaml", "policy: policy.yaml\ncases:\n  - { name: none, token: {}, request: GET /, expect: allow }\n");
    folder
        .run("policy test cases.yaml --junit report.xml")
        .expect(1);
    assert!(!folder.read("report.xml").contains("AAECAwQFBgcI"));
}

#[test]
fn a_report_that_cannot_be_written_is_a_mistake_of_the_command() {
    let folder = Folder::new();
    folder.write("policy.yaml", POLICY);
    folder.write("cases.yaml", "policy: policy.yaml\ncases:\n  - { name: nobody, request: GET /, expect: token_missing }\n");
    let run = folder
        .run("policy test cases.yaml --junit missing/report.xml")
        .expect(2);
    assert!(
        run.stderr.contains("cannot write `missing/report.xml`"),
        "{run:?}"
    );
}

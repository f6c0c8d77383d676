//! `countersign policy`: lint, schema, show.
#![allow(missing_docs)]

mod common;

use common::Folder;

/// Five mistakes of five kinds, and each at a line of its own.
const FIVE_MISTAKES: &str = r#"contract: "1"
issuers:
  - name: platform
    issuer: https://auth.example.com
    audience: [platform]
    algorithms: [RS265]
    keys: { jwks_uri: "http://auth.example.com/jwks.json" }
leeway_s: 3000
rules:
  - path: assets/**
    require: { scopes: { all: ["api:assets:read"] } }
"#;

#[test]
fn five_mistakes_are_said_at_once_each_with_its_place() {
    let folder = Folder::new();
    folder.write("api.yaml", FIVE_MISTAKES);
    let run = folder.run("policy lint api.yaml").expect(2);
    for place in [
        "api.yaml:5:5: /issuers/0/audience: error[",
        "api.yaml:6:18: /issuers/0/algorithms/0: error[",
        "api.yaml:7:13: /issuers/0/keys/jwks_uri: error[",
        "api.yaml:8:1: /leeway_s: error[",
        "api.yaml:10:5: /rules/0/path: error[",
    ] {
        assert!(run.stderr.contains(place), "{place} is missing: {run:?}");
    }
    assert!(run.stderr.contains("`RS265`"), "{run:?}");
    // Everything that opens the policy says the same.
    let check = folder
        .run_with("check --policy api.yaml", "token")
        .expect(2);
    assert!(
        check.stderr.contains("api.yaml:8:1: /leeway_s: error["),
        "{check:?}"
    );
}

#[test]
fn problems_for_machines_have_the_same_places() {
    let folder = Folder::new();
    folder.write("api.yaml", FIVE_MISTAKES);
    let shape = folder.run("policy lint --json api.yaml").expect(2).json();
    let problems = shape["problems"].as_array().unwrap();
    let leeway = problems
        .iter()
        .find(|problem| problem["pointer"] == "/leeway_s")
        .unwrap();
    assert_eq!(leeway["file"], "api.yaml");
    assert_eq!((&leeway["line"], &leeway["column"]), (&8.into(), &1.into()));
    assert_eq!(leeway["severity"], "error");
    assert!(leeway["code"].is_string() && leeway["message"].is_string());
}

#[test]
fn problems_of_json_and_toml_have_lines_too() {
    let folder = Folder::new();
    folder.write(
        "api.json",
        "{\n  \"contract\": \"1\",\n  \"leeway_s\": 3000\n}\n",
    );
    let run = folder.run("policy lint api.json").expect(2);
    assert!(
        run.stderr.contains("api.json:3:3: /leeway_s: error["),
        "{run:?}"
    );
    folder.write("api.toml", "contract = \"1\"\nleeway_s = 3000\n");
    let run = folder.run("policy lint api.toml").expect(2);
    assert!(
        run.stderr.contains("api.toml:2:1: /leeway_s: error["),
        "{run:?}"
    );
}

#[test]
fn a_good_policy_with_plain_http_is_good_with_a_warning() {
    let folder = Folder::with_issuer();
    let run = folder.run("policy lint policy.yaml").expect(0);
    assert!(run.stdout.contains("warning["), "{run:?}");
    assert!(run.stdout.trim_end().ends_with("good"), "{run:?}");
    let shape = folder
        .run("policy lint --json policy.yaml")
        .expect(0)
        .json();
    assert_eq!(shape["problems"][0]["severity"], "warning");
    folder.run("policy lint --strict policy.yaml").expect(2);
}

#[test]
fn a_repeated_key_is_an_error_in_every_format() {
    let folder = Folder::new();
    folder.write("api.yaml", "contract: \"1\"\nleeway_s: 1\nleeway_s: 2\n");
    let run = folder.run("policy lint api.yaml").expect(2);
    assert!(
        run.stderr.contains("api.yaml:3:1: error[yaml_invalid]"),
        "{run:?}"
    );
    folder.write("api.toml", "contract = \"1\"\nleeway_s = 1\nleeway_s = 2\n");
    let run = folder.run("policy lint api.toml").expect(2);
    assert!(
        run.stderr.contains("api.toml:3:1: error[toml_invalid]"),
        "{run:?}"
    );
    folder.write(
        "api.json",
        r#"{ "contract": "1", "leeway_s": 1, "leeway_s": 2 }"#,
    );
    let run = folder.run("policy lint api.json").expect(2);
    assert!(run.stderr.contains("leeway_s"), "{run:?}");
}

#[test]
fn yaml_is_the_strict_subset_and_what_is_refused_has_its_line() {
    let folder = Folder::new();
    folder.write(
        "words.yaml",
        "a: 'no'\nb: 'true'\nc: true\nd: 1.5\ne: null\nf: [\"yes\", plain text]\n",
    );
    let shown = folder.run("policy show words.yaml").expect(0).json();
    let expected = r#"{"a":"no","b":"true","c":true,"d":1.5,"e":null,"f":["yes","plain text"]}"#;
    assert_eq!(
        shown,
        serde_json::from_str::<serde_json::Value>(expected).unwrap()
    );
    for text in [
        "1: a\n",
        "a: .inf\n",
        "a: !secret b\n",
        "a: no\n",
        "a: &x b\n",
    ] {
        folder.write("words.yaml", text);
        let run = folder.run("policy show words.yaml").expect(2);
        assert!(run.stderr.contains("words.yaml:1:"), "{text:?}: {run:?}");
    }
    for text in ["a: 1\n---\nb: 2\n", ""] {
        folder.write("words.yaml", text);
        folder.run("policy show words.yaml").expect(2);
    }
}

#[test]
fn the_schema_is_printed() {
    let schema = Folder::new().run("policy schema").expect(0).json();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

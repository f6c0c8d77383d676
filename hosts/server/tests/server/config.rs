//! The configuration: every problem at once, each with its place.

use countersign_server::{CONFIG_SCHEMA, Config, ConfigError, Server};
use serde_json::{Value, json};

use crate::stage::Folder;

fn parse(yaml: &str) -> Result<Config, ConfigError> {
    Config::parse("server.yaml", yaml.as_bytes().to_vec())
}

/// The line of [`GOOD`].
const PROXIES: &str = "trusted_proxies: [\"127.0.0.1\", \"10.0.0.0/8\"]\n";

const GOOD: &str = "\
listen: \"127.0.0.1:9191\"
trusted_proxies: [\"127.0.0.1\", \"10.0.0.0/8\"]
policies:
  app: { file: policy.yaml }
dialects: [nginx]
";

#[test]
fn every_problem_is_said_with_its_line() {
    let yaml = "\
listen: nowhere
socket_mode: 660
trusted_proxies: [\"0.0.0.0/0\", \"10.0.0.1/8\", ten, \"::/0\", \"::ffff:10.0.0.0/120\"]
policies:
  \"a/b\": { file: x }
  app: { fiel: policy.yaml }
dialects: [nginx, apache]
secrets: { s: { file: a, env: B } }
operations: here
admin: \"0.0.0.0:9193\"
limits: { questions: 0, queue: 7 }
more: 1
";
    let error = parse(yaml).unwrap_err();
    let found: Vec<_> = error
        .0
        .iter()
        .map(|problem| {
            (
                problem.position.unwrap().line,
                problem.pointer.as_str(),
                problem.code.as_str(),
            )
        })
        .collect();
    let expected = [
        (1, "/listen", "value_invalid"),
        (2, "/socket_mode", "type_wrong"),
        (3, "/trusted_proxies/0", "value_invalid"),
        (3, "/trusted_proxies/1", "value_invalid"),
        (3, "/trusted_proxies/2", "value_invalid"),
        (3, "/trusted_proxies/3", "value_invalid"),
        (3, "/trusted_proxies/4", "value_invalid"),
        (5, "/policies/a~1b", "value_invalid"),
        (6, "/policies/app", "value_invalid"),
        (6, "/policies/app/fiel", "field_unknown"),
        (7, "/dialects/1", "value_invalid"),
        (8, "/secrets/s", "value_invalid"),
        (9, "/operations", "value_invalid"),
        (10, "/admin", "value_invalid"),
        (11, "/limits/questions", "value_out_of_range"),
        (11, "/limits/queue", "field_unknown"),
        (12, "/more", "field_unknown"),
    ];
    let mut sorted = found.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
}

#[test]
fn who_may_ask_has_to_be_said_over_tcp_and_only_there() {
    assert!(parse(GOOD).is_ok());
    let without = GOOD.replace(PROXIES, "");
    let error = parse(&without).unwrap_err().to_string();
    assert!(error.contains("`trusted_proxies` is missing"), "{error}");
    // A certificate of a proxy says it too; one of the server alone does not.
    let tls = format!("{without}tls: {{ certificate: a, key: b, client_ca: c }}\n");
    assert!(parse(&tls).is_ok());
    assert!(parse(&tls.replace(", client_ca: c", "")).is_err());
    let unix = without.replace("\"127.0.0.1:9191\"", "unix:/run/gate.sock");
    assert!(parse(&unix).is_ok());
    let error = parse(&GOOD.replace("\"127.0.0.1:9191\"", "unix:/run/gate.sock")).unwrap_err();
    assert!(
        error.to_string().contains("`trusted_proxies` is for TCP"),
        "{error}"
    );
}

#[test]
fn paths_are_relative_to_the_folder_of_the_configuration() {
    let yaml = GOOD
        .replace("\"127.0.0.1:9191\"", "unix:gate.sock")
        .replace(PROXIES, "");
    let config = Config::parse("/etc/countersign/server.yaml", yaml.into_bytes()).unwrap();
    assert_eq!(config.listen.to_string(), "unix:/etc/countersign/gate.sock");
    let policy = format!("{:?}", config.policies["app"].policy);
    assert!(policy.contains("/etc/countersign/policy.yaml"), "{policy}");
}

/// One place in the schema for each word of the reader, and the other way round: each word
/// is accepted by the reader with a good value, or refused for its value, never as unknown.
#[test]
fn the_schema_and_the_reader_know_the_same_words() {
    let schema: Value = serde_json::from_str(CONFIG_SCHEMA).unwrap();
    let words = |pointer: &str| -> Vec<String> {
        let properties = schema.pointer(pointer).unwrap().as_object().unwrap();
        properties.keys().cloned().collect()
    };
    let places = [
        ("/properties", vec![]),
        ("/properties/tls/properties", vec!["tls"]),
        ("/properties/decision_log/properties", vec!["decision_log"]),
        ("/properties/limits/properties", vec!["limits"]),
        ("/$defs/policy/properties", vec!["policies", "app"]),
        (
            "/$defs/policy/properties/signed/properties",
            vec!["policies", "app", "signed"],
        ),
        ("/$defs/secret/properties", vec!["secrets", "s"]),
        (
            "/properties/introspection/properties",
            vec!["introspection"],
        ),
        (
            "/$defs/introspectionClient/properties",
            vec!["introspection", "clients", "c"],
        ),
    ];
    for (pointer, path) in places {
        let known = words(pointer);
        let mut inner = json!({ "no_such_word": 1 });
        for word in &known {
            // Of no type that any word has.
            inner[word] = json!(null);
        }
        let config = path
            .iter()
            .rev()
            .fold(inner, |inner, name| json!({ *name: inner }));
        let error = Config::parse("server.json", config.to_string().into_bytes()).unwrap_err();
        let unknown = error
            .0
            .iter()
            .filter(|problem| problem.code == "field_unknown");
        let unknown: Vec<_> = unknown.collect();
        let at = format!(
            "{}/no_such_word",
            path.iter()
                .map(|name| format!("/{name}"))
                .collect::<String>()
        );
        let here: Vec<_> = unknown
            .iter()
            .filter(|problem| {
                problem
                    .pointer
                    .starts_with(at.trim_end_matches("no_such_word"))
            })
            .collect();
        let pointers: Vec<_> = here
            .iter()
            .map(|problem| problem.pointer.as_str())
            .collect();
        assert_eq!(pointers, [at], "{pointer}");
        // The message names every word.
        for word in &known {
            assert!(
                here[0].message.contains(&format!("`{word}`")),
                "{word}: {}",
                here[0].message
            );
        }
        let named = here[0].message.matches('`').count() / 2 - 1;
        assert_eq!(named, known.len(), "{pointer}: {}", here[0].message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_of_every_file_is_said_at_once() {
    let folder = Folder::new();
    folder.write(
        "bad.yaml",
        "contract: \"1\"\nissuers: []\nrules:\n  - { path: x, requir: {} }\n",
    );
    folder.write("shadow.yaml", "contract: \"1\"\n  rules: [\n");
    let config = folder.config(json!({
        "policies": {
            "app": { "file": "policy.json", "shadow": "shadow.yaml" },
            "bad": { "file": "bad.yaml" },
            "absent": { "file": "absent.yaml" },
        },
        "secrets": { "s": { "env": "COUNTERSIGN_NO_SUCH_VARIABLE" } },
        "tls": { "certificate": "absent.crt", "key": "policy.json" },
        "decision_log": { "file": "no/folder/log" },
    }));
    let error = Server::open(folder.parse(&config)).await.unwrap_err();
    let text = error.to_string();
    for part in [
        "bad.yaml:4:",
        "/rules/0/requir",
        "shadow.yaml:",
        "absent.yaml: it cannot be read",
        "COUNTERSIGN_NO_SUCH_VARIABLE",
        "absent.crt: it cannot be read",
        "no/folder/log: it cannot be written",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

//! The configuration: every problem at once, each with its place.

use countersign_bridge::{CONFIG_SCHEMA, Config, ConfigError};
use serde_json::Value;

fn parse(yaml: &str) -> Result<Config, ConfigError> {
    Config::parse("bridge.yaml", yaml.as_bytes().to_vec())
}

const GOOD: &str = "\
issuer: https://auth.example.com
listen: \"127.0.0.1:9400\"
database: { sqlite: bridge.db }
master_keys: [{ env: MASTER }]
tokens: { audiences: [platform] }
";

#[test]
fn a_small_configuration_is_good() {
    let config = parse(GOOD).unwrap();
    assert_eq!(config.issuer.as_str(), "https://auth.example.com");
    assert_eq!(config.keys.publish_s, config.keys.max_age_s + 40);
}

#[test]
fn every_problem_is_said_with_its_line() {
    let yaml = "\
issuer: https://auth.example.com/
listen: nowhere
database: { sqlite: a, postgres: { env: B } }
master_keys: []
keys: { algorithm: HS256, max_age_s: 300, publish_s: 300 }
tokens: { audiences: [platform], pat_s: 3600 }
clients:
  p_1: { public: true, grants: [device_code] }
  phone: { public: true, grants: [client_credentials] }
  both: { secrets: [{ env: A }], public: true, grants: [implicit] }
  other: { secrets: [{ env: A }], grants: [client_credentials], audiences: [elsewhere], scopes: [\"a b\"] }
trusted_proxies: [\"0.0.0.0/0\"]
limits: { requests: 0, queue: 7 }
more: 1
";
    let error = parse(yaml).unwrap_err();
    let mut found: Vec<_> = error
        .0
        .iter()
        .map(|problem| {
            let line = problem.position.unwrap().line;
            (line, problem.pointer.as_str(), problem.code.as_str())
        })
        .collect();
    found.sort_unstable();
    let expected = [
        (1, "/issuer", "value_invalid"),
        (2, "/listen", "value_invalid"),
        (3, "/database", "value_invalid"),
        (4, "/master_keys", "value_invalid"),
        (5, "/keys", "value_invalid"),
        (5, "/keys/algorithm", "value_invalid"),
        (6, "/tokens/pat_s", "value_out_of_range"),
        (8, "/clients/p_1", "value_invalid"),
        (9, "/clients/phone", "value_invalid"),
        (10, "/clients/both", "value_invalid"),
        (10, "/clients/both/grants/0", "value_invalid"),
        (11, "/clients/other/audiences/0", "value_invalid"),
        (11, "/clients/other/scopes/0", "value_invalid"),
        (12, "/trusted_proxies/0", "value_invalid"),
        (13, "/limits/queue", "field_unknown"),
        (13, "/limits/requests", "value_out_of_range"),
        (14, "/more", "field_unknown"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_issuer_has_one_spelling() {
    for issuer in [
        "https://auth.example.com/",
        "https://auth.example.com/path",
        "https://AUTH.example.com",
        "https://auth.example.com:443",
        "https://user@auth.example.com",
        "https://auth.example.com?x",
        "http://auth.example.com",
        "http://127.0.0.1.example.com",
        "ftp://auth.example.com",
        "auth.example.com",
    ] {
        let yaml = GOOD.replace("https://auth.example.com", issuer);
        assert!(parse(&yaml).is_err(), "{issuer}");
    }
    for issuer in [
        "http://127.0.0.1:9400",
        "http://localhost:9400",
        "https://a.b:8443",
    ] {
        let yaml = GOOD.replace("https://auth.example.com", issuer);
        assert!(parse(&yaml).is_ok(), "{issuer}");
    }
}

#[test]
fn tokens_do_not_come_over_plain_http_from_elsewhere() {
    let open = GOOD.replace("127.0.0.1:9400", "0.0.0.0:9400");
    let error = parse(&open).unwrap_err().to_string();
    assert!(error.contains("plain HTTP"), "{error}");
    for good in [
        "tls: { certificate: a, key: b }\n",
        "trusted_proxies: [\"10.0.0.0/8\"]\n",
    ] {
        assert!(parse(&format!("{open}{good}")).is_ok(), "{good}");
    }
}

#[test]
fn the_schema_has_the_words_of_the_configuration() {
    let schema: Value = serde_json::from_str(CONFIG_SCHEMA).unwrap();
    let words = schema["properties"].as_object().unwrap();
    let error = parse(&format!("{GOOD}more: 1\n")).unwrap_err().to_string();
    for word in words.keys() {
        assert!(error.contains(&format!("`{word}`")), "{word}: {error}");
    }
    let known = error.split("known here: ").nth(1).unwrap();
    assert_eq!(known.matches("`, `").count() + 1, words.len(), "{error}");
}

#[test]
fn the_example_of_the_readme_is_accepted() {
    let readme = include_str!("../../README.md");
    let example = readme.split("```yaml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let config = Config::parse("bridge.yaml", example.as_bytes().to_vec());
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.clients.len(), 3);
}

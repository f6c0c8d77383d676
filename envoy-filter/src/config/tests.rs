use super::*;

const POLICY: &str = r#"{
    "contract": "1",
    "issuers": [{ "name": "p", "issuer": "https://auth.example.com", "audiences": "any",
        "algorithms": ["RS256"], "keys": { "jwks_uri": "https://keys.example.com:8443/jwks" } }],
    "rules": [{ "path": "/**", "require": {} }]
}"#;

fn read(envoy: &str) -> Result<Configuration, Vec<(String, &'static str)>> {
    let text = format!(r#"{{ "policy": {POLICY}, "envoy": {envoy} }}"#);
    Configuration::read(text.as_bytes(), 1).map_err(places)
}

fn places(problems: Vec<Problem>) -> Vec<(String, &'static str)> {
    let place = |problem: Problem| (problem.pointer, problem.code);
    problems.into_iter().map(place).collect()
}

#[test]
fn a_policy_alone_is_a_configuration() {
    let policy = r#"{ "contract": "1", "issuers": [{ "name": "p", "issuer": "p",
        "audiences": "any", "algorithms": ["HS256"],
        "keys": { "secrets": [{ "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }] } }] }"#;
    let configuration = Configuration::read(policy.as_bytes(), 1).unwrap();
    assert_eq!(configuration.settings, Settings::default());
}

#[test]
fn a_document_that_no_cluster_fetches_is_a_problem() {
    let problems = Configuration::read(POLICY.as_bytes(), 1).unwrap_err();
    assert!(problems[0].message.contains("`keys.example.com:8443`"));
    assert_eq!(
        places(problems),
        [("/envoy/clusters".into(), "cluster_missing")]
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let text = r#"{
        "policy": { "contract": "1", "issuers": [], "colour": 1 },
        "envoy": { "clusters": { "a": 1, "https://b": "b", "c": { "cluster": "", "x": 1 }, "d": {} },
                   "fetch_timeout_ms": 0, "max_waiting": "many", "metrics_prefix": "a b",
                   "filter_state": ["sub"], "code_header": 1, "colour": 1 },
        "colour": 1
    }"#;
    let problems = Configuration::read(text.as_bytes(), 1).unwrap_err();
    assert_eq!(
        places(problems),
        [
            ("/policy/issuers", "value_invalid"),
            ("/policy/colour", "field_unknown"),
            ("/envoy/clusters/a", "type_wrong"),
            ("/envoy/clusters/https:~1~1b", "value_invalid"),
            ("/envoy/clusters/c/cluster", "value_invalid"),
            ("/envoy/clusters/d", "field_missing"),
            ("/envoy/fetch_timeout_ms", "value_out_of_range"),
            ("/envoy/max_waiting", "type_wrong"),
            ("/envoy/metrics_prefix", "value_invalid"),
            ("/envoy/filter_state/0", "value_invalid"),
            ("/envoy/code_header", "type_wrong"),
            ("/envoy/colour", "field_unknown"),
            ("/colour", "field_unknown"),
        ]
        .map(|(pointer, code)| (pointer.to_owned(), code))
    );
}

#[test]
fn a_cluster_is_found_by_host_and_port_by_host_or_for_all() {
    let envoy =
        r#"{ "clusters": { "KEYS.example.com": "host", "keys.example.com:8443": "port" } }"#;
    let clusters = read(envoy).unwrap().settings.clusters;
    let of = |uri| clusters.of(&Address::of(uri).unwrap()).map(|c| c.name);
    assert_eq!(of("https://keys.example.com:8443/jwks").unwrap(), "port");
    assert_eq!(of("https://keys.example.com/jwks").unwrap(), "host");
    assert_eq!(of("https://keys.example.com:444/jwks").unwrap(), "host");
    assert_eq!(of("https://other.example.com/jwks"), None);

    let envoy = r#"{ "clusters": { "*": { "cluster": "outbound|{port}||{host}", "authority": "egress" } } }"#;
    let clusters = read(envoy).unwrap().settings.clusters;
    let address = Address::of("https://keys.example.com:8443/jwks").unwrap();
    let cluster = clusters.of(&address).unwrap();
    assert_eq!(cluster.name, "outbound|8443||keys.example.com");
    assert_eq!(cluster.authority.as_deref(), Some("egress"));
}

#[test]
fn discovery_cannot_direct_fetches_to_an_unnamed_host() {
    let outbound = "outbound|{port}||{host}";
    let envoy = format!(
        r#"{{ "clusters": {{ "*": "{outbound}", "cdn.example.com": "{outbound}",
            "cdn.example.com:8080": "{outbound}" }} }}"#
    );
    let clusters = read(&envoy).unwrap().settings.clusters;
    let of = |uri| clusters.of(&Address::of(uri).unwrap()).map(|c| c.name);
    for (uri, cluster) in [
        (
            "https://keys.example.com:8443/elsewhere",
            Some("outbound|8443||keys.example.com"),
        ),
        (
            "https://KEYS.example.com:8443/",
            Some("outbound|8443||keys.example.com"),
        ),
        (
            "https://cdn.example.com/jwks",
            Some("outbound|443||cdn.example.com"),
        ),
        (
            "https://cdn.example.com:443/jwks",
            Some("outbound|443||cdn.example.com"),
        ),
        (
            "http://cdn.example.com:8080/jwks",
            Some("outbound|8080||cdn.example.com"),
        ),
        ("https://keys.example.com/", None),
        ("https://keys.example.com:9443/", None),
        ("https://cdn.example.com:6379/", None),
        ("http://payments.internal/", None),
        ("http://127.0.0.1:15000/quitquitquit", None),
    ] {
        assert_eq!(of(uri).as_deref(), cluster, "{uri}");
    }

    let envoy = r#"{ "clusters": { "*": { "cluster": "egress" } } }"#;
    let clusters = read(envoy).unwrap().settings.clusters;
    let of = |uri| clusters.of(&Address::of(uri).unwrap()).map(|c| c.name);
    assert_eq!(of("https://keys.example.com:8443/jwks").unwrap(), "egress");
    assert_eq!(
        of("https://payments.internal/"),
        None,
        "an egress cluster can reach any host"
    );
}

#[test]
fn settings_are_read() {
    let envoy = r#"{ "clusters": { "*": "c" }, "fetch_timeout_ms": 100, "max_waiting": 2,
        "max_wait_ms": 300, "metrics_prefix": "edge.gate", "filter_state": ["code", "subject"],
        "bypass_cors_preflight": true, "code_header": true }"#;
    let settings = read(envoy).unwrap().settings;
    assert_eq!(settings.fetch_timeout_ms, 100);
    assert_eq!((settings.max_waiting, settings.max_wait_ms), (2, 300));
    assert_eq!(settings.metrics_prefix, "edge.gate");
    let names = settings.filter_state.iter().map(|property| &*property.name);
    assert!(names.eq(["countersign.code", "countersign.subject"]));
    assert!(settings.bypass_cors_preflight && settings.code_header);
}

#[test]
fn the_log_gets_one_message() {
    let text = r#"{ "policy": { "contract": "1", "issuers": [] }, "colour": 1 }"#;
    let problems = Configuration::read(text.as_bytes(), 1).unwrap_err();
    let message = report("refused:", &problems);
    assert!(
        message.starts_with("refused:\n  at `/policy/issuers`: "),
        "{message}"
    );
    assert!(message.ends_with("(field_unknown)"), "{message}");
    assert_eq!(message.lines().count(), 3);
}

use super::*;

const POLICY: &str = r#"{
    "contract": "1",
    "issuers": [{ "name": "p", "issuer": "https://auth.example.com", "audiences": "any",
        "algorithms": ["RS256"], "keys": { "jwks_uri": "https://keys.example.com:8443/jwks" } }],
    "rules": [{ "path": "/**", "require": {} }]
}"#;

fn read(envoy: &str) -> Result<Configuration, Vec<(String, &'static str)>> {
    let text = format!(r#"{{ "policy": {POLICY}, "envoy": {envoy} }}"#);
    configuration(&text).map_err(places)
}

/// In an Envoy without cryptography for filters.
fn configuration(text: &str) -> Result<Configuration, Vec<Problem>> {
    Configuration::read(text.as_bytes(), 1, 0, || None)
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
    let settings = configuration(policy).unwrap().settings;
    assert_eq!(settings, Settings::default());
}

#[test]
fn a_document_that_no_cluster_fetches_is_a_problem() {
    let problems = configuration(POLICY).unwrap_err();
    assert!(problems[0].message.contains("`keys.example.com:8443`"));
    assert_eq!(
        places(problems),
        [("/envoy/clusters".into(), "cluster_missing")]
    );
}

#[test]
fn an_authorization_server_that_no_cluster_reaches_is_a_problem() {
    let policy = r#"{ "contract": "1", "issuers": [{ "name": "p", "audiences": "any",
        "introspection": { "uri": "https://as.example.com/introspect", "opaque": true,
            "client": { "id": "gate", "secret_from": "as" } } }] }"#;
    let with = |clusters: &str| {
        let envoy = format!(r#"{{ "secrets": {{ "as": "s" }}, "clusters": {clusters} }}"#);
        configuration(&format!(r#"{{ "policy": {policy}, "envoy": {envoy} }}"#))
    };
    let problems = with("{}").unwrap_err();
    assert!(problems[0].message.contains("`as.example.com`"));
    let missing = ("/envoy/clusters".to_owned(), "cluster_missing");
    assert_eq!(places(problems), [missing]);
    // The policy names it, so `*` reaches it.
    let read = with(r#"{ "*": "outbound|{port}||{host}" }"#).unwrap();
    let cluster = read
        .settings
        .clusters
        .of_uri("https://as.example.com/introspect");
    assert_eq!(cluster.unwrap().name, "outbound|443||as.example.com");
    assert!(!format!("{:?}", read.settings).contains(r#""s""#));
}

#[test]
fn all_problems_are_reported_at_once() {
    let text = r#"{
        "policy": { "contract": "1", "issuers": [], "colour": 1 },
        "envoy": { "clusters": { "a": 1, "https://b": "b", "c": { "cluster": "", "x": 1 }, "d": {} },
                   "fetch_timeout_ms": 0, "max_waiting": "many", "metrics_prefix": "a b",
                   "filter_state": ["sub"], "code_header": 1, "signatures": "host",
                   "colour": 1 },
        "colour": 1
    }"#;
    let problems = configuration(text).unwrap_err();
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
            ("/envoy/signatures", "value_invalid"),
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
        "bypass_cors_preflight": true, "code_header": true, "signatures": "module" }"#;
    let settings = read(envoy).unwrap().settings;
    assert_eq!(settings.fetch_timeout_ms, 100);
    assert_eq!((settings.max_waiting, settings.max_wait_ms), (2, 300));
    assert_eq!(settings.metrics_prefix, "edge.gate");
    let names = settings.filter_state.iter().map(|property| &*property.name);
    assert!(names.eq(["countersign.code", "countersign.subject"]));
    assert!(settings.bypass_cors_preflight && settings.code_header);
}

#[test]
fn envoy_verifies_only_if_its_setting_says_so() {
    let provider = || Some(Provider::of("BoringSSL"));
    let with = |policy: &str, signatures: &str| {
        let envoy = r#""clusters": { "*": "c" }"#;
        let text = format!(
            r#"{{ "policy": {policy}, "envoy": {{ {envoy}, "signatures": "{signatures}" }} }}"#
        );
        let read = Configuration::read(text.as_bytes(), 1, 0, provider);
        read.map(|read| read.provider).map_err(places)
    };
    assert_eq!(with(POLICY, "native"), Ok(provider()));
    assert_eq!(with(POLICY, "module"), Ok(None));

    let unavailable = |pointer: &str| Err(vec![(pointer.to_owned(), "signatures_unavailable")]);
    let demanding =
        |rest: &str| POLICY.replacen('{', &format!(r#"{{ "signatures": "native",{rest}"#), 1);
    assert_eq!(with(&demanding(""), "native"), Ok(provider()));
    assert_eq!(
        with(&demanding(""), "module"),
        unavailable("/policy/signatures")
    );
    let pss = demanding("").replace("RS256", "PS256");
    assert_eq!(with(&pss, "native"), unavailable("/policy/signatures"));
    let fips = demanding(r#" "fips": true,"#);
    assert_eq!(with(&fips, "native"), unavailable("/policy/fips"));
}

#[test]
fn a_proxy_without_cryptography_for_filters_cannot_verify() {
    let problems = read(r#"{ "clusters": { "*": "c" }, "signatures": "native" }"#).unwrap_err();
    let expected = ("/envoy/signatures".to_owned(), "signatures_unavailable");
    assert_eq!(problems, [expected]);
}

#[test]
fn the_log_gets_one_message() {
    let text = r#"{ "policy": { "contract": "1", "issuers": [] }, "colour": 1 }"#;
    let problems = configuration(text).unwrap_err();
    let message = report("refused:", &problems);
    assert!(
        message.starts_with("refused:\n  at `/policy/issuers`: "),
        "{message}"
    );
    assert!(message.ends_with("(field_unknown)"), "{message}");
    assert_eq!(message.lines().count(), 3);
}

const KEY: &str = "jYmlyW9yZC7WciGVayH9Zlm3NDgXPj1EpICeF2J8IHE";

/// A policy that was signed for the audience `production` until 2100, in the
/// version 7, by `tests/keys/ed25519.json`.
const SIGNED: &str = include_str!("signed.jws");

fn signed(trust: &str, more: &str) -> Result<Configuration, Vec<(String, &'static str)>> {
    let key = format!(r#"{{ "kty": "OKP", "crv": "Ed25519", "kid": "ed25519", "x": "{KEY}" }}"#);
    let text = format!(
        r#"{{ "signed_policy": "{}", "trust": {{ "keys": [{key}], "policy": "edge"{trust} }}{more} }}"#,
        SIGNED.trim()
    );
    configuration(&text).map_err(places)
}

#[test]
fn a_signed_policy_is_a_configuration() {
    let trust = r#", "audience": "production", "min_version": 7"#;
    let clusters = r#", "envoy": { "clusters": { "*": "auth" } }"#;
    let read = signed(trust, clusters).unwrap();
    assert_eq!(read.uris(), ["https://keys.example.com:8443/jwks".into()]);
    for (trust, more, place, code) in [
        (trust, "", "/envoy/clusters", "cluster_missing"),
        (
            r#", "audience": "staging""#,
            clusters,
            "/signed_policy",
            "audience_mismatch",
        ),
        (
            r#", "audience": "production", "min_version": 8"#,
            clusters,
            "/signed_policy",
            "version_old",
        ),
        (
            r#", "audience": "production", "min_version": -8"#,
            clusters,
            "/trust/min_version",
            "value_invalid",
        ),
        (
            r#", "audience": "production", "max_version": 8"#,
            clusters,
            "/trust/max_version",
            "field_unknown",
        ),
        ("", clusters, "/trust/audience", "value_invalid"),
        (trust, r#", "policy": {}"#, "/signed_policy", "conflict"),
    ] {
        let problems = signed(trust, more).unwrap_err();
        assert_eq!(problems, [(place.to_owned(), code)], "{trust}{more}");
    }
}

#[test]
fn a_trust_and_a_signed_policy_belong_together() {
    let problem = |text: &str| configuration(text).map_err(places).unwrap_err().remove(0);
    let missing = (String::new(), "field_missing");
    assert_eq!(problem(r#"{ "signed_policy": "a.b.c" }"#), missing);
    let text = format!(
        r#"{{ "policy": {POLICY}, "trust": {{}}, "envoy": {{ "clusters": {{ "*": "c" }} }} }}"#
    );
    assert_eq!(problem(&text), ("/trust".into(), "conflict"));
    let wrong = ("/signed_policy".into(), "type_wrong");
    assert_eq!(problem(r#"{ "signed_policy": 1, "trust": {} }"#), wrong);
}

#[test]
fn a_shadow_is_opened_beside_the_policy() {
    let other = POLICY.replace("keys.example.com:8443", "other.example.com");
    let with = |shadow: &str, clusters: &str| {
        let envoy = format!(r#"{{ "clusters": {clusters} }}"#);
        let text = format!(r#"{{ "policy": {POLICY}, "shadow": {shadow}, "envoy": {envoy} }}"#);
        configuration(&text).map_err(places)
    };
    let read = with(&other, r#"{ "*": "auth" }"#).unwrap();
    let uris = [
        "https://keys.example.com:8443/jwks",
        "https://other.example.com/jwks",
    ];
    assert_eq!(read.uris(), uris.map(Into::into));
    assert_ne!(read.gate.digest(), read.shadow.unwrap().digest());
    let missing = ("/envoy/clusters".to_owned(), "cluster_missing");
    assert_eq!(
        with(&other, r#"{ "keys.example.com": "auth" }"#).unwrap_err(),
        [missing]
    );
    let broken = with(r#"{ "contract": "1", "issuers": [], "colour": 1 }"#, "1").unwrap_err();
    let places = ["/shadow/issuers", "/shadow/colour", "/envoy/clusters"];
    assert!(
        broken.iter().map(|(place, _)| &**place).eq(places),
        "{broken:?}"
    );
}

#[test]
fn a_shadow_asks_no_authorization_server() {
    let shadow = r#"{ "contract": "1", "issuers": [{ "name": "p", "audiences": "any",
        "introspection": { "uri": "https://as.example.com/introspect", "opaque": true,
            "client": { "id": "gate", "secret_from": "as" } } }] }"#;
    let envoy = r#"{ "secrets": { "as": "s" }, "clusters": { "keys.example.com": "keys" } }"#;
    let text = format!(r#"{{ "policy": {POLICY}, "shadow": {shadow}, "envoy": {envoy} }}"#);
    assert_eq!(configuration(&text).unwrap().uris().len(), 1);
}

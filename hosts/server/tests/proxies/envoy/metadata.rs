//! What Envoy learns of a decision over gRPC for its access log and other filters, and of
//! the server's health.

use countersign_artefact_tests::stage::eventually;
use countersign_proxy_config::Kind;
use serde_json::json;

use super::{Scene, binary, replaced};
use crate::stage::{folder, issuer::Tokens};

const FACTS: [&str; 7] = [
    "subject",
    "tenant",
    "roles",
    "code",
    "rule",
    "rule_index",
    "policy_digest",
];

#[test]
fn the_access_log_has_the_facts_that_the_configuration_names() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    let rules = json!([
        { "path": "/public/**", "public": true },
        { "name": "orgs", "path": "/orgs/{org}/**", "require": { "tenant": "{org}" } },
    ]);
    let policy = tokens.policy(json!({ "rules": rules }));
    let log = folder("envoy-log").join("access");
    let mut scene = Scene::with(&binary, Kind::EnvoyGrpc, &policy, |text| {
        let fact = |fact: &str| format!("%DYNAMIC_METADATA(envoy.filters.http.ext_authz:{fact})%");
        let line = FACTS.map(fact).join(" ");
        let manager = format!(
            "access_log:\n                  - name: file\n                    typed_config:\n                      \
             \"@type\": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog\n                      \
             path: {}\n                      log_format: {{ text_format_source: {{ inline_string: \"{line}\\n\" }} }}\n                \
             stat_prefix: http",
            log.display()
        );
        replaced(text, "stat_prefix: http", &manager)
    });
    scene.server.configure("dynamic_metadata", json!(FACTS));
    let token = tokens.with(&[("sub", json!("a\nb c")), ("roles", json!(["x y", "z"]))]);
    eventually("the server is asked", || {
        scene.get("/public/a", None, "").status == 200
    });
    for (target, token) in [
        ("/orgs/acme/a", Some(&*token)),
        ("/orgs/globex/a", Some(&token)),
        ("/other", None),
    ] {
        scene.get(target, token, "connection: close\r\n");
    }
    let mut lines = Vec::new();
    eventually("the log is written", || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        lines = text.lines().map(|line| line.replace('"', "")).collect();
        lines
            .iter()
            .filter(|line| !line.contains("/rules/0"))
            .count()
            >= 3
    });
    let digest = |line: &String| line.rsplit(' ').next().unwrap().to_owned();
    let of = |start: &str| {
        lines
            .iter()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("{start}: {lines:#?}"))
    };
    let allowed = of("a%0Ab%20c acme x%20y z - orgs 1 ");
    assert_eq!(digest(allowed).len(), 64, "{allowed}");
    of("- - - tenant_denied orgs 1 ");
    of("- - - rule_denied - - ");
}

#[test]
fn a_server_without_its_keys_is_not_healthy() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let policy = tokens.policy(json!({ "issuers": [{
        "name": "dev", "issuer": "https://id.example.com", "audiences": ["api"], "algorithms": ["ES256"],
        "keys": { "jwks_uri": format!("http://{nobody}/jwks"), "insecure_http": true },
        "claims": { "tenant": "/tenant_id" },
    }] }));
    let healthy = "cluster.countersign.membership_healthy";
    let scene = Scene::new(&binary, Kind::EnvoyGrpc, &policy);
    eventually("it is asked about its health", || {
        scene
            .envoy
            .metric("cluster.countersign.health_check.failure")
            >= Some(1)
    });
    assert_eq!(scene.envoy.metric(healthy), Some(0));
    let scene = Scene::new(&binary, Kind::EnvoyGrpc, &tokens.policy(json!({})));
    eventually("it is healthy", || scene.envoy.metric(healthy) == Some(1));
}

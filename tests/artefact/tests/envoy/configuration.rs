//! Tests of the plugin's configuration, and of Envoy's reaction to an invalid
//! one.

use std::fs;

use countersign_artefact_tests::{cases, token::Key};
use serde_json::{Value, json};

use crate::stage::{
    self,
    envoy::Envoy,
    eventually,
    issuer::{Document, Issuer, JWKS},
    policy,
    setup::{self, Setup},
    upstream,
};

#[test]
fn a_struct_is_read_like_text() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let inline = policy::of(json!({ "jwks": { "keys": [key.public()] } }));
    for configuration in [inline.clone(), json!({ "policy": inline, "envoy": {} })] {
        let any = setup::structure(&configuration);
        let envoy = Envoy::start(&binary, &Setup::with_any(&any, upstream::echo()));
        assert_eq!(envoy.get("/", Some(&policy::token(&key))).status, 200);
        assert_eq!(envoy.get("/", None).code(), "token_missing");
    }
}

#[test]
fn a_signed_policy_is_opened_by_the_trust_beside_it() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    let signed = include_str!("../../../../envoy-filter/src/config/signed.jws").trim();
    let with = |min_version: u32| {
        json!({
            "signed_policy": signed,
            "trust": {
                "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "ed25519",
                    "x": "jYmlyW9yZC7WciGVayH9Zlm3NDgXPj1EpICeF2J8IHE" }],
                "policy": "edge", "audience": "production", "min_version": min_version,
            },
            "envoy": { "clusters": { "keys.example.com": "issuer" } },
        })
    };
    for any in [setup::text(&with(7)), setup::structure(&with(7))] {
        let setup = Setup::with_any(&any, upstream::echo()).cluster("issuer", issuer.address);
        let envoy = Envoy::start(&binary, &setup);
        assert_eq!(envoy.get("/", Some(&policy::token(&key))).status, 200);
        assert_eq!(envoy.get("/", None).code(), "token_missing");
    }
    let setup = stage::fetching(&issuer, &with(8));
    let log = Envoy::refuse(&binary, &setup);
    assert!(
        log.contains("a later version was in force (version_old)"),
        "{log}"
    );
}

#[test]
fn a_refused_configuration_logs_all_problems_in_one_message() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let configuration = json!({
        "policy": { "contract": "1", "issuers": [], "rules": [{ "path": "healthz", "public": true }], "colour": 1 },
        "envoy": { "fetch_timeout_ms": 0 },
    });
    for any in [
        setup::text(&configuration),
        setup::structure(&configuration),
    ] {
        let log = Envoy::refuse(&binary, &Setup::with_any(&any, upstream::echo()));
        let (_, message) = log
            .split_once("the configuration is refused:\n")
            .expect(&log);
        let problems: Vec<&str> = message
            .lines()
            .take_while(|line| line.starts_with("  at `"))
            .collect();
        assert_eq!(problems.len(), 4, "{log}");
        for pointer in [
            "`/policy/issuers`",
            "`/policy/rules/0/path`",
            "`/policy/colour`",
            "`/envoy/fetch_timeout_ms`",
        ] {
            assert!(
                problems.iter().any(|line| line.contains(pointer)),
                "{pointer}: {log}"
            );
        }
    }
}

#[test]
fn a_document_without_a_cluster_is_a_problem_at_once() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let log = Envoy::refuse(&binary, &Setup::new(&policy::fetched(), upstream::echo()));
    assert!(
        log.contains("(cluster_missing)") && log.contains("`auth.example.com`"),
        "{log}"
    );
}

#[test]
fn an_invalid_policy_leaves_the_old_one_in_force() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (a, b) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let inline = |key: &Key| policy::of(json!({ "jwks": { "keys": [key.public()] } }));
    let listener = Reloaded::new();
    let envoy = Envoy::start(&binary, &listener.write(&inline(&a)));
    assert_eq!(envoy.get("/", Some(&policy::token(&a))).status, 200);

    let mut broken = inline(&a);
    broken["rules"] = json!([{ "path": "everything", "public": true }]);
    listener.write(&broken);
    eventually("Envoy refuses the policy", || {
        envoy.metric("listener_manager.lds.update_rejected") == Some(1)
    });
    assert!(envoy.log().contains("`/rules/0/path`"), "{}", envoy.log());
    assert_eq!(envoy.get("/", Some(&policy::token(&a))).status, 200);
    assert_eq!(envoy.get("/", None).status, 401);

    listener.write(&inline(&b));
    eventually("the next valid policy is in force", || {
        envoy.get("/", Some(&policy::token(&b))).status == 200
    });
    assert_eq!(
        envoy.get("/", Some(&policy::token(&a))).code(),
        "key_unknown"
    );
}

#[test]
fn a_misspelled_cluster_leaves_the_old_configuration_in_force() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    let with = |cluster: &str, prefix: &str| {
        json!({ "policy": policy::fetched(), "envoy": {
            "clusters": { "auth.example.com": cluster }, "metrics_prefix": prefix,
        } })
    };
    let listener = Reloaded::new();
    let setup = listener.write(&with("issuer", "first"));
    let envoy = Envoy::start(&binary, &setup.cluster("issuer", issuer.address));
    let token = policy::token(&key);
    assert_eq!(envoy.get("/", Some(&token)).status, 200);

    listener.write(&with("isuer", "second"));
    eventually("Envoy refuses it", || {
        envoy.metric("listener_manager.lds.update_rejected") == Some(1)
    });
    let log = envoy.log();
    assert!(
        log.contains("(cluster_unknown)") && log.contains("`isuer`"),
        "{log}"
    );
    assert_eq!(envoy.get("/", Some(&token)).status, 200);

    listener.write(&with("issuer", "third"));
    eventually("the next valid one is in force", || {
        envoy.metric("wasmcustom.third.started").is_some()
    });
    assert_eq!(envoy.get("/", Some(&token)).status, 200);
    assert_eq!(
        issuer.asked(JWKS),
        1,
        "to ask for a cluster is to ask no issuer"
    );
}

#[test]
fn a_misspelled_cluster_of_an_authorization_server_is_refused_too() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let asking = |cluster: &str| {
        let mut policy = policy::inline(&key);
        policy["issuers"].as_array_mut().unwrap().push(json!({
            "name": "legacy", "audiences": ["platform"], "introspection": {
                "uri": "https://as.example.com/introspect", "prefix": ["opq_"],
                "client": { "id": "gate", "secret": "a secret" },
            },
        }));
        json!({ "policy": policy, "envoy": { "clusters": { "as.example.com": cluster } } })
    };
    let (listener, issuer) = (Reloaded::new(), Issuer::start());
    let setup = listener.write(&policy::inline(&key));
    let envoy = Envoy::start(&binary, &setup.cluster("issuer", issuer.address));
    assert_eq!(envoy.get("/", Some(&policy::token(&key))).status, 200);
    listener.write(&asking("isuer"));
    eventually("Envoy refuses it", || {
        envoy.metric("listener_manager.lds.update_rejected") == Some(1)
    });
    assert!(envoy.log().contains("(cluster_unknown)"), "{}", envoy.log());
    listener.write(&asking("issuer"));
    eventually("the right one is in force", || {
        envoy.get("/", Some("opq_1")).code() == "introspection_unavailable"
    });
    let asked = issuer.heads();
    let is_question = |head: &String| head.starts_with("POST /introspect ");
    assert!(asked.iter().all(is_question), "{asked:?}");
}

#[test]
fn a_missing_cluster_at_the_start_is_logged() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let configuration = policy::by_cluster(&policy::fetched());
    let envoy = Envoy::start(&binary, &Setup::new(&configuration, upstream::echo()));
    let token = policy::token(&Key::read("rsa-2048-a"));
    assert_eq!(envoy.get("/", Some(&token)).code(), "keys_unavailable");
    assert!(
        envoy.log().contains("Envoy has no cluster `issuer`"),
        "{}",
        envoy.log()
    );
    assert_eq!(envoy.get("/public/", None).status, 200);
}

/// A file with a listener, which Envoy watches.
struct Reloaded(std::path::PathBuf, std::net::SocketAddr);

impl Reloaded {
    fn new() -> Self {
        let folder = countersign_artefact_tests::dist::root().join("target/envoy-tests");
        fs::create_dir_all(&folder).unwrap();
        let name = format!("listener-{}-{}.json", std::process::id(), cases::now_ms());
        Self(folder.join(name), upstream::echo())
    }

    fn write(&self, policy: &Value) -> Setup {
        let (setup, listener) = Setup::new(policy, self.1).dynamic(self.0.to_str().unwrap());
        // Envoy notices a file that replaces another.
        let next = self.0.with_extension("next");
        fs::write(&next, listener.to_string()).unwrap();
        fs::rename(&next, &self.0).unwrap();
        setup
    }
}

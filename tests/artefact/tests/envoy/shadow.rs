//! Tests of a candidate beside the policy in force: it changes nothing, sends no
//! token, and is counted.

use countersign_artefact_tests::token::Key;
use serde_json::{Value, json};

use crate::stage::{
    self,
    envoy::Envoy,
    eventually,
    issuer::{Document, Issuer, JWKS},
    policy,
    setup::Setup,
    upstream,
};

/// `all` needs a scope that the tokens do not have, and its headers differ.
fn stricter() -> Value {
    let mut shadow = policy::fetched();
    shadow["rules"] = json!([
        { "path": "/public/**", "require": {} },
        { "path": "/same/**", "require": {} },
        { "path": "/renamed/**", "require": { "issuers": ["platform"] } },
        { "path": "/**", "require": { "scopes": ["assets:delete"] } },
    ]);
    shadow
}

fn enforced() -> Value {
    let mut enforced = policy::fetched();
    enforced["rules"][0]["name"] = json!("public pages");
    enforced["rules"][1]["name"] = json!("all");
    enforced
}

fn configuration(enforced: &Value, shadow: &Value) -> Value {
    let mut configuration = policy::by_cluster(enforced);
    configuration["shadow"] = shadow.clone();
    configuration
}

/// Waits until these counters of `shadow.` have these counts.
fn counts(envoy: &Envoy, expected: &[(&str, u64)]) {
    let metric = |name: &str| envoy.metric(&format!("wasmcustom.countersign.shadow.{name}"));
    eventually("all is counted", || {
        let seen: Vec<_> = expected.iter().map(|(name, _)| metric(name)).collect();
        let wanted = expected.iter().map(|(_, count)| Some(*count));
        seen.into_iter().eq(wanted)
    });
}

#[test]
fn a_shadow_that_would_deny_changes_no_response_and_is_counted() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    let configuration = configuration(&enforced(), &stricter());
    let envoy = Envoy::start(&binary, &stage::fetching(&issuer, &configuration));
    let alone = stage::fetching(&issuer, &policy::by_cluster(&enforced()));
    let alone = Envoy::start(&binary, &alone);
    counts(&envoy, &[("ready", 1), ("fetches_ok", 1)]);
    let token = policy::token(&key);
    for (target, token) in [
        ("/same/a", Some(&*token)),
        ("/same/b", Some(&*token)),
        ("/", Some(&*token)),
        ("/public/a", None),
        ("/", None),
        ("/", Some("a.b.c")),
    ] {
        let (reply, usual) = (envoy.get(target, token), alone.get(target, token));
        assert_eq!(reply.status, usual.status, "{target}");
        let without_id = |text: &str| {
            let lines = text.lines();
            let same = lines.filter(|line| !line.starts_with("x-request-id:"));
            same.map(|line| line.replace(&envoy.address.to_string(), &alone.address.to_string()))
                .collect::<Vec<_>>()
        };
        assert_eq!(without_id(&reply.body), without_id(&usual.body), "{target}");
    }
    counts(
        &envoy,
        &[
            ("agree", 4),
            ("agree.all", 4),
            ("would_deny", 2),
            ("would_deny.all.scope_insufficient", 1),
            ("would_deny.public_pages.token_missing", 1),
            ("would_allow", 0),
            ("differs", 0),
            ("not_compared", 0),
            ("other", 0),
        ],
    );
}

#[test]
fn a_shadow_that_would_allow_or_sets_other_headers_is_counted() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let mut shadow = policy::inline(&key);
    shadow["rules"] =
        json!([{ "path": "/open", "public": true }, { "path": "/**", "require": {} }]);
    shadow["forward"] = json!({ "x-user": "subject" });
    let setup = Setup::new(
        &configuration(&policy::inline(&key), &shadow),
        upstream::echo(),
    );
    let envoy = Envoy::start(&binary, &setup);
    let reply = envoy.get("/", Some(&policy::token(&key)));
    assert!(
        reply.body.contains("x-auth-subject: user-1\r\n"),
        "{reply:?}"
    );
    assert!(!reply.body.contains("x-user"), "{reply:?}");
    assert_eq!(envoy.get("/open", None).code(), "token_missing");
    counts(
        &envoy,
        &[
            ("differs.rule_1", 1),
            ("would_allow.rule_1", 1),
            ("ready", 1),
        ],
    );
}

#[test]
fn a_shadow_sends_no_token_and_waits_for_nothing() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish("/introspect", Document::new(&json!({ "active": true })));
    let mut shadow = policy::of(json!({ "jwks_uri": format!("{}/late", policy::ISSUER) }));
    let opaque = json!({ "name": "as", "audiences": "any", "exp_required": false, "introspection": {
        "uri": format!("{}/introspect", policy::ISSUER), "opaque": true,
        "client": { "id": "gate", "secret_from": "as" },
    } });
    shadow["issuers"].as_array_mut().unwrap().push(opaque);
    let mut configuration = configuration(&policy::inline(&key), &shadow);
    configuration["envoy"]["secrets"] = json!({ "as": "a secret" });
    let envoy = Envoy::start(&binary, &stage::fetching(&issuer, &configuration));
    assert_eq!(envoy.get("/", Some(&policy::token(&key))).status, 200);
    assert_eq!(envoy.get("/", Some("opaque")).code(), "token_malformed");
    counts(&envoy, &[("not_compared", 2), ("ready", 0)]);
    assert_eq!(issuer.asked_by("POST", "/introspect"), 0);
    let waited = envoy.metric("wasmcustom.countersign.waited");
    assert_eq!(waited, Some(0), "no request waits for a shadow");
    let failed = envoy.metric("wasmcustom.countersign.fetches_failed");
    assert_eq!(failed, Some(0), "its documents are not those of the policy");
}

#[test]
fn a_broken_shadow_is_a_problem_of_the_configuration() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let shadow = json!({ "contract": "1", "issuers": [], "colour": 1 });
    let configuration = configuration(&policy::inline(&key), &shadow);
    let log = Envoy::refuse(&binary, &Setup::new(&configuration, upstream::echo()));
    for pointer in ["`/shadow/issuers`", "`/shadow/colour`"] {
        assert!(log.contains(pointer), "{log}");
    }
}

//! The file in Envoy decides as the native crate does.

mod server;

use countersign_artefact_tests::{
    cases::{self, Answer, Case},
    token::Key,
};
use serde_json::json;
use server::{Envoy, Reply, upstream};

#[test]
fn envoy_decides_as_the_native_crate() {
    let Some(binary) = server::binary() else {
        return;
    };
    let (key, stranger) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let now_ms = cases::now_ms();
    let policy = cases::policy(&key);
    let cases = cases::cases(&key, &stranger, now_ms);
    let expected = cases::native(&policy, &cases, now_ms);

    let envoy = Envoy::start(&binary, &policy, upstream());
    for (case, expected) in cases.iter().zip(expected) {
        let reply = send(&envoy, case);
        assert_eq!(answer(&reply), expected, "{}\n{reply:?}", case.name);
    }
}

#[test]
fn the_upstream_sees_who_is_calling_and_nobody_can_claim_to_be() {
    let Some(binary) = server::binary() else {
        return;
    };
    let (key, stranger) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let cases = cases::cases(&key, &stranger, cases::now_ms());
    let named = |name| cases.iter().find(|case| case.name == name).unwrap();

    let envoy = Envoy::start(&binary, &cases::policy(&key), upstream());
    let seen = send(&envoy, named("the caller claims to be someone")).body;
    assert!(seen.contains("x-auth-subject: user-1\r\n"), "{seen}");
    assert!(!seen.contains("admin"), "{seen}");
    let seen = send(&envoy, named("public")).body;
    assert!(!seen.contains("x-auth-subject"), "{seen}");
}

#[test]
fn envoy_logs_every_problem_of_a_policy_and_admits_nothing() {
    let Some(binary) = server::binary() else {
        return;
    };
    let policy =
        json!({ "contract": "1", "issuers": [], "rules": [{ "path": "healthz" }], "colour": 1 });

    let envoy = Envoy::start(&binary, &policy, upstream());
    let reply = envoy.send("GET", "/healthz", &[]);
    assert!(
        reply.as_ref().is_none_or(|reply| reply.status >= 500),
        "{reply:?}"
    );
    let log = envoy.stop();
    for pointer in ["`/issuers`", "`/rules/0/path`", "`/colour`"] {
        assert!(log.contains(pointer), "{pointer} is not in the log:\n{log}");
    }
}

#[test]
fn a_policy_in_a_form_that_envoy_hands_over_in_binary_is_explained() {
    let Some(binary) = server::binary() else {
        return;
    };
    let policy = json!({ "@type": "type.googleapis.com/google.protobuf.Struct",
                         "value": cases::policy(&Key::read("rsa-2048-a")) });
    let envoy = Envoy::start_with(&binary, &policy, upstream());
    let log = envoy.stop();
    assert!(log.contains("`google.protobuf.StringValue`"), "{log}");
}

fn send(envoy: &Envoy, case: &Case) -> Reply {
    envoy
        .send(case.method, case.target, &case.headers)
        .unwrap_or_else(|| panic!("{}: no reply", case.name))
}

fn answer(reply: &Reply) -> Answer {
    let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
    Answer {
        status: reply.status,
        code: body["code"].as_str().unwrap_or_default().to_owned(),
        challenge: reply
            .header("www-authenticate")
            .unwrap_or_default()
            .to_owned(),
    }
}

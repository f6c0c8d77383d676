//! Tests that the filter in Envoy decides like the native crate.

use countersign_artefact_tests::{
    cases::{self, Answer, Case},
    token::Key,
};

use crate::stage::{self, client::Reply, envoy::Envoy, setup::Setup, upstream};

#[test]
fn envoy_decides_like_the_native_crate() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, stranger) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let now_ms = cases::now_ms();
    let policy = cases::policy(&key);
    let cases = cases::cases(&key, &stranger, now_ms);
    let expected = cases::native(&policy, &cases, now_ms);

    let envoy = Envoy::start(&binary, &Setup::new(&policy, upstream::echo()));
    for (case, expected) in cases.iter().zip(expected) {
        let reply = send(&envoy, case);
        assert_eq!(answer(&reply), expected, "{}\n{reply:?}", case.name);
    }
}

#[test]
fn the_upstream_gets_the_identity_and_a_client_cannot_forge_it() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, stranger) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let cases = cases::cases(&key, &stranger, cases::now_ms());
    let named = |name| cases.iter().find(|case| case.name == name).unwrap();

    let envoy = Envoy::start(&binary, &Setup::new(&cases::policy(&key), upstream::echo()));
    let seen = send(&envoy, named("the caller claims to be someone")).body;
    assert!(seen.contains("x-auth-subject: user-1\r\n"), "{seen}");
    assert!(!seen.contains("admin"), "{seen}");
    let seen = send(&envoy, named("public")).body;
    assert!(!seen.contains("x-auth-subject"), "{seen}");
}

fn send(envoy: &Envoy, case: &Case) -> Reply {
    envoy
        .send(case.method, case.target, &case.headers)
        .unwrap_or_else(|| panic!("{}: no reply", case.name))
}

fn answer(reply: &Reply) -> Answer {
    Answer {
        status: reply.status,
        code: reply.code(),
        challenge: reply
            .header("www-authenticate")
            .unwrap_or_default()
            .to_owned(),
    }
}

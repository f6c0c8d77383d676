//! Tests of the responses to denied requests.

use countersign_artefact_tests::token::Key;
use serde_json::json;

use crate::stage::{self, client::Reply, envoy::Envoy, policy, setup::Setup, upstream};

#[test]
fn a_denial_is_small_json_that_is_not_stored() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let envoy = start(&binary, json!({}));
    let reply = envoy.get("/", None);
    assert_eq!(reply.status, 401);
    assert_eq!(
        reply.body,
        "{\"code\":\"token_missing\",\"message\":\"a token is required\"}\n"
    );
    let values = |name| reply.headers(name).collect::<Vec<_>>();
    assert_eq!(values("content-type"), ["application/json"]);
    assert_eq!(values("cache-control"), ["no-store"]);
    assert_eq!(values("www-authenticate"), ["Bearer realm=\"countersign\""]);
    assert_eq!(reply.header("x-countersign-code"), None);
}

#[test]
fn the_code_is_in_a_header_if_configured() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let envoy = start(&binary, json!({ "code_header": true }));
    let reply = envoy.get("/", None);
    assert_eq!(reply.header("x-countersign-code"), Some("token_missing"));
}

#[test]
fn grpc_requests_get_a_grpc_status() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let envoy = start(&binary, json!({ "code_header": true }));
    let call = |target, authorization: Option<String>| {
        let mut headers = vec![("content-type", b"application/grpc+proto".to_vec())];
        headers.extend(authorization.map(|value| ("authorization", value.into_bytes())));
        envoy.send("POST", target, &headers).unwrap()
    };
    let token = policy::token(&Key::read("rsa-2048-a"));
    let stranger = policy::token(&Key::read("rsa-2048-b"));
    let bearer = |token: &str| Some(format!("Bearer {token}"));

    assert_grpc(&call("/a.B/C", None), "16", "token_missing");
    assert_grpc(&call("/a.B/C", bearer(&stranger)), "16", "key_unknown");
    assert_grpc(&call("/denied/C", bearer(&token)), "7", "role_denied");
    assert_grpc(&call("/a//b", None), "3", "request_ambiguous");
    assert_eq!(call("/a.B/C", bearer(&token)).header("grpc-status"), None);
}

fn assert_grpc(reply: &Reply, status: &str, code: &str) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(
        reply.header("content-type"),
        Some("application/grpc"),
        "{reply:?}"
    );
    assert_eq!(reply.header("grpc-status"), Some(status), "{reply:?}");
    assert_eq!(reply.header("grpc-message"), Some(code), "{reply:?}");
    assert_eq!(reply.header("x-countersign-code"), Some(code), "{reply:?}");
    assert_eq!(reply.body, "");
}

fn start(binary: &std::path::Path, envoy: serde_json::Value) -> Envoy {
    let mut policy = policy::of(json!({ "jwks": { "keys": [Key::read("rsa-2048-a").public()] } }));
    let denied = json!({ "path": "/denied/**", "require": { "roles": { "any": ["admin"] } } });
    policy["rules"].as_array_mut().unwrap().insert(0, denied);
    Envoy::start(
        binary,
        &Setup::new(&policy::with(&policy, envoy), upstream::echo()),
    )
}

//! The whole way of a node.

use countersign_bridge::gate_policy;
use countersign_dev_issuer::ProofKey;
use countersign_host::{Decision, Gate};
use http::Request;

use super::{
    DEVICE_CODE, SECRET, approve, as_node, get, join, join_token, poll, prove, read, refused,
    renew, stage, start, start_with, states, text,
};
use crate::common::{Stage, databases};
use countersign_bridge::Clock;

/// What a gate with the printed policy says to a request of a node.
async fn at_gate(stage: &Stage, token: &str) -> String {
    let clock = stage.clock.clone();
    let gate = Gate::builder()
        .policy_yaml(&gate_policy(&stage.config))
        .unwrap()
        .clock(move || clock.now_ms().try_into().unwrap())
        .build()
        .await
        .unwrap();
    let request = Request::post("/ingest/x").header("authorization", format!("Bearer {token}"));
    match gate.check(&request.body(()).unwrap()).await {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny(denial) => denial.code,
        Decision::Answer(_) => "answer".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_becomes_a_node_that_renews() {
    for database in databases() {
        let stage = stage(database).await;
        let started = start(&stage).await;
        assert_eq!(
            poll(&stage, &started).await.error(),
            refused(400, "authorization_pending")
        );
        approve(&stage, &started).await;
        stage.clock.forward_s(5);
        let reply = poll(&stage, &started).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("cache-control"), "no-store");
        let njt = text(&reply, "access_token");
        let (header, claims) = read(&njt);
        assert_eq!(header["typ"], "njt+jwt");
        assert_eq!(
            (&claims["scope"], &claims["aud"]),
            (&"node:join".into(), &stage.url.as_str().into())
        );
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            600
        );
        // It is good for joining alone.
        assert_ne!(at_gate(&stage, &njt).await, "allow");

        let joined = join(&stage, &njt).await;
        assert_eq!(joined.status, 200, "{joined:?}");
        assert_eq!(text(&joined, "scope"), "node:ingest node:read");
        let nat = text(&joined, "access_token");
        let (header, claims) = read(&nat);
        assert_eq!(
            (&header["typ"], &claims["aud"]),
            (&"nat+jwt".into(), &"platform".into())
        );
        assert_eq!(
            (&claims["tenant_id"], &claims["sub"]),
            (&"acme".into(), &joined.json()["node"])
        );
        assert_eq!(at_gate(&stage, &nat).await, "allow");

        let mut renewal = text(&joined, "refresh_token");
        for _ in 0..3 {
            stage.clock.forward_s(1700);
            stage.bridge.tick().await.unwrap();
            let renewed = renew(&stage, &renewal).await;
            assert_eq!(renewed.status, 200, "{renewed:?}");
            assert_eq!(
                at_gate(&stage, &text(&renewed, "access_token")).await,
                "allow"
            );
            renewal = text(&renewed, "refresh_token");
        }
        assert_eq!(
            states(&stage).await[text(&joined, "node").as_str()],
            "active"
        );
    }
}

#[tokio::test]
async fn the_standard_names_do_the_same() {
    let stage = stage(crate::common::Database::Sqlite).await;
    let metadata = get(&stage, "/.well-known/oauth-authorization-server", None).await;
    let endpoint = text(&metadata, "device_authorization_endpoint");
    assert_eq!(
        endpoint,
        format!("{}/oauth/device_authorization", stage.url)
    );
    let form = [
        ("client_id", "other"),
        ("client_secret", SECRET),
        ("audience", "ingest"),
    ];
    let reply = stage.post("/oauth/device_authorization", &[], &form).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    assert_eq!(
        (&body["expires_in"], &body["interval"]),
        (&600.into(), &5.into())
    );
    let user_code = text(&reply, "user_code");
    let page = format!("{}/pair", stage.url);
    assert_eq!(body["verification_uri"], page.as_str());
    assert_eq!(
        body["verification_uri_complete"],
        format!("{page}?user_code={user_code}")
    );
    let started = super::Started {
        device_code: text(&reply, "device_code"),
        user_code,
    };
    // 128 bits.
    assert_eq!(started.device_code.len(), 22);
    approve(&stage, &started).await;
    let form = [
        ("grant_type", DEVICE_CODE),
        ("client_id", "other"),
        ("client_secret", SECRET),
        ("device_code", &started.device_code),
    ];
    let reply = stage.post("/oauth/token", &[], &form).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let njt = text(&reply, "access_token");
    // Its client has a secret, and shows it.
    let joined = join(&stage, &njt).await;
    assert_eq!(joined.error(), refused(401, "invalid_client"));
    let form = [("client_id", "other"), ("client_secret", SECRET)];
    let joined = as_node(&stage, "/v1/nodes/join", &njt, None, &form).await;
    assert_eq!(joined.status, 200, "{joined:?}");
    assert_eq!(text(&joined, "scope"), "node:ingest");
    // This client may not renew.
    assert!(joined.json().get("refresh_token").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tokens_of_a_node_with_a_key_are_bound_to_it() {
    for database in databases() {
        let stage = stage(database).await;
        let (key, other) = (ProofKey::generate().unwrap(), ProofKey::generate().unwrap());
        let jkt = key.thumbprint();
        let njt = join_token(&stage, &[("dpop_jkt", &jkt)]).await;
        let path = "/v1/nodes/join";
        assert_eq!(read(&njt).1["cnf"]["jkt"], jkt.as_str());
        // Without proof, with that of another key, and with one for another place.
        let no_proof = refused(400, "invalid_dpop_proof");
        assert_eq!(join(&stage, &njt).await.error(), no_proof);
        let wrong = as_node(&stage, path, &njt, Some(&other), &[]).await;
        assert_eq!(wrong.error(), no_proof);
        let elsewhere = prove(&stage, "/v1/nodes/renew", &njt, &key);
        let dpop = format!("DPoP {njt}");
        let headers = [("authorization", dpop.as_str()), ("dpop", &elsewhere)];
        assert_eq!(stage.post(path, &headers, &[]).await.error(), no_proof);

        let joined = as_node(&stage, path, &njt, Some(&key), &[]).await;
        assert_eq!(joined.status, 200, "{joined:?}");
        assert_eq!(text(&joined, "token_type"), "DPoP");
        assert_eq!(
            read(&text(&joined, "access_token")).1["cnf"]["jkt"],
            jkt.as_str()
        );

        let renewal = text(&joined, "refresh_token");
        let path = "/v1/nodes/renew";
        // Who has stolen it can neither renew nor make the node end.
        assert_eq!(renew(&stage, &renewal).await.error(), no_proof);
        let wrong = as_node(&stage, path, &renewal, Some(&other), &[]).await;
        assert_eq!(wrong.error(), no_proof);
        let proof = prove(&stage, path, &renewal, &key);
        let dpop = format!("DPoP {renewal}");
        let headers = [("authorization", dpop.as_str()), ("dpop", &proof)];
        let renewed = stage.post(path, &headers, &[]).await;
        assert_eq!(renewed.status, 200, "{renewed:?}");
        assert_eq!(
            read(&text(&renewed, "access_token")).1["cnf"]["jkt"],
            jkt.as_str()
        );
        // The same proof again is refused before the renewal is looked at.
        assert_eq!(stage.post(path, &headers, &[]).await.error(), no_proof);
        assert!(states(&stage).await.values().all(|state| state == "active"));
    }
}

#[tokio::test]
async fn a_key_is_named_in_one_way_and_is_public() {
    let stage = stage(crate::common::Database::Sqlite).await;
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    // RFC 8037, Appendix A.3.
    let jkt = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    let started = start_with(&stage, &[("jwk", key)]).await;
    approve(&stage, &started).await;
    let njt = text(&poll(&stage, &started).await, "access_token");
    assert_eq!(read(&njt).1["cnf"], serde_json::json!({ "jkt": jkt }));
    let private = key.replace("\"x\"", "\"d\":\"AA\",\"x\"");
    for wrong in [
        &[("jwk", key), ("dpop_jkt", jkt)][..],
        &[("jwk", &private)],
        &[("jwk", "{}")],
        &[("dpop_jkt", "short")],
    ] {
        let form = [&[("client_id", "press")], wrong].concat();
        let reply = stage.post("/pair/start", &[], &form).await;
        assert_eq!(reply.error(), refused(400, "invalid_request"), "{wrong:?}");
    }
}

#[tokio::test]
async fn the_token_comes_as_a_cookie_too_where_that_is_asked_for() {
    let stage = stage(crate::common::Database::Sqlite).await;
    let form = [("cookie", "node_session")];
    let njt = join_token(&stage, &[]).await;
    let joined = as_node(&stage, "/v1/nodes/join", &njt, None, &form).await;
    let cookie = joined.header("set-cookie");
    let token = text(&joined, "access_token");
    assert!(
        cookie.starts_with(&format!("node_session={token}; ")),
        "{joined:?}"
    );
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"));
    let plain = renew(&stage, &text(&joined, "refresh_token")).await;
    assert_eq!((plain.status, plain.header("set-cookie")), (200, ""));

    let key = ProofKey::generate().unwrap();
    let njt = join_token(&stage, &[("dpop_jkt", &key.thumbprint())]).await;
    let joined = as_node(&stage, "/v1/nodes/join", &njt, Some(&key), &form).await;
    assert_eq!(joined.error(), refused(400, "invalid_request"));
}

#[tokio::test]
async fn without_the_section_nothing_is_paired() {
    let stage = Stage::open().await;
    let form = [("client_id", "orders"), ("client_secret", SECRET)];
    let reply = stage.post("/pair/start", &[], &form).await;
    assert_eq!(reply.error(), refused(400, "unsupported_grant_type"));
    assert_eq!(get(&stage, "/pair", Some(super::ADA)).await.status, 404);
    let reply = get(&stage, "/.well-known/openid-configuration", None).await;
    let metadata = reply.json();
    assert!(metadata.get("device_authorization_endpoint").is_none());
    assert_eq!(
        metadata["grant_types_supported"],
        serde_json::json!(["client_credentials"])
    );
}

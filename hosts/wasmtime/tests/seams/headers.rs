//! Headers, trailers, methods and upgrades: what passes the gate with a request.

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, Request},
    http::{HeaderMap, Method, Uri, Version, header},
    routing::{any, get},
};
use countersign_host::GateLayer;
use tower::ServiceExt;

use super::{
    gate, handler, raw, request_text, router, serve,
    support::{A, Issuer},
};

#[tokio::test]
async fn no_spelling_of_an_identity_header_reaches_the_handler() {
    let issuer = Issuer::publishing(&[A]).await;
    let address = serve(router().layer(GateLayer::new(gate(&issuer).await))).await;
    let forged = "x-auth-subject: root\r\nX_Auth_Subject: root\r\nx_auth-subject: root\r\nX-AUTH_SUBJECT: root\r\n\
                  transfer-encoding: chunked\r\ntrailer: x-auth-subject, x_auth_subject, x-kept\r\n";
    let body =
        "3\r\nabc\r\n0\r\nx-auth-subject: root\r\nX_Auth_Subject: root\r\nx-kept: yes\r\n\r\n";
    let answer = raw(&address, request_text("POST /public", forged) + body).await;
    assert_eq!(handler(&answer), Some("public"), "{answer}");
    assert!(
        !answer.contains("root") && answer.contains("trailer x-kept: yes"),
        "{answer}"
    );
    assert!(answer.contains("caller=None"), "{answer}");

    let token = issuer.token(A);
    let with_token = format!("authorization: Bearer {token}\r\n{forged}");
    let answer = raw(
        &address,
        request_text("POST /read/public", &with_token) + body,
    )
    .await;
    assert_eq!(handler(&answer), Some("read"), "{answer}");
    assert!(
        !answer.contains("root") && !answer.contains(&token),
        "{answer}"
    );
    assert!(answer.contains("x-auth-subject: ada"), "{answer}");
}

#[tokio::test]
async fn a_denied_upgrade_ends_the_connection() {
    let issuer = Issuer::publishing(&[A]).await;
    let address = serve(router().layer(GateLayer::new(gate(&issuer).await))).await;
    let upgrade = "GET /admin HTTP/1.1\r\nhost: app.example.com\r\nconnection: upgrade\r\n\
                   upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    // What follows is of the other protocol, whatever it looks like.
    let smuggled = "GET /public HTTP/1.1\r\nhost: app.example.com\r\n\r\n";
    let answer = raw(&address, format!("{upgrade}{smuggled}")).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(!answer.contains("handler="), "{answer}");
}

#[tokio::test]
async fn a_preflight_passes_as_nobody_only_where_that_is_said() {
    let issuer = Issuer::publishing(&[A]).await;
    let layer = GateLayer::new(gate(&issuer).await);
    let gated = serve(router().layer(layer.clone())).await;
    let bypassing = serve(router().layer(layer.bypass_cors_preflight(true))).await;
    let fields = format!(
        "origin: https://app.example.com\r\naccess-control-request-method: PUT\r\n\
         access-control-request-headers: x\r\nx_auth_subject: root\r\nx-other: 1\r\n\
         authorization: Bearer {}\r\ntransfer-encoding: chunked\r\ntrailer: x-auth-subject\r\n",
        issuer.token(A)
    );
    let body = "0\r\nx-auth-subject: root\r\n\r\n";
    let preflight = request_text("OPTIONS /admin", &fields) + body;
    assert_eq!(handler(&raw(&gated, &preflight).await), None);
    let answer = raw(&bypassing, &preflight).await;
    assert_eq!(handler(&answer), Some("admin"), "{answer}");
    assert!(answer.contains("caller=None") && answer.contains("host: app.example.com"));
    assert!(
        answer.contains("access-control-request-headers: x"),
        "{answer}"
    );
    for gone in ["root", "x-other", "authorization"] {
        assert!(!answer.contains(gone), "{gone}: {answer}");
    }
    for (method, fields) in [
        ("PUT", &*fields),
        ("options", &*fields),
        ("OPTIONS", "origin: https://app.example.com\r\n"),
        ("OPTIONS", "access-control-request-method: PUT\r\n"),
    ] {
        let request = request_text(&format!("{method} /admin"), fields) + body;
        assert_eq!(handler(&raw(&bypassing, request).await), None, "{method}");
    }
}

#[tokio::test]
async fn methods_behind_the_gate_are_what_they_were() {
    let issuer = Issuer::publishing(&[A]).await;
    let address = serve(router().layer(GateLayer::new(gate(&issuer).await))).await;
    for method in ["GET", "POST", "OPTIONS", "TRACE", "PROPFIND"] {
        let override_it = "x-http-method-override: DELETE\r\n";
        let answer = raw(
            &address,
            request_text(&format!("{method} /public"), override_it),
        )
        .await;
        assert!(
            answer.contains(&format!("method={method} ")),
            "{method}: {answer}"
        );
    }
    let app = Router::new()
        .route("/public", get(|| async { "body" }))
        .layer(GateLayer::new(gate(&issuer).await));
    let address = serve(app).await;
    let answer = raw(&address, request_text("HEAD /public", "")).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("content-length: 4"));
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn what_a_handler_asks_axum_for_is_what_was_judged() {
    let issuer = Issuer::publishing(&[A]).await;
    let echo =
        async |OriginalUri(original): OriginalUri, uri: Uri, method: Method, headers: HeaderMap| {
            format!("{original} {uri} {method} {headers:?}")
        };
    let app = Router::new()
        .route("/read/{*rest}", any(echo))
        .layer(GateLayer::new(gate(&issuer).await));
    let session = format!(
        "cookie: theme=dark; session={}\r\nx_auth_subject: root\r\n",
        issuer.token(A)
    );
    let answer = raw(&serve(app).await, request_text("GET /read/a?b=c", &session)).await;
    assert!(answer.contains("/read/a?b=c /read/a?b=c GET"), "{answer}");
    assert!(
        answer.contains("theme=dark") && !answer.contains("session"),
        "{answer}"
    );
    assert!(!answer.contains("root"), "{answer}");
}

#[tokio::test]
async fn a_handshake_is_held_to_the_origin_of_its_cookie() {
    let issuer = Issuer::publishing(&[A]).await;
    let app = router().layer(GateLayer::new(gate(&issuer).await));
    let session = format!("session={}", issuer.token(A));
    let ask = async |request: axum::http::request::Builder, origin: &str| {
        let request = request
            .header(header::COOKIE, &session)
            .header(header::ORIGIN, origin);
        let request = request.body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().status()
    };
    let (own, other) = ("https://app.example.com", "https://evil.example");
    let upgrade = || {
        Request::get("/read/public")
            .header(header::HOST, "app.example.com")
            .header(header::UPGRADE, "websocket")
    };
    // RFC 8441 §4: the protocol is in a pseudo-header.
    let connect = || {
        Request::builder()
            .method(Method::CONNECT)
            .version(Version::HTTP_2)
            .uri("https://app.example.com/read/public")
    };
    assert_eq!(ask(upgrade(), own).await, 200);
    assert_eq!(ask(upgrade(), other).await, 403);
    assert_eq!(ask(connect(), own).await, 200);
    assert_eq!(ask(connect(), other).await, 403);
}

//! Targets and hosts: no spelling reaches a handler by another one's rule.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Uri, Version, header},
};
use countersign_host::{GateLayer, GateService};
use tower::{Layer, ServiceExt, util::MapRequest};

use super::{
    echo, gate, handler, may_run,
    random::numbers,
    raw, request_text, router, serve,
    support::{A, Issuer},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_target_leads_to_a_handler_without_its_right() {
    let issuer = Issuer::publishing(&[A]).await;
    let address = serve(router().layer(GateLayer::new(gate(&issuer).await))).await;
    let reader = format!("authorization: Bearer {}\r\n", issuer.token(A));
    let mut ran = std::collections::HashSet::new();
    let targets = [
        "/public",
        "/public/x",
        "/public/",
        "/admin",
        "/admin/",
        "/admin/x",
        "/Admin",
        "/ADMIN/x",
        "/%61dmin",
        "/%61dmin/x",
        "/admin%2fx",
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public/..%2fadmin",
        "/public/.%2e/admin/x",
        "//admin",
        "//public/../admin",
        "/./admin",
        "/public;/../admin",
        "/public#/../../admin",
        "/public?/../admin",
        "/admin?x=/public",
        "/public\\..\\admin",
        "/public%5c..%5cadmin",
        "/public/%252e%252e/admin",
        "/public/x%00",
        "/read/public",
        "/read/admin",
        "/read",
        "/read/../admin",
        "/nowhere",
        "/",
        "*",
        "public",
        "admin",
        "x:y://z/public",
        "http://app.example.com/admin",
        "http://app.example.com/public",
        "http://app.example.com:80/public",
        "http://other.example.com/public",
        "http://open.example.com/hosted",
        "http://a@app.example.com/admin",
        "https:/admin",
        "http:///admin",
        "///admin",
        "/\u{e9}",
        "/public/\u{202e}",
        "app.example.com:80",
    ];
    for method in [
        "GET", "POST", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND",
    ] {
        for target in targets {
            let answer = raw(&address, request_text(&format!("{method} {target}"), "")).await;
            assert!(
                may_run(&answer, target, &["public"]),
                "{method} {target}: {answer}"
            );
            let answer = raw(
                &address,
                request_text(&format!("{method} {target}"), &reader),
            )
            .await;
            let admitted = ["public", "read"];
            assert!(
                may_run(&answer, target, &admitted),
                "{method} {target}: {answer}"
            );
            ran.extend(handler(&answer).map(str::to_owned));
        }
    }
    assert_eq!(ran.len(), 3, "{ran:?}");
}

/// Targets that nobody thought of: 1,500 of them, from a seed that stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_random_target_leads_to_a_handler_without_its_right() {
    let issuer = Issuer::publishing(&[A]).await;
    let address = serve(router().layer(GateLayer::new(gate(&issuer).await))).await;
    let bits = [
        "/",
        "//",
        "public",
        "admin",
        "read",
        "hosted",
        "..",
        ".",
        "%2e",
        "%2E%2e",
        "%2f",
        "%5c",
        "\\",
        ";",
        ";x=1",
        "?",
        "#",
        "%",
        "%00",
        "%25",
        "%61dmin",
        "Admin",
        "x",
        "http:",
        "http://app.example.com",
        "http://open.example.com",
        "@",
        ":",
        "*",
        "&",
        "=",
        "+",
        "~",
    ];
    let mut below = numbers(0x2545_f491_4f6c_dd1d);
    let mut ran = 0;
    for _ in 0..1500 {
        let mut target = ["/public/", "/admin/", "/read/", "/", ""][below(5)].to_owned();
        for _ in 0..below(6) {
            target.push_str(bits[below(bits.len())]);
        }
        let hosts = ["app.example.com", "open.example.com"];
        let mut request = format!("GET {target} HTTP/1.1\r\nconnection: close\r\n");
        for _ in 0..[1, 1, 1, 0, 2][below(5)] {
            request += &format!("host: {}\r\n", hosts[below(2)]);
        }
        let answer = raw(&address, request + "\r\n").await;
        assert!(may_run(&answer, &target, &["public"]), "{target}: {answer}");
        ran += usize::from(handler(&answer).is_some());
    }
    assert!(ran > 50, "{ran}");
}

#[tokio::test]
async fn hosts_that_differ_are_refused_wherever_they_are_said() {
    let issuer = Issuer::publishing(&[A]).await;
    let address = serve(router().layer(GateLayer::new(gate(&issuer).await))).await;
    let open = "GET /hosted HTTP/1.1\r\nconnection: close\r\nhost: open.example.com\r\n\r\n";
    assert_eq!(handler(&raw(&address, open).await), Some("hosted"));
    for request in [
        "GET /hosted HTTP/1.1\r\nhost: open.example.com\r\nhost: app.example.com\r\n",
        "GET /hosted HTTP/1.1\r\nhost: app.example.com\r\nhost: open.example.com\r\n",
        "GET http://open.example.com/hosted HTTP/1.1\r\nhost: app.example.com\r\n",
        "GET http://app.example.com/hosted HTTP/1.1\r\nhost: open.example.com\r\n",
        "GET /hosted HTTP/1.1\r\nhost: open.example.com, app.example.com\r\n",
    ] {
        let answer = raw(&address, format!("{request}connection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{request}: {answer}");
    }
    // HTTP/2 says it in `:authority`, and may say it in `host` too.
    let app = router().layer(GateLayer::new(gate(&issuer).await));
    for (authority, host, status) in [
        ("open.example.com", None, 200),
        ("open.example.com", Some("open.example.com"), 200),
        ("open.example.com", Some("app.example.com"), 400),
        ("app.example.com", Some("open.example.com"), 400),
    ] {
        let mut request =
            Request::get(format!("https://{authority}/hosted")).version(Version::HTTP_2);
        if let Some(host) = host {
            request = request.header(header::HOST, host);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{authority} {host:?}");
    }
}

#[tokio::test]
async fn inside_a_nested_router_the_whole_target_is_judged() {
    let issuer = Issuer::publishing(&[A]).await;
    let gate = gate(&issuer).await;
    let inner = || {
        Router::new()
            .route("/public", echo("inner"))
            .route("/read/x", echo("inner"))
    };
    let layer = GateLayer::new(gate.clone());
    let app = Router::new()
        .nest("/admin", inner().layer(layer.clone()))
        .nest("/read", inner().layer(layer.clone()))
        .nest(
            "/public",
            Router::new().nest("/{deep}", inner().layer(layer.clone())),
        )
        .nest_service("/service", layer.layer(inner()));
    let address = serve(app).await;
    let reader = format!("authorization: Bearer {}\r\n", issuer.token(A));
    for (target, token, status) in [
        // Judged as `/public`, it would be public.
        ("/admin/public", "", 401),
        ("/admin/public", &*reader, 403),
        ("/read/public", "", 401),
        ("/read/public", &*reader, 200),
        ("/read/public?x=1", &*reader, 200),
        ("/public/x/read/x", "", 200),
        // No rule is for it.
        ("/service/public", "", 403),
    ] {
        let answer = raw(&address, request_text(&format!("GET {target}"), token)).await;
        let start = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&start), "{target}: {answer}");
    }
}

#[tokio::test]
async fn a_target_that_was_rewritten_before_the_gate_is_refused() {
    let issuer = Issuer::publishing(&[A]).await;
    let layer = GateLayer::new(gate(&issuer).await);
    let gated: GateService<Router> = layer.layer(Router::new().route("/public", echo("public")));
    let rewriting = MapRequest::new(gated, |mut request: Request| {
        *request.uri_mut() = Uri::from_static("/public");
        request
    });
    let app = Router::new().fallback_service(rewriting);
    let address = serve(app).await;
    let answer = raw(&address, request_text("GET /admin", "")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("request_ambiguous"), "{answer}");
    assert_eq!(
        handler(&raw(&address, request_text("GET /public", "")).await),
        Some("public")
    );
}

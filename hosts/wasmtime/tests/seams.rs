//! Where the gate meets axum, over raw sockets: whatever handler runs, the gate
//! has judged by that handler's rule, or has denied.

mod support;

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, Request},
    http::{HeaderMap, Method, Uri, Version, header},
    routing::{any, get},
};
use countersign_host::{Gate, GateLayer, GateService, Grant};
use http_body_util::BodyExt;
use serde_json::json;
use support::{A, Clock, Issuer, builder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{Layer, ServiceExt, util::MapRequest};

async fn gate(issuer: &Issuer) -> Gate {
    let policy = json!({
        "contract": "1",
        "issuers": [issuer.entry("platform")],
        "credentials": [
            { "header": "authorization", "scheme": "Bearer" },
            { "cookie": "session", "same_origin": true },
        ],
        "rules": [
            { "path": "/public/**", "public": true },
            { "path": "/admin/**", "require": { "scopes": ["admin"] } },
            { "path": "/read/**", "require": { "scopes": ["read"] } },
            { "hosts": ["open.example.com"], "path": "/hosted", "public": true },
        ],
        "default": "deny",
        "forward": { "x-auth-subject": "subject" },
        "strip_credential": true,
        "realm": "test",
    });
    builder(&Clock::new(), &policy).build().await.unwrap()
}

/// A handler that says its name, and everything that it can see.
fn say(name: &'static str) -> axum::routing::MethodRouter {
    any(async move |request: Request| {
        let method = request.method().clone();
        let mut seen = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect::<Vec<_>>();
        let caller = request
            .extensions()
            .get::<Grant>()
            .and_then(|grant| grant.principal.clone());
        let body = request.into_body().collect().await.unwrap();
        for (name, value) in body.trailers().into_iter().flatten() {
            seen.push(format!("trailer {name}: {}", value.to_str().unwrap()));
        }
        let caller = caller.and_then(|caller| caller.subject.clone());
        format!(
            "handler={name} method={method} caller={caller:?} {}\n",
            seen.join("; ")
        )
    })
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// Everything that is answered to these bytes.
async fn raw(address: &str, bytes: impl AsRef<[u8]>) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether a handler may have run. The fallback has no rule of its own: it may
/// where a path without another reading begins as a rule's does.
fn may_run(answer: &str, target: &str, admitted: &[&str]) -> bool {
    match handler(answer) {
        None => true,
        Some("fallback") => {
            let target = target
                .strip_prefix("http://app.example.com")
                .unwrap_or(target);
            let path = target.split(['?', '#']).next().unwrap_or_default();
            let is_plain = !path.contains(['\\', ';', '%']) && !path.contains("..");
            let begins = |name: &&str| format!("{path}/").starts_with(&format!("/{name}/"));
            is_plain && !path.contains("//") && admitted.iter().any(begins)
        }
        Some("hosted") => answer.contains("host: open.example.com"),
        Some(name) => admitted.contains(&name),
    }
}

/// A request of one line, its fields, and nothing after it.
fn asking(line: &str, fields: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: app.example.com\r\nconnection: close\r\n{fields}\r\n")
}

fn handler(answer: &str) -> Option<&str> {
    answer.split_once("handler=")?.1.split(' ').next()
}

fn router() -> Router {
    Router::new()
        .route("/public", say("public"))
        .route("/public/{*rest}", say("public"))
        .route("/admin", say("admin"))
        .route("/admin/{*rest}", say("admin"))
        .nest(
            "/read",
            Router::new()
                .route("/public", say("read"))
                .route("/admin", say("read")),
        )
        .route("/hosted", say("hosted"))
        .fallback_service(say("fallback"))
}

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
            let answer = raw(&address, asking(&format!("{method} {target}"), "")).await;
            assert!(
                may_run(&answer, target, &["public"]),
                "{method} {target}: {answer}"
            );
            let answer = raw(&address, asking(&format!("{method} {target}"), &reader)).await;
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
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
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
async fn no_spelling_of_an_identity_header_reaches_the_handler() {
    let issuer = Issuer::publishing(&[A]).await;
    let address = serve(router().layer(GateLayer::new(gate(&issuer).await))).await;
    let forged = "x-auth-subject: root\r\nX_Auth_Subject: root\r\nx_auth-subject: root\r\nX-AUTH_SUBJECT: root\r\n\
                  transfer-encoding: chunked\r\ntrailer: x-auth-subject, x_auth_subject, x-kept\r\n";
    let body =
        "3\r\nabc\r\n0\r\nx-auth-subject: root\r\nX_Auth_Subject: root\r\nx-kept: yes\r\n\r\n";
    let answer = raw(&address, asking("POST /public", forged) + body).await;
    assert_eq!(handler(&answer), Some("public"), "{answer}");
    assert!(
        !answer.contains("root") && answer.contains("trailer x-kept: yes"),
        "{answer}"
    );
    assert!(answer.contains("caller=None"), "{answer}");

    let token = issuer.token(A);
    let with_token = format!("authorization: Bearer {token}\r\n{forged}");
    let answer = raw(&address, asking("POST /read/public", &with_token) + body).await;
    assert_eq!(handler(&answer), Some("read"), "{answer}");
    assert!(
        !answer.contains("root") && !answer.contains(&token),
        "{answer}"
    );
    assert!(answer.contains("x-auth-subject: ada"), "{answer}");
}

#[tokio::test]
async fn inside_a_nested_router_the_whole_target_is_judged() {
    let issuer = Issuer::publishing(&[A]).await;
    let gate = gate(&issuer).await;
    let inner = || {
        Router::new()
            .route("/public", say("inner"))
            .route("/read/x", say("inner"))
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
        let answer = raw(&address, asking(&format!("GET {target}"), token)).await;
        let start = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&start), "{target}: {answer}");
    }
}

#[tokio::test]
async fn a_target_that_was_rewritten_before_the_gate_is_refused() {
    let issuer = Issuer::publishing(&[A]).await;
    let layer = GateLayer::new(gate(&issuer).await);
    let gated: GateService<Router> = layer.layer(Router::new().route("/public", say("public")));
    let rewriting = MapRequest::new(gated, |mut request: Request| {
        *request.uri_mut() = Uri::from_static("/public");
        request
    });
    let app = Router::new().fallback_service(rewriting);
    let address = serve(app).await;
    let answer = raw(&address, asking("GET /admin", "")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("request_ambiguous"), "{answer}");
    assert_eq!(
        handler(&raw(&address, asking("GET /public", "")).await),
        Some("public")
    );
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
    let asks = serve(router().layer(layer.clone())).await;
    let passes = serve(router().layer(layer.bypass_cors_preflight(true))).await;
    let fields = format!(
        "origin: https://app.example.com\r\naccess-control-request-method: PUT\r\n\
         access-control-request-headers: x\r\nx_auth_subject: root\r\nx-other: 1\r\n\
         authorization: Bearer {}\r\ntransfer-encoding: chunked\r\ntrailer: x-auth-subject\r\n",
        issuer.token(A)
    );
    let body = "0\r\nx-auth-subject: root\r\n\r\n";
    let preflight = asking("OPTIONS /admin", &fields) + body;
    assert_eq!(handler(&raw(&asks, &preflight).await), None);
    let answer = raw(&passes, &preflight).await;
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
        let request = asking(&format!("{method} /admin"), fields) + body;
        assert_eq!(handler(&raw(&passes, request).await), None, "{method}");
    }
}

#[tokio::test]
async fn methods_behind_the_gate_are_what_they_were() {
    let issuer = Issuer::publishing(&[A]).await;
    let address = serve(router().layer(GateLayer::new(gate(&issuer).await))).await;
    for method in ["GET", "POST", "OPTIONS", "TRACE", "PROPFIND"] {
        let override_it = "x-http-method-override: DELETE\r\n";
        let answer = raw(&address, asking(&format!("{method} /public"), override_it)).await;
        assert!(
            answer.contains(&format!("method={method} ")),
            "{method}: {answer}"
        );
    }
    let app = Router::new()
        .route("/public", get(|| async { "body" }))
        .layer(GateLayer::new(gate(&issuer).await));
    let address = serve(app).await;
    let answer = raw(&address, asking("HEAD /public", "")).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("content-length: 4"));
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn what_a_handler_asks_axum_for_is_what_was_judged() {
    let issuer = Issuer::publishing(&[A]).await;
    let tell =
        async |OriginalUri(original): OriginalUri, uri: Uri, method: Method, headers: HeaderMap| {
            format!("{original} {uri} {method} {headers:?}")
        };
    let app = Router::new()
        .route("/read/{*rest}", any(tell))
        .layer(GateLayer::new(gate(&issuer).await));
    let session = format!(
        "cookie: theme=dark; session={}\r\nx_auth_subject: root\r\n",
        issuer.token(A)
    );
    let answer = raw(&serve(app).await, asking("GET /read/a?b=c", &session)).await;
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

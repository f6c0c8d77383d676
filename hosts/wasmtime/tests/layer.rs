//! The gate in front of a service: what callers are answered, and what the
//! service receives.

mod support;

#[allow(dead_code, unreachable_pub)]
#[path = "../examples/axum.rs"]
mod example;

use axum::{
    Extension, Router,
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode, header},
    routing::{any, get},
};
use countersign_host::{Gate, GateLayer, Grant};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use support::{A, Answer, B, Clock, Issuer, builder, policy, service_gate};
use tower::ServiceExt;

async fn gate(issuer: &Issuer) -> Gate {
    let rules = json!([
        { "path": "/healthz", "public": true },
        { "path": "/orgs/{org}/**", "require": { "tenant": "{org}" } },
        { "path": "/whoami", "require": { "scopes": ["read"] } },
        { "path": "/seen/admin", "require": { "scopes": ["admin"] } },
        { "path": "/seen", "optional": true },
    ]);
    let forward = json!({ "x-auth-subject": "subject", "x-auth-tenant": "tenant" });
    service_gate(issuer, &rules, &forward).await
}

fn request(path: &str) -> axum::http::request::Builder {
    Request::get(path).header(header::HOST, "app.example.com")
}

async fn body(response: Response<Body>) -> Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

/// A service that answers with what it received.
fn seen(gate: Gate) -> Router {
    let echo = async |Extension(grant): Extension<Grant>, headers: HeaderMap| {
        let headers = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect::<Vec<_>>();
        axum::Json(json!({ "headers": headers, "principal": grant.principal.is_some() }))
    };
    Router::new()
        .route("/seen", any(echo))
        .layer(GateLayer::new(gate))
}

#[tokio::test]
async fn a_handler_gets_the_principals_beside_the_user_and_no_cache_mixes_them_up() {
    let issuer = Issuer::publishing(&[A]).await;
    let mut policy = policy(&[issuer.entry("platform")]);
    policy["credentials"] = json!([
        { "header": "authorization", "scheme": "Bearer", "issuers": ["platform"] },
        { "header": "x-service", "issuers": ["platform"], "principal": "service" },
    ]);
    policy["rules"] = json!([
        { "path": "/user", "require": {} },
        { "path": "/both", "require": {}, "principals": { "service": {} } },
    ]);
    policy["forward"] = json!({ "x-auth-subject": "subject" });
    let gate = builder(&Clock::new(), &policy).instances(1);
    let gate = gate.build().await.unwrap();
    let said = async |Extension(grant): Extension<Grant>, headers: HeaderMap| {
        let principals = grant.principals.iter();
        let principals = principals.map(|(name, p)| (name.clone(), json!([p.subject, p.tenants])));
        axum::Json(json!({
            "forwarded": headers["x-auth-subject"].to_str().unwrap(),
            "principals": principals.collect::<serde_json::Map<_, _>>(),
        }))
    };
    let app = Router::new()
        .route("/{path}", any(said))
        .layer(GateLayer::new(gate.clone()));
    let service = issuer.token_of(A, A, "build");
    let ask = |path: &str, user: &str, service: Option<&str>| {
        let mut asked = request(path).header(header::AUTHORIZATION, format!("Bearer {user}"));
        if let Some(service) = service {
            asked = asked.header("x-service", service);
        }
        asked.body(Body::empty()).unwrap()
    };
    for _ in 0..2 {
        let both = ask("/both", &issuer.token(A), Some(&service));
        assert_eq!(
            body(app.clone().oneshot(both).await.unwrap()).await,
            json!({ "forwarded": "ada", "principals": { "service": ["build", ["acme"]] } })
        );
        // The service's token is now a user's.
        let alone = ask("/user", &service, None);
        assert_eq!(
            body(app.clone().oneshot(alone).await.unwrap()).await,
            json!({ "forwarded": "build", "principals": {} })
        );
    }
    let decision = gate.check(&ask("/both", &service, None)).await;
    let denial = decision.denial().unwrap();
    assert_eq!(denial.principal.as_deref(), Some("service"));
}

#[tokio::test]
async fn an_answer_of_the_gate_is_sent_as_it_is_and_a_challenge_names_it() {
    let issuer = Issuer::publishing(&[A]).await;
    let metadata = json!({ "resource": "https://app.example.com/seen" });
    let rules = json!([{
        "path": "/seen",
        "require": { "scopes": ["read"] },
        "challenge": { "scope": true, "resource_metadata": metadata },
    }]);
    let app = seen(service_gate(&issuer, &rules, &json!({})).await);
    let address = "/.well-known/oauth-protected-resource/seen";
    let response = app
        .clone()
        .oneshot(request(address).body(Body::empty()).unwrap());
    let response = response.await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert_eq!(body(response).await, metadata);

    let response = app.oneshot(request("/seen").body(Body::empty()).unwrap());
    let response = response.await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        response.headers()[header::WWW_AUTHENTICATE],
        format!(
            "Bearer realm=\"test\", scope=\"read\", \
             resource_metadata=\"https://app.example.com{address}\""
        )
    );
}

#[tokio::test]
async fn the_example_admits_whom_its_policy_admits() {
    let issuer = Issuer::publishing(&[A]).await;
    let app = example::app(gate(&issuer).await);
    let bearer = format!("Bearer {}", issuer.token(A));
    let ask = async |path: &str, bearer: Option<&str>| {
        let mut request = request(path);
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        app.clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap()
    };
    assert_eq!(ask("/healthz", None).await.status(), StatusCode::OK);
    assert_eq!(
        ask("/whoami", None).await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        ask("/orgs/acme/members", Some(&bearer)).await.status(),
        StatusCode::OK
    );
    assert_eq!(
        ask("/orgs/other/members", Some(&bearer)).await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        ask("/nowhere", Some(&bearer)).await.status(),
        StatusCode::FORBIDDEN
    );

    let whoami = ask("/whoami", Some(&bearer)).await;
    assert_eq!(whoami.status(), StatusCode::OK);
    let expected = json!({ "subject": "ada", "tenant": "acme", "scopes": ["read", "write"] });
    assert_eq!(body(whoami).await, expected);
}

#[tokio::test]
async fn a_denial_is_a_status_a_challenge_and_a_code() {
    let issuer = Issuer::publishing(&[A]).await;
    let app = seen(gate(&issuer).await);
    let missing = request("/whoami").body(Body::empty()).unwrap();
    let response = app.clone().oneshot(missing).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        response.headers()[header::WWW_AUTHENTICATE],
        "Bearer realm=\"test\""
    );
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let body = body(response).await;
    assert_eq!(body["code"], "token_missing");
    assert!(body["message"].is_string());

    let bearer = format!("Bearer {}", issuer.token(A));
    let poor = request("/seen/admin").header(header::AUTHORIZATION, bearer);
    let response = app
        .oneshot(poor.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let challenge = response.headers()[header::WWW_AUTHENTICATE]
        .to_str()
        .unwrap();
    assert!(
        challenge.contains("error=\"insufficient_scope\""),
        "{challenge}"
    );
    assert!(challenge.contains("scope=\"admin\""), "{challenge}");
}

#[tokio::test]
async fn keys_that_are_not_there_are_a_503_with_retry_after() {
    let issuer = Issuer::publishing(&[A]).await;
    issuer.answer("jwks", Answer::Status(500));
    let bearer = format!("Bearer {}", issuer.token(A));
    let request = request("/seen").header(header::AUTHORIZATION, bearer);
    let app = seen(gate(&issuer).await);
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let seconds = response.headers()[header::RETRY_AFTER].to_str().unwrap();
    assert!(seconds.parse::<u32>().unwrap() >= 1);
    assert_eq!(body(response).await["code"], "keys_unavailable");
}

#[tokio::test]
async fn forwarded_headers_are_the_gates_and_never_the_callers() {
    let issuer = Issuer::publishing(&[A]).await;
    let app = seen(gate(&issuer).await);
    let forged = request("/seen")
        .header("x-auth-subject", "root")
        .header("X-Auth-Tenant", "victim")
        .header("x-auth-tenant", "victim")
        .header("x-kept", "yes");
    let anonymous = forged.body(Body::empty()).unwrap();
    let received = body(app.clone().oneshot(anonymous).await.unwrap()).await;
    assert_eq!(received["principal"], false);
    assert_eq!(
        received["headers"],
        json!(["host: app.example.com", "x-kept: yes"])
    );

    let bearer = format!("Bearer {}", issuer.token(A));
    let forged = request("/seen")
        .header("x-auth-subject", "root")
        .header(header::AUTHORIZATION, bearer)
        .body(Body::empty())
        .unwrap();
    let received = body(app.oneshot(forged).await.unwrap()).await;
    let headers = [
        "host: app.example.com",
        "x-auth-subject: ada",
        "x-auth-tenant: acme",
    ];
    assert_eq!(
        received["headers"],
        json!(headers),
        "the credential is stripped"
    );
}

#[tokio::test]
async fn only_the_credentials_cookie_is_taken_out() {
    let issuer = Issuer::publishing(&[A]).await;
    let app = seen(gate(&issuer).await);
    let session = format!("theme=dark; session={}; xsession=1", issuer.token(A));
    let with_cookies = request("/seen")
        .header(header::COOKIE, session)
        .header(header::COOKIE, "lang=en")
        .body(Body::empty())
        .unwrap();
    let received = body(app.clone().oneshot(with_cookies).await.unwrap()).await;
    assert_eq!(received["principal"], true);
    let headers = received["headers"].as_array().unwrap();
    assert!(
        headers.contains(&json!("cookie: theme=dark; xsession=1; lang=en")),
        "{headers:?}"
    );

    let only = format!("session={}", issuer.token(A));
    let only = request("/seen")
        .header(header::COOKIE, only)
        .body(Body::empty())
        .unwrap();
    let received = body(app.oneshot(only).await.unwrap()).await;
    assert!(
        !received["headers"].to_string().contains("cookie"),
        "{received}"
    );
}

#[tokio::test]
async fn two_hosts_are_refused_and_a_target_that_names_another() {
    let issuer = Issuer::publishing(&[A]).await;
    let app = seen(gate(&issuer).await);
    let ask = async |request: axum::http::request::Builder| {
        let request = request.body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().status()
    };
    let host = header::HOST;
    assert_eq!(
        ask(request("/seen").header(&host, "other.example.com")).await,
        400
    );
    assert_eq!(
        ask(request("/seen").header(&host, "app.example.com")).await,
        400
    );
    let absolute = "http://other.example.com/seen";
    assert_eq!(ask(request(absolute)).await, 400);
    assert_eq!(ask(Request::get(absolute)).await, 200);
    let same = "http://app.example.com/seen";
    assert_eq!(ask(request(same)).await, 200);
}

#[tokio::test]
async fn the_gate_is_asked_before_the_router() {
    let issuer = Issuer::publishing(&[B]).await;
    let inner = Router::new().route("/secret", get(|| async { "secret" }));
    let app = Router::new()
        .nest("/seen", inner)
        .layer(GateLayer::new(gate(&issuer).await));
    let request = request("/seen/secret").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(body(response).await["code"], "rule_denied");
}

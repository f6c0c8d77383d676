//! Client credentials: by a secret, and by an assertion.

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign_dev_issuer::Signer;
use serde_json::{Map, Value, json};

use crate::common::{Database, Reply, SECRET, START_MS, Stage, databases};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

async fn ask(stage: &Stage, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Reply {
    let form = [&[("grant_type", "client_credentials")], form].concat();
    stage.post("/oauth/token", headers, &form).await
}

#[tokio::test]
async fn a_client_gets_a_token_by_its_secret_and_nobody_may_keep_the_answer() {
    for database in databases() {
        let stage = Stage::with(database, |_| {}).await;
        let authorization = basic("orders", SECRET);
        let reply = ask(&stage, &[("authorization", &authorization)], &[]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("cache-control"), "no-store");
        let body = reply.json();
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], 1800);
        assert_eq!(body["scope"], "orders:read orders:write");
    }
}

#[tokio::test]
async fn wrong_credentials_all_get_the_same_answer() {
    type Pairs<'a> = &'a [(&'a str, &'a str)];

    let stage = Stage::with(Database::Sqlite, |config| {
        config["clients"]["phone"] = json!({ "public": true, "grants": ["device_code"] });
    })
    .await;
    let wrong = basic("orders", "0123456789abcdef0123456789abcdee");
    let unknown = basic("nobody", SECRET);
    let empty = basic("orders", "");
    let cases: [(Pairs<'_>, Pairs<'_>); 8] = [
        (&[("authorization", &wrong)], &[]),
        (&[("authorization", &unknown)], &[]),
        (&[("authorization", &empty)], &[]),
        (&[("authorization", "Basic !!!")], &[]),
        (&[("authorization", "Bearer x")], &[]),
        (&[], &[("client_id", "orders")]),
        (&[], &[("client_id", "phone"), ("client_secret", SECRET)]),
        (&[], &[]),
    ];
    let mut bodies = Vec::new();
    for (headers, form) in cases {
        let reply = ask(&stage, headers, form).await;
        assert_eq!(reply.status, 401, "{reply:?}");
        assert_eq!(
            reply.header("www-authenticate"),
            "Basic realm=\"countersign\""
        );
        bodies.push(reply.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test]
async fn two_means_at_once_are_refused() {
    let stage = Stage::open().await;
    let authorization = basic("orders", SECRET);
    let form = [("client_id", "orders"), ("client_secret", SECRET)];
    let reply = ask(&stage, &[("authorization", &authorization)], &form).await;
    assert_eq!(reply.error(), (400, "invalid_request".to_owned()));
    let other = [("client_id", "another")];
    let reply = ask(&stage, &[("authorization", &authorization)], &other).await;
    assert_eq!(reply.error(), (401, "invalid_client".to_owned()));
}

#[tokio::test]
async fn scopes_and_audience_are_never_wider_than_the_client_s() {
    let stage = Stage::open().await;
    let authorization = basic("orders", SECRET);
    let headers = [("authorization", authorization.as_str())];
    let reply = ask(&stage, &headers, &[("scope", "orders:read")]).await;
    assert_eq!(reply.json()["scope"], "orders:read");
    for (form, error) in [
        (("scope", "orders:read admin"), "invalid_scope"),
        (("audience", "elsewhere"), "invalid_target"),
        (("resource", "elsewhere"), "invalid_target"),
    ] {
        let reply = ask(&stage, &headers, &[form]).await;
        assert_eq!(reply.error(), (400, error.to_owned()));
        assert!(!reply.body.contains("admin") && !reply.body.contains("elsewhere"));
    }
    let twice = [("audience", "platform"), ("audience", "platform")];
    let reply = ask(&stage, &headers, &twice).await;
    assert_eq!(reply.error(), (400, "invalid_target".to_owned()));
    let form = [("grant_type", "password")];
    let reply = stage.post("/oauth/token", &headers, &form).await;
    assert_eq!(reply.error(), (400, "unsupported_grant_type".to_owned()));
}

#[tokio::test]
async fn a_client_whose_secret_is_guessed_at_is_not_listened_to_from_there() {
    let stage = Stage::open().await;
    let wrong = basic("orders", "0123456789abcdef0123456789abcdee");
    for _ in 0..20 {
        ask(&stage, &[("authorization", &wrong)], &[]).await;
    }
    let right = basic("orders", SECRET);
    let reply = ask(&stage, &[("authorization", &right)], &[]).await;
    assert_eq!(reply.status, 401);
}

struct Signed {
    stage: Stage,
    signer: Signer,
}

impl Signed {
    async fn open(database: Database) -> Self {
        let signer = Signer::generate("ES256").unwrap();
        let jwks = json!({ "keys": [signer.to_public_jwk().unwrap()] });
        let stage = Stage::with(database, |config| {
            config["clients"]["app"] = json!({
                "keys": { "jwks": jwks, "algorithms": ["ES256"] },
                "grants": ["client_credentials"],
                "scopes": ["app:run"],
            });
        })
        .await;
        Self { stage, signer }
    }

    fn claims(&self) -> Value {
        let now = START_MS / 1000;
        json!({
            "iss": "app", "sub": "app", "aud": self.stage.url,
            "iat": now, "exp": now + 60, "jti": "one",
        })
    }

    fn sign(&self, claims: &Value) -> String {
        let claims = claims.as_object().unwrap();
        self.signer.sign(&Map::new(), claims).unwrap()
    }

    async fn ask(&self, assertion: &str) -> Reply {
        let form = [
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
        ];
        ask(&self.stage, &[], &form).await
    }
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    for database in databases() {
        let signed = Signed::open(database).await;
        let assertion = signed.sign(&signed.claims());
        let reply = signed.ask(&assertion).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let again = signed.ask(&assertion).await;
        assert_eq!(again.error(), (401, "invalid_client".to_owned()));
        // The same `jti` in another assertion, too.
        let mut claims = signed.claims();
        claims["exp"] = json!(START_MS / 1000 + 30);
        let again = signed.ask(&signed.sign(&claims)).await;
        assert_eq!(again.error(), (401, "invalid_client".to_owned()));
        claims["jti"] = json!("two");
        assert_eq!(signed.ask(&signed.sign(&claims)).await.status, 200);
    }
}

#[tokio::test]
async fn an_assertion_is_for_this_bridge_alone_of_its_client_and_short() {
    let signed = Signed::open(Database::Sqlite).await;
    let url = signed.stage.url.clone();
    let now = START_MS / 1000;
    for (name, value) in [
        ("aud", json!([url, "https://other.example.com"])),
        ("aud", json!([url])),
        ("aud", json!(format!("{url}/oauth/token"))),
        ("aud", json!("https://other.example.com")),
        ("iss", json!("orders")),
        ("sub", json!("orders")),
        ("jti", Value::Null),
        ("jti", json!(7)),
        ("exp", json!(now + 301)),
        ("exp", json!(now - 31)),
        ("exp", Value::Null),
        ("iat", Value::Null),
        ("iat", json!(now + 31)),
    ] {
        let mut claims = signed.claims();
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
        let reply = signed.ask(&signed.sign(&claims)).await;
        assert_eq!(
            reply.error(),
            (401, "invalid_client".to_owned()),
            "{name} {value}"
        );
    }
    let forged = signed.signer.forged().unwrap();
    let claims = signed.claims();
    let forged = forged
        .sign(&Map::new(), claims.as_object().unwrap())
        .unwrap();
    assert_eq!(signed.ask(&forged).await.status, 401);
    let form = [
        ("client_id", "orders"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &signed.sign(&claims)),
    ];
    assert_eq!(ask(&signed.stage, &[], &form).await.status, 401);
}

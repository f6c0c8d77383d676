//! The flows: what is asked of a provider, what is not there at all, and who is who.

use http::Request;
use serde_json::json;
use url::Url;

use crate::common::{Browser, Database, Provider, SECRET, Stage};

/// A bridge with this provider, `id`.
pub(super) async fn stage(provider: &Provider) -> Stage {
    Stage::with(Database::Sqlite, |config| {
        config["login"] = json!({ "providers": { "id": provider.config("provider") } });
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_provider_has_one_redirect_uri_and_nobody_can_change_it() {
    let (provider, evil) = (Provider::open().await, "https://evil.example.com/");
    let stage = stage(&provider).await;
    let query = format!("redirect_uri={evil}&state=x&nonce=x&response_type=token&scope=x");
    let url = format!("{}/auth/login?provider=id&{query}", stage.url);
    let request = Request::get(url)
        .header("host", "evil.example.com")
        .header("x-forwarded-host", "evil.example.com")
        .header("forwarded", "host=evil.example.com");
    let reply = Browser::default().send(request, String::new()).await;
    assert_eq!(reply.status, 303, "{reply:?}");
    let asked = Url::parse(reply.header("location")).unwrap();
    let all = |name: &str| -> Vec<String> {
        let pairs = asked.query_pairs().filter(|(known, _)| known == name);
        pairs.map(|(_, value)| value.into_owned()).collect()
    };
    let callback = format!("{}/auth/callback/id", stage.url);
    assert_eq!(all("redirect_uri"), [callback]);
    assert_eq!(all("response_type"), ["code"]);
    assert_eq!(all("code_challenge_method"), ["S256"]);
    for name in ["state", "nonce", "code_challenge"] {
        let values = all(name);
        assert_eq!(values.len(), 1, "{name}");
        assert!(values[0].len() >= 22, "{name}: {values:?}");
    }
    assert!(!reply.header("location").contains("evil"));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_implicit_and_no_password_grant() {
    let stage = Stage::open().await;
    for grant in ["password", "implicit", "authorization_code"] {
        let form = [
            ("grant_type", grant),
            ("client_id", "orders"),
            ("client_secret", SECRET),
            ("username", "ada"),
            ("password", "x"),
            ("code", "x"),
        ];
        let reply = stage.post("/oauth/token", &[], &form).await;
        let error = (400, "unsupported_grant_type".to_owned());
        assert_eq!(reply.error(), error, "{grant}");
    }
    for path in ["/authorize", "/oauth/authorize", "/auth/authorize"] {
        assert_eq!(stage.get(path).await.status, 404, "{path}");
    }
    let metadata = stage.get("/.well-known/oauth-authorization-server").await;
    let metadata = metadata.json();
    assert_eq!(metadata["response_types_supported"], json!([]));
    assert_eq!(metadata.get("authorization_endpoint"), None);
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    for grant in ["password", "implicit", "authorization_code"] {
        assert!(!grants.contains(&json!(grant)), "{grant}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_writes_into_a_header_is_no_address() {
    let provider = Provider::open().await;
    let stage = stage(&provider).await;
    let mut statuses = Vec::new();
    for number in 0..31 {
        let request = Request::get(format!("{}/auth/login?provider=id", stage.url))
            .header("x-forwarded-for", format!("192.0.2.{number}"))
            .header("forwarded", format!("for=192.0.2.{number}"))
            .header("x-real-ip", format!("192.0.2.{number}"));
        let reply = Browser::default().send(request, String::new()).await;
        statuses.push(reply.status);
    }
    // They are all of one address, which may try 30 times within a minute.
    assert_eq!(statuses.pop(), Some(429));
    assert!(statuses.iter().all(|status| *status == 303), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_never_taken_for_a_person_or_a_node() {
    for id in ["p_ada", "n_press"] {
        let stage = Stage::try_with(Database::Sqlite, |config| {
            config["clients"][id] = config["clients"]["orders"].clone();
        });
        assert!(stage.await.is_err(), "{id}");
    }
    // A client cannot name itself, or a person, in its request.
    let stage = Stage::open().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "orders"),
        ("client_secret", SECRET),
        ("sub", "p_ada"),
        ("subject", "p_ada"),
        ("username", "p_ada"),
    ];
    let reply = stage.post("/oauth/token", &[], &form).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let form = [
        ("client_id", "orders"),
        ("client_secret", SECRET),
        ("token", &token),
    ];
    let said = stage.post("/oauth/introspect", &[], &form).await.json();
    assert_eq!(said["sub"], "orders", "{said}");
}

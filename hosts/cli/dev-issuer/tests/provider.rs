//! The provider without a socket: time, number, and what it is told.
#![allow(missing_docs)]

use countersign_dev_issuer::{Client, Issuer, Person, Provider, Settings};
use http::{Request, StatusCode, header::LOCATION};
use serde_json::{Map, Value, json};

const CALLBACK: &str = "http://127.0.0.1:3000/callback";
/// Verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn settings() -> Settings {
    Settings {
        clients: vec![Client {
            id: "web".to_owned(),
            secret: None,
            redirect_uris: vec![CALLBACK.to_owned()],
            post_logout_redirect_uris: Vec::new(),
        }],
        ..Settings::default()
    }
}

fn issuer() -> Issuer {
    Issuer::new("http://127.0.0.1:8181", "platform", "EdDSA").unwrap()
}

fn form(path: &str, fields: &[(&str, &str)]) -> Request<String> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    Request::post(path)
        .header(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        )
        .body(body.finish())
        .unwrap()
}

fn code(provider: &Provider, issuer: &Issuer, person: &str, now_ms: u64) -> String {
    let request = form(
        "/authorize",
        &[
            ("client_id", "web"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("person", person),
        ],
    );
    let response = provider.answer(issuer, &request, now_ms);
    let location = response.headers()[LOCATION].to_str().unwrap();
    let url = url::Url::parse(location).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code").unwrap();
    code.1.into_owned()
}

fn redeem(provider: &Provider, issuer: &Issuer, code: &str, now_ms: u64) -> (StatusCode, Value) {
    let request = form(
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", "web"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ],
    );
    let response = provider.answer(issuer, &request, now_ms);
    (
        response.status(),
        serde_json::from_str(response.body()).unwrap(),
    )
}

#[test]
fn a_code_is_good_for_a_minute() {
    let (provider, issuer) = (Provider::new(settings()).ok().unwrap(), issuer());
    let start_ms = 1_790_000_000_000;
    let code_of = || code(&provider, &issuer, "ada", start_ms);
    let (good, late) = (code_of(), code_of());
    assert_eq!(redeem(&provider, &issuer, &good, start_ms + 59_999).0, 200);
    let (status, body) = redeem(&provider, &issuer, &late, start_ms + 60_000);
    assert_eq!(
        (status.as_u16(), &body["error"]),
        (400, &json!("invalid_grant"))
    );
}

#[test]
fn codes_are_bounded_and_the_oldest_makes_room() {
    let (provider, issuer) = (Provider::new(settings()).ok().unwrap(), issuer());
    let codes: Vec<_> = (0..1_001)
        .map(|now_ms| code(&provider, &issuer, "ada", now_ms))
        .collect();
    assert_eq!(redeem(&provider, &issuer, &codes[0], 1_001).0, 400);
    assert_eq!(redeem(&provider, &issuer, &codes[1], 1_001).0, 200);
    assert_eq!(redeem(&provider, &issuer, &codes[1_000], 1_001).0, 200);
}

#[test]
fn an_access_token_is_good_for_ten_minutes() {
    let (provider, issuer) = (Provider::new(settings()).ok().unwrap(), issuer());
    let code = code(&provider, &issuer, "ada", 0);
    let (_, tokens) = redeem(&provider, &issuer, &code, 0);
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let request = Request::get("/userinfo").header("authorization", bearer);
    let request = request.body("").unwrap();
    let status = |now_ms| provider.answer(&issuer, &request, now_ms).status();
    assert_eq!(status(599_999), 200);
    assert_eq!(status(600_000), 401);
}

#[test]
fn a_person_is_what_the_settings_say_and_a_form_from_there_is_escaped() {
    let mut claims = Map::new();
    claims.insert("org_id".to_owned(), json!("globex"));
    let person = Person {
        sub: "x<1>".to_owned(),
        name: "<b>Eve</b> & \"co\"".to_owned(),
        email: None,
        organization: None,
        roles: Vec::new(),
        claims,
    };
    let settings = Settings {
        people: vec![person],
        ..settings()
    };
    let (provider, issuer) = (Provider::new(settings).ok().unwrap(), issuer());
    let query = format!(
        "/authorize?client_id=web&response_type=code&scope=openid&code_challenge_method=S256\
         &code_challenge={CHALLENGE}&redirect_uri={CALLBACK}"
    );
    let page = provider.answer(&issuer, &Request::get(query).body("").unwrap(), 0);
    assert!(
        page.body()
            .contains("&lt;b&gt;Eve&lt;/b&gt; &amp; &quot;co&quot;")
    );
    assert!(page.body().contains("value=\"x&lt;1&gt;\""));

    let code = code(&provider, &issuer, "x<1>", 0);
    let (_, tokens) = redeem(&provider, &issuer, &code, 0);
    let bearer = format!("bearer {}", tokens["access_token"].as_str().unwrap());
    let request = Request::get("/userinfo").header("authorization", bearer);
    let response = provider.answer(&issuer, &request.body("").unwrap(), 0);
    let person: Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(
        person,
        json!({ "sub": "x<1>", "name": "<b>Eve</b> & \"co\"", "org_id": "globex" })
    );
}

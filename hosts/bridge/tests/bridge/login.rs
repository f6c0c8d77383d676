//! Login at a provider, sessions, and attacks on both by their names.

use serde_json::json;
use url::Url;

use crate::common::{Browser, Database, Provider, Reply, Stage, databases};

const COOKIE: &str = "__Host-countersign";

struct Site {
    stage: Stage,
    provider: Provider,
    other: Provider,
}

impl Site {
    async fn open(database: Database) -> Self {
        let (provider, other) = (Provider::open().await, Provider::open().await);
        let stage = Stage::with(database, |config| {
            config["login"] = json!({ "providers": {
                "acme-id": provider.config("provider"),
                "other": other.config("provider"),
            } });
        })
        .await;
        Self {
            stage,
            provider,
            other,
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.stage.url)
    }

    /// Up to the provider's answer: the address to which it sends the browser back.
    async fn answer(&self, browser: &mut Browser) -> String {
        let url = self.at("/auth/login?provider=acme-id&return_to=/orders?id=7");
        let reply = browser.get(&url).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        let mut at_provider = Browser::default();
        let reply = at_provider.get(reply.header("location")).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        reply.header("location").to_owned()
    }

    async fn sign_in(&self, browser: &mut Browser) -> Reply {
        let answer = self.answer(browser).await;
        browser.get(&answer).await
    }
}

/// It is refused, and nobody is signed in.
fn assert_refused(reply: &Reply, browser: &Browser) {
    assert!(matches!(reply.status, 400 | 403), "{reply:?}");
    assert!(reply.headers.get("location").is_none());
    assert!(!browser.cookies.contains_key(COOKIE), "{browser:?}");
}

fn with(url: &str, name: &str, value: Option<&str>) -> String {
    let mut url = Url::parse(url).unwrap();
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let mut query = url.query_pairs_mut();
    query.clear();
    for (known, old) in pairs.iter().filter(|(known, _)| known != name) {
        query.append_pair(known, old);
    }
    if let Some(value) = value {
        query.append_pair(name, value);
    }
    drop(query);
    url.into()
}

fn part(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    let mut pairs = url.query_pairs().into_owned();
    pairs.find(|(known, _)| known == name).unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_out() {
    for database in databases() {
        let site = Site::open(database).await;
        let mut browser = Browser::default();
        let reply = site.sign_in(&mut browser).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        assert_eq!(reply.header("location"), "/orders?id=7");
        assert_eq!(reply.header("cache-control"), "no-store");
        let session = browser.get(&site.at("/auth/session")).await.json();
        let person = session["person"].as_str().unwrap();
        assert!(person.starts_with("p_"));
        assert_eq!(session["provider"], "acme-id");
        // Only a hash of the cookie is kept.
        let kept = site.stage.sql("SELECT hash FROM sessions").await;
        assert_eq!(kept.len(), 1);
        assert!(!kept.contains(&browser.cookies[COOKIE]));

        let csrf = session["csrf"].as_str().unwrap();
        let page = browser.get(&site.at("/auth/logout")).await;
        assert!(page.body.contains(csrf) && page.status == 200);
        let before = browser.clone();
        let url = site.at("/auth/logout");
        let reply = browser.post(&url, &[], &[("csrf", csrf)]).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        let location = reply.header("location");
        assert!(
            location.starts_with(&format!("{}/logout?", site.provider.url)),
            "{location}"
        );
        assert_eq!(
            part(location, "post_logout_redirect_uri"),
            site.at("/auth/logout/done")
        );
        assert_eq!(part(location, "id_token_hint").split('.').count(), 3);
        assert!(!browser.cookies.contains_key(COOKIE));
        // Nor does a copy of the cookie do any good.
        let reply = before.clone().get(&site.at("/auth/session")).await;
        assert_eq!(reply.error(), (401, "invalid_token".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_an_issuer_and_a_subject() {
    let site = Site::open(Database::Sqlite).await;
    let mut people = Vec::new();
    for sub in ["ada", "bob", "ada"] {
        site.provider.signs_in(sub);
        let mut browser = Browser::default();
        site.sign_in(&mut browser).await;
        let session = browser.get(&site.at("/auth/session")).await.json();
        people.push(session["person"].as_str().unwrap().to_owned());
    }
    assert_eq!(people[0], people[2]);
    assert_ne!(people[0], people[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_fixation() {
    let site = Site::open(Database::Sqlite).await;
    let mut browser = Browser::default();
    let planted = "A".repeat(43);
    browser.cookies.insert(COOKIE.to_owned(), planted.clone());
    site.sign_in(&mut browser).await;
    let first = browser.cookies[COOKIE].clone();
    assert_ne!(first, planted);
    // Another login in the same browser has another cookie, and the first one ends.
    site.sign_in(&mut browser).await;
    let mut old = Browser::default();
    old.cookies.insert(COOKIE.to_owned(), first.clone());
    assert_ne!(browser.cookies[COOKIE], first);
    assert_eq!(old.get(&site.at("/auth/session")).await.status, 401);
    assert_eq!(browser.get(&site.at("/auth/session")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn login_csrf() {
    let site = Site::open(Database::Sqlite).await;
    let answer = site.answer(&mut Browser::default()).await;
    // The victim follows the attacker's link, with and without an attempt of its own.
    let mut victim = Browser::default();
    let reply = victim.get(&answer).await;
    assert_refused(&reply, &victim);
    site.answer(&mut victim).await;
    let reply = victim.get(&answer).await;
    assert_refused(&reply, &victim);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_redirect() {
    let site = Site::open(Database::Sqlite).await;
    for target in [
        "https://evil.example.com",
        "//evil.example.com",
        "/\\evil.example.com",
        "/%09/evil.example.com",
        "/.//evil.example.com",
        "javascript:alert(1)",
    ] {
        // As it stands, so that `%09` is a tab.
        let url = site.at(&format!(
            "/auth/login?provider=acme-id&return_to={}",
            target.replace('\\', "%5C")
        ));
        let reply = Browser::default().get(&url).await;
        assert_eq!(reply.status, 400, "{target}: {reply:?}");
        assert!(!reply.body.contains("evil"));
    }
    assert!(site.provider.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn mix_up() {
    let site = Site::open(Database::Sqlite).await;
    // The answer of one provider at the address of another.
    let mut browser = Browser::default();
    let answer = site.answer(&mut browser).await;
    let reply = browser.get(&answer.replace("/acme-id?", "/other?")).await;
    assert_refused(&reply, &browser);
    // Another provider's `iss`, or none where the provider says that it sends one.
    for iss in [Some(site.other.url.as_str()), None] {
        let mut browser = Browser::default();
        let answer = site.answer(&mut browser).await;
        let reply = browser.get(&with(&answer, "iss", iss)).await;
        assert_refused(&reply, &browser);
    }
    // Two of them are refused as well.
    let mut browser = Browser::default();
    let answer = site.answer(&mut browser).await;
    let reply = browser.get(&format!("{answer}&iss=x")).await;
    assert_refused(&reply, &browser);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_iss_in_its_answers_works_too() {
    let site = Site::open(Database::Sqlite).await;
    let name = "authorization_response_iss_parameter_supported";
    site.provider.describes(json!({ name: null }));
    site.provider.answers_as(None);
    let reply = site.sign_in(&mut Browser::default()).await;
    assert_eq!(reply.status, 303, "{reply:?}");
    site.provider.answers_as(Some(&site.other.url));
    let mut browser = Browser::default();
    let reply = site.sign_in(&mut browser).await;
    assert_refused(&reply, &browser);
}

#[tokio::test(flavor = "multi_thread")]
async fn state_replay() {
    for database in databases() {
        let site = Site::open(database).await;
        let mut browser = Browser::default();
        let answer = site.answer(&mut browser).await;
        let mut again = browser.clone();
        assert_eq!(browser.get(&answer).await.status, 303);
        let reply = again.get(&answer).await;
        assert_refused(&reply, &again);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_replay() {
    let site = Site::open(Database::Sqlite).await;
    let mut browser = Browser::default();
    let first = site.answer(&mut browser).await;
    assert_eq!(browser.get(&first).await.status, 303);
    let mut thief = Browser::default();
    let own = site.answer(&mut thief).await;
    let reply = thief
        .get(&with(&own, "code", Some(&part(&first, "code"))))
        .await;
    assert_refused(&reply, &thief);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_code_is_no_use_in_another_attempt() {
    let site = Site::open(Database::Sqlite).await;
    let stolen = part(&site.answer(&mut Browser::default()).await, "code");
    let mut thief = Browser::default();
    let own = site.answer(&mut thief).await;
    let reply = thief.get(&with(&own, "code", Some(&stolen))).await;
    assert_refused(&reply, &thief);
}

#[tokio::test(flavor = "multi_thread")]
async fn pkce_downgrade() {
    let site = Site::open(Database::Sqlite).await;
    site.answer(&mut Browser::default()).await;
    let asked = site.provider.asked();
    assert_eq!(asked[0]["code_challenge_method"], "S256");
    assert_eq!(asked[0]["code_challenge"].len(), 43);
    assert_eq!(asked[0]["response_type"], "code");
    assert!(!asked[0].contains_key("code_verifier"));
    // One that has no more than `plain` is not asked at all.
    site.other
        .describes(json!({ "code_challenge_methods_supported": ["plain"] }));
    let reply = Browser::default()
        .get(&site.at("/auth/login?provider=other"))
        .await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(site.other.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_says_what_it_must_not_signs_nobody_in() {
    let site = Site::open(Database::Sqlite).await;
    let now = crate::common::START_MS / 1000;
    for claims in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        // Another provider speaks, with this one's key.
        json!({ "iss": site.other.url }),
        json!({ "iss": null }),
        json!({ "aud": "somebody" }),
        json!({ "aud": ["bridge", "somebody"], "azp": "somebody" }),
        json!({ "exp": now - 60 }),
        json!({ "exp": null }),
        json!({ "iat": now - 3600 }),
        json!({ "iat": null }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": "x".repeat(256) }),
        json!({ "sub": 7 }),
    ] {
        site.provider.says(claims.clone());
        let mut browser = Browser::default();
        let reply = site.sign_in(&mut browser).await;
        assert_eq!(reply.status, 403, "{claims}: {reply:?}");
        assert_refused(&reply, &browser);
    }
    site.provider.says(json!({}));
    site.provider.forge();
    let mut browser = Browser::default();
    let reply = site.sign_in(&mut browser).await;
    assert_refused(&reply, &browser);
    assert!(site.stage.sql("SELECT id FROM people").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_another_than_it_says_is_not_asked() {
    let site = Site::open(Database::Sqlite).await;
    for metadata in [
        json!({ "issuer": site.other.url }),
        json!({ "token_endpoint": "ftp://id.example.com/token" }),
        json!({ "token_endpoint": null }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
    ] {
        site.provider.describes(metadata.clone());
        site.stage.clock.forward_s(6);
        let url = site.at("/auth/login?provider=acme-id");
        let reply = Browser::default().get(&url).await;
        assert_eq!(reply.status, 503, "{metadata}: {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_s_new_key_breaks_no_login() {
    let site = Site::open(Database::Sqlite).await;
    assert_eq!(site.sign_in(&mut Browser::default()).await.status, 303);
    site.stage.clock.forward_s(3600);
    site.provider.forward_s(3600);
    site.provider.rotate();
    let reply = site.sign_in(&mut Browser::default()).await;
    assert_eq!(reply.status, 303, "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_needs_the_token_of_this_site_s_page() {
    let site = Site::open(Database::Sqlite).await;
    let mut browser = Browser::default();
    site.sign_in(&mut browser).await;
    let session = browser.get(&site.at("/auth/session")).await.json();
    let csrf = session["csrf"].as_str().unwrap();
    let mut other = Browser::default();
    site.sign_in(&mut other).await;
    let others = other.get(&site.at("/auth/session")).await.json();
    let others = others["csrf"].as_str().unwrap();
    let url = site.at("/auth/logout");
    let own = site.stage.url.clone();
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[], ""),
        (&[], "x"),
        (&[], others),
        (&[("origin", "https://evil.example.com")], csrf),
        (&[("origin", "null")], csrf),
        (&[("sec-fetch-site", "cross-site")], csrf),
        (&[("sec-fetch-site", "same-site")], csrf),
    ];
    for (headers, token) in cases {
        let reply = browser.post(&url, headers, &[("csrf", token)]).await;
        assert_eq!(
            reply.error(),
            (400, "access_denied".to_owned()),
            "{headers:?}"
        );
    }
    assert_eq!(browser.get(&site.at("/auth/session")).await.status, 200);
    let headers = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    let reply = browser.post(&url, &headers, &[("csrf", csrf)]).await;
    assert_eq!(reply.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_nobody_uses_it_and_in_any_case() {
    let site = Site::open(Database::Sqlite).await;
    let url = site.at("/auth/session");
    let mut browser = Browser::default();
    site.sign_in(&mut browser).await;
    // In use, it goes on for twelve hours.
    for _ in 0..23 {
        site.stage.clock.forward_s(1800);
        assert_eq!(browser.get(&url).await.status, 200);
    }
    site.stage.clock.forward_s(1800);
    assert_eq!(browser.get(&url).await.status, 401);
    let mut browser = Browser::default();
    site.provider.forward_s(43_200);
    site.sign_in(&mut browser).await;
    site.stage.clock.forward_s(3601);
    assert_eq!(browser.get(&url).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_over_after_ten_minutes_and_many_are_too_many() {
    let site = Site::open(Database::Sqlite).await;
    let mut browser = Browser::default();
    let answer = site.answer(&mut browser).await;
    site.stage.clock.forward_s(601);
    let reply = browser.get(&answer).await;
    assert_refused(&reply, &browser);
    let url = site.at("/auth/login?provider=acme-id");
    for _ in 0..30 {
        assert_eq!(Browser::default().get(&url).await.status, 303);
    }
    assert_eq!(Browser::default().get(&url).await.status, 429);
    site.stage.clock.forward_s(60);
    assert_eq!(Browser::default().get(&url).await.status, 303);
}

//! What a browser gets: addresses, referrers, redirects, frames.

use crate::common::{Browser, Provider, Reply, SECRET, Stage};

use super::flows::stage;

/// A login, from the bridge to its provider and back.
struct Login {
    stage: Stage,
    browser: Browser,
    /// To the provider, and to the page after it.
    replies: [Reply; 2],
}

impl Login {
    async fn open() -> Self {
        let provider = Provider::open().await;
        let stage = stage(&provider).await;
        let mut browser = Browser::default();
        let url = format!("{}/auth/login?return_to=/orders", stage.url);
        let begun = browser.get(&url).await;
        let answer = Browser::default().get(begun.header("location")).await;
        let done = browser.get(answer.header("location")).await;
        Self {
            stage,
            browser,
            replies: [begun, done],
        }
    }

    async fn get(&mut self, path: &str) -> Reply {
        let url = format!("{}{path}", self.stage.url);
        self.browser.get(&url).await
    }
}

/// Every page that there is.
const PAGES: [&str; 6] = [
    "/auth/login?provider=unknown",
    "/auth/callback/id?state=x&code=x",
    "/auth/logout",
    "/auth/logout/done",
    "/pair",
    "/pair?user_code=BCDF-GHJK&tenant=acme",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_address_and_no_referrer_has_a_secret() {
    let mut login = Login::open().await;
    let [begun, done] = &login.replies;
    // The page after the login has neither code nor state in its address.
    assert_eq!(done.header("location"), "/orders");
    assert!(!begun.header("location").contains("verifier"));
    for reply in &login.replies {
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{reply:?}");
        assert_eq!(reply.header("cache-control"), "no-store", "{reply:?}");
    }
    for path in PAGES {
        let page = login.get(path).await;
        let policy = page.header("referrer-policy");
        assert!(matches!(policy, "same-origin" | "no-referrer"), "{path}");
        // Nothing of another site is loaded that could be told the address.
        assert!(!page.body.contains(" src="), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_secret_is_not_taken_from_an_address() {
    let mut login = Login::open().await;
    let query = format!("grant_type=client_credentials&client_id=orders&client_secret={SECRET}");
    let path = format!("/oauth/token?{query}");
    let reply = login.stage.post(&path, &[], &[]).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert_eq!(login.get(&path).await.status, 405);
    let grant = [("grant_type", "client_credentials")];
    let reply = login.stage.post(&path, &[], &grant).await;
    assert_eq!(reply.error(), (401, "invalid_client".to_owned()));

    let session = login.get("/auth/session").await.json();
    let csrf = session["csrf"].as_str().unwrap();
    let url = format!("{}/auth/logout?csrf={csrf}", login.stage.url);
    let reply = login.browser.post(&url, &[], &[]).await;
    assert_eq!(reply.error(), (400, "access_denied".to_owned()));
    let cookie = login.browser.cookies["__Host-countersign"].clone();
    let mut other = Browser::default();
    for name in ["session", "access_token", "__Host-countersign"] {
        let url = format!("{}/auth/session?{name}={cookie}", login.stage.url);
        assert_eq!(other.get(&url).await.status, 401, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_always_303() {
    let mut login = Login::open().await;
    let session = login.get("/auth/session").await.json();
    let csrf = session["csrf"].as_str().unwrap().to_owned();
    for reply in &login.replies {
        assert_eq!(reply.status, 303, "{reply:?}");
    }
    let url = format!("{}/auth/logout", login.stage.url);
    // A form: with 307 the browser would send its content on to the provider.
    let reply = login.browser.post(&url, &[], &[("csrf", &csrf)]).await;
    assert_eq!(reply.status, 303, "{reply:?}");
    assert!(!reply.header("location").contains(&csrf));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_in_a_frame_or_has_script() {
    let mut login = Login::open().await;
    for path in PAGES {
        let page = login.get(path).await;
        let policy = page.header("content-security-policy");
        for needed in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(needed), "{path}: {policy}");
        }
        // With `default-src 'none'` and no word about script, none runs, so that no window
        // is sent a message either.
        assert!(!policy.contains("script-src"), "{path}: {policy}");
        assert!(!page.body.contains("<script"), "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
    }
}

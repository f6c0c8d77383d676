//! What others try with the pages of the development provider.

use crate::{
    browser::{CALLBACK, Provider, asked, encode, percent, redemption},
    server::send,
};

#[test]
fn only_a_registered_redirect_uri_is_ever_used() {
    let provider = Provider::start();
    for uri in [
        "http://127.0.0.1:3000/auth/callback",
        "http://127.0.0.1:3000/auth/callback?from=dev&more=1",
        "http://127.0.0.1:3000/auth/callback?from=dev#here",
        "http://127.0.0.1:3000/auth/callback/?from=dev",
        "http://127.0.0.1:3000/auth/../auth/callback?from=dev",
        "http://127.0.0.1:3000/AUTH/callback?from=dev",
        "http://127.0.0.1:3000@evil.example/auth/callback?from=dev",
        "http://localhost:3000/auth/callback?from=dev",
        "https://evil.example/",
        "javascript:alert(1)",
        "",
    ] {
        // Also where another mistake would be told to the client.
        for more in [("state", "s"), ("response_type", "token")] {
            let reply = provider.authorize(&asked(&[("redirect_uri", uri), more]));
            assert_eq!(reply.status, 400, "{uri}");
            assert!(!reply.headers.contains_key("location"), "{uri}");
        }
    }
    let twice = format!("/authorize?{}&redirect_uri=x", encode(&asked(&[])));
    assert_eq!(provider.get(&twice, &[]).status, 400);
    let unknown = provider.authorize(&asked(&[("client_id", "webb")]));
    assert_eq!(unknown.status, 400);

    // And the one of the code's request at the token endpoint.
    let code = provider.pick(&asked(&[]), "ada")["code"].clone();
    let mut fields = redemption(&code);
    fields[3].1 = "http://127.0.0.1:3000/auth/callback";
    provider
        .post("/token", &fields, &[])
        .refused(400, "invalid_grant");
}

#[test]
fn mistakes_of_an_app_come_back_to_it_with_state_and_issuer() {
    let provider = Provider::start();
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        (
            "response_type",
            "code id_token",
            "unsupported_response_type",
        ),
        ("response_mode", "fragment", "invalid_request"),
        ("scope", "profile", "invalid_scope"),
        ("prompt", "none", "login_required"),
        ("request", "e30.e30.", "request_not_supported"),
        (
            "request_uri",
            "https://evil.example/",
            "request_uri_not_supported",
        ),
    ] {
        let reply = provider.authorize(&asked(&[(name, value)]));
        let result = reply.redirected(CALLBACK);
        assert_eq!(result["error"], error, "{name}");
        assert_eq!(result["state"], "a state & more");
        assert_eq!(result["iss"], provider.url);
        assert!(!result.contains_key("code"));
    }
    let mut form = asked(&[]);
    form.push(("cancel", "yes"));
    let result = provider.post("/authorize", &form, &[]).redirected(CALLBACK);
    assert_eq!(result["error"], "access_denied");
}

#[test]
fn what_a_parameter_says_is_text_on_a_page_and_nothing_else() {
    let provider = Provider::start();
    let attack =
        "\"><script>alert(1)</script><img src=x onerror='alert(1)'>&quot;\r\nset-cookie: a=b";
    let page = provider.authorize(&asked(&[("state", attack), ("nonce", attack)]));
    assert_eq!(page.status, 200);
    assert!(
        !page.body.contains("<script") && !page.body.contains("<img"),
        "{}",
        page.body
    );
    // It comes back as it was.
    let hidden = page.hidden();
    let state = hidden.iter().find(|(name, _)| name == "state").unwrap();
    assert_eq!(state.1, attack);
    let result = provider.pick(&asked(&[("state", attack)]), "ada");
    assert_eq!(result["state"], attack);

    for target in [
        format!("/authorize?client_id={}", percent(attack)),
        format!("/authorize?{}", encode(&asked(&[("redirect_uri", attack)]))),
        format!("/logout?client_id={}", percent(attack)),
        format!(
            "/logout?client_id=web&post_logout_redirect_uri={}",
            percent(attack)
        ),
        format!("/{}", percent(attack)),
    ] {
        let page = provider.get(&target, &[]);
        assert!(matches!(page.status, 400 | 404), "{target}");
        assert!(!page.body.contains("alert(1)"), "{}", page.body);
    }
    let mut form = asked(&[]);
    form.push(("person", attack));
    let page = provider.post("/authorize", &form, &[]);
    assert_eq!(page.status, 400);
    assert!(!page.body.contains("alert(1)"));
}

#[test]
fn every_page_says_what_it_is_and_is_nobody_elses_frame() {
    let provider = Provider::start();
    let good = format!("/authorize?{}", encode(&asked(&[])));
    for target in ["/", &good, "/authorize", "/logout", "/nowhere"] {
        let page = provider.get(target, &[]);
        assert!(
            page.body.contains("DEVELOPMENT ONLY"),
            "{target}: {}",
            page.body
        );
        let policy = &page.headers["content-security-policy"];
        assert!(policy.contains("default-src 'none'"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
    }
    assert!(!provider.get("/", &[]).body.contains("s3cret"));
}

#[test]
fn another_site_neither_picks_a_person_nor_reads_the_page() {
    let provider = Provider::start();
    let mut form = asked(&[]);
    form.push(("person", "ada"));
    for origin in ["origin: https://evil.example", "origin: null"] {
        let reply = provider.post("/authorize", &form, &[origin]);
        assert_eq!(reply.status, 403);
        assert!(!reply.headers.contains_key("location"));
    }
    // A link alone picks nobody.
    let page = provider.authorize(&form);
    assert_eq!(page.status, 200);
    // A name that was made to resolve to this machine.
    let lines = ["host: evil.example".to_owned()];
    let reply = send(provider.port, "GET", "/", &lines, "");
    assert!(reply.starts_with("HTTP/1.1 421"), "{reply}");
}

//! Cookies that only same-origin requests can use.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [safe(), fetch_site(), origin(), places()].concat();
    topic(
        "origin",
        "Cookies that only requests of the same origin may use",
        drafts,
    )
}

fn marked() -> Policy {
    policy().top(
        "credentials",
        json!([
            { "header": "authorization", "scheme": "Bearer" },
            { "cookie": "session", "same_origin": true },
        ]),
    )
}

fn with_cookie(method: &str) -> Request {
    request(method, "/").header("cookie", format!("session={}", token().compact()))
}

fn case(id: &str, title: &str, rule: &str, request: Request, admitted: bool) -> Draft {
    let expect = if admitted {
        allow()
    } else {
        deny(Code::OriginDenied).without_challenge()
    };
    vector(id, title, &[rule, "rule.origin"])
        .policy(marked())
        .ask(request, expect)
}

fn safe() -> Vec<Draft> {
    ["GET", "HEAD", "OPTIONS", "TRACE"]
        .iter()
        .map(|method| {
            let id = format!("origin-safe-{}", method.to_lowercase());
            let request = with_cookie(method).header("sec-fetch-site", "cross-site");
            case(
                &id,
                &format!("`{method}` from anywhere"),
                "origin.safe",
                request,
                true,
            )
        })
        .collect()
}

fn fetch_site() -> Vec<Draft> {
    let rule = "origin.fetch-site";
    let from = |site: &str| with_cookie("POST").header("sec-fetch-site", site);
    let own = "https://api.example.com";
    vec![
        case(
            "origin-site-same",
            "`same-origin`",
            rule,
            from("same-origin"),
            true,
        ),
        case(
            "origin-site-none",
            "`none`: typed by the user",
            rule,
            from("none"),
            true,
        ),
        case(
            "origin-site-cross",
            "`cross-site`",
            rule,
            from("cross-site"),
            false,
        ),
        case(
            "origin-site-same-site",
            "`same-site`: a neighbour",
            rule,
            from("same-site"),
            false,
        ),
        case(
            "origin-site-unknown",
            "a value that nobody knows",
            rule,
            from("whatever"),
            false,
        ),
        case("origin-site-empty", "an empty value", rule, from(""), false),
        case(
            "origin-site-beats-origin",
            "a good `Origin` does not help",
            rule,
            from("cross-site").header("origin", own),
            false,
        ),
        case(
            "origin-site-before-origin",
            "nor does a bad one harm",
            rule,
            from("same-origin").header("origin", "https://evil.example"),
            true,
        ),
        case(
            "origin-delete",
            "`DELETE` too",
            rule,
            with_cookie("DELETE").header("sec-fetch-site", "cross-site"),
            false,
        ),
        case(
            "origin-unknown-method",
            "and any method that is not known to be safe",
            rule,
            with_cookie("PURGE").header("sec-fetch-site", "cross-site"),
            false,
        ),
    ]
}

fn origin() -> Vec<Draft> {
    let rule = "origin.origin";
    let from = |origin: &str| with_cookie("POST").header("origin", origin);
    vec![
        case(
            "origin-equal",
            "the authority itself",
            rule,
            from("https://api.example.com"),
            true,
        ),
        case(
            "origin-port",
            "with the same port",
            rule,
            from("https://api.example.com:8443").to("api.example.com:8443"),
            true,
        ),
        case(
            "origin-default-port",
            "the default port said",
            rule,
            from("https://api.example.com:443"),
            true,
        ),
        case(
            "origin-default-port-authority",
            "the default port said by the authority",
            rule,
            from("https://api.example.com").to("api.example.com:443"),
            true,
        ),
        case(
            "origin-case",
            "another case",
            rule,
            from("https://API.example.com"),
            true,
        ),
        case(
            "origin-two",
            "two of them, one from elsewhere",
            rule,
            from("https://api.example.com").header("origin", "https://evil.example"),
            false,
        ),
        case(
            "origin-other-port",
            "another port",
            rule,
            from("https://api.example.com:8443"),
            false,
        ),
        case(
            "origin-other-host",
            "another host",
            rule,
            from("https://evil.example"),
            false,
        ),
        case(
            "origin-subdomain",
            "a host below",
            rule,
            from("https://x.api.example.com"),
            false,
        ),
        case(
            "origin-suffix",
            "a host that only ends alike",
            rule,
            from("https://evilapi.example.com"),
            false,
        ),
        case(
            "origin-null",
            "`null`: a sandboxed frame",
            rule,
            from("null"),
            false,
        ),
        case(
            "origin-absent",
            "neither header",
            rule,
            with_cookie("POST"),
            false,
        ),
        case(
            "origin-absent-authority",
            "no authority to compare with",
            rule,
            from("https://api.example.com").to(""),
            false,
        ),
    ]
}

fn places() -> Vec<Draft> {
    let cross = || with_cookie("POST").header("sec-fetch-site", "cross-site");
    vec![
        vector(
            "origin-header-only",
            "a header is not held to an origin",
            &["origin.other-place"],
        )
        .policy(marked())
        .ask(
            request("POST", "/")
                .bearer(&token())
                .header("sec-fetch-site", "cross-site"),
            allow(),
        ),
        vector(
            "origin-header-too",
            "nor a cookie that came in the header too",
            &["origin.other-place"],
        )
        .policy(marked())
        .ask(cross().bearer(&token()), allow()),
        vector(
            "origin-unmarked",
            "nor a cookie that is not marked",
            &["origin.other-place"],
        )
        .policy(policy().top("credentials", json!([{ "cookie": "session" }])))
        .ask(cross(), allow()),
        vector(
            "origin-optional",
            "an optional rule checks it too",
            &["rule.origin", "rule.optional"],
        )
        .policy(marked().rules(json!([{ "path": "/**", "optional": true }])))
        .ask(cross(), Code::OriginDenied),
        vector("origin-public", "a public rule does not", &["rule.public"])
            .policy(marked().rules(json!([{ "path": "/**", "public": true }])))
            .ask(cross(), anonymous()),
    ]
}

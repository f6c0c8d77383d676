//! Several tokens of one user, bad tokens that are ignored, expired ones that
//! are accepted, and origins that are trusted.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [first(), cookies(), ignored(), expired(), trusted()].concat();
    topic(
        "several",
        "Several tokens of one user, and bad ones that a rule lets be",
        drafts,
    )
}

fn bearer(token: &Token) -> String {
    format!("Bearer {}", token.compact())
}

fn session(token: &Token) -> String {
    format!("session={}", token.compact())
}

fn other() -> Token {
    token().claim("sub", "user-1234")
}

fn stale() -> Token {
    token().claim("exp", NOW_S - 60)
}

fn under_first() -> Policy {
    policy().top("several", "first").top(
        "credentials",
        json!([
            { "header": "authorization", "scheme": "Bearer" },
            { "cookie": "session", "same_origin": true },
            { "header": "x-token" },
        ]),
    )
}

fn user(name: &str) -> crate::vector::Expect {
    principal(json!({ "subject": name }))
}

fn first() -> Vec<Draft> {
    let asking = |id, title, rules: &[&str]| vector(id, title, rules).policy(under_first());
    vec![
        asking(
            "first-header",
            "the header comes before the cookie",
            &["credential.first", "credential.first-taken"],
        )
        .ask(
            get("/")
                .header("authorization", bearer(&token()))
                .header("cookie", session(&other()) + "; a=1"),
            user("user-4711").changing(&[("cookie", Some("a=1"))]),
        )
        .ask(
            get("/")
                .header("cookie", session(&other()))
                .header("x-token", token().compact())
                .header("X_Token", "y"),
            user("user-1234").changing(&[("x-token", None), ("x_token", None)]),
        ),
        asking(
            "first-bad",
            "it decides, whatever it is worth",
            &["credential.first"],
        )
        .ask(
            get("/")
                .header("authorization", bearer(&stale()))
                .header("cookie", session(&token())),
            Code::TokenExpired,
        ),
        asking(
            "first-same",
            "the same token in both places stays",
            &["credential.first-taken"],
        )
        .ask(
            get("/")
                .header("authorization", bearer(&token()))
                .header("cookie", session(&token())),
            user("user-4711").changing(&[]),
        ),
        asking(
            "first-empty",
            "an empty place does not decide",
            &["credential.first"],
        )
        .ask(
            get("/")
                .header("authorization", "Bearer ")
                .header("cookie", session(&other())),
            user("user-1234"),
        ),
        asking(
            "first-two-in-header",
            "two tokens in one header are refused, wherever it stands",
            &["credential.first-field"],
        )
        .attack("multi-token")
        .ask(
            get("/").header(
                "authorization",
                format!("{}, {}", bearer(&token()), bearer(&other())),
            ),
            Code::TokenMultiple,
        )
        .ask(
            get("/")
                .header("authorization", bearer(&token()))
                .header("x-token", token().compact())
                .header("x-token", other().compact()),
            Code::TokenMultiple,
        ),
    ]
}

fn cookies() -> Vec<Draft> {
    let asking = |id, title| vector(id, title, &["credential.first-cookies"]).policy(under_first());
    let all = |tokens: &[Token]| {
        let cookies: Vec<String> = tokens.iter().map(session).collect();
        get("/").header("cookie", cookies.join("; "))
    };
    let numbered = |n: i64| token().claim("exp", NOW_S - n);
    let late = token().claim("nbf", NOW_S + 60);
    vec![
        asking(
            "first-cookie-good",
            "the first good one counts, the others go",
        )
        .ask(
            all(&[stale(), other(), token()]),
            user("user-1234").changing(&[("cookie", Some(&session(&other())))]),
        ),
        asking(
            "first-cookies-bad",
            "if none is good, the denial is the first one's",
        )
        .ask(all(&[late.clone(), stale()]), Code::TokenNotYetValid)
        .ask(all(&[stale(), late]), Code::TokenExpired),
        asking("first-cookies-four", "four are tried, and not five")
            .ask(
                all(&[numbered(1), numbered(2), numbered(3), token()]),
                user("user-4711"),
            )
            .ask(
                all(&[numbered(1), numbered(2), numbered(3), numbered(4), token()]),
                Code::TokenMultiple,
            ),
        asking(
            "first-cookies-undecided",
            "those of a place that does not decide are not counted",
        )
        .ask(
            all(&[
                numbered(1),
                numbered(2),
                numbered(3),
                numbered(4),
                numbered(5),
                other(),
            ])
            .header("authorization", bearer(&token())),
            user("user-4711").changing(&[("cookie", None)]),
        ),
        vector(
            "first-cookies-wait",
            "what must wait ends it",
            &["credential.first-cookies"],
        )
        .policy(fetching().top("several", "first").top(
            "credentials",
            json!([{ "cookie": "session", "same_origin": true }]),
        ))
        .ask(
            get("/").header(
                "cookie",
                format!("{}; {}", session(&token()), session(&other())),
            ),
            wait(&["jwks"]),
        ),
    ]
}

fn ignored() -> Vec<Draft> {
    let list = json!([
        { "header": "authorization", "scheme": "Bearer" },
        { "cookie": "session", "same_origin": true },
    ]);
    let ignoring = |policy: Policy| {
        policy.top("credentials", list.clone()).rules(json!([
            { "path": "/", "optional": { "bad_token": "ignore" }, "require": { "scopes": ["read"] } },
            { "path": "/**", "optional": true },
        ]))
    };
    let asking = |id, title, rules: &[&str]| vector(id, title, rules).policy(ignoring(policy()));
    let fine = token().claim("scope", "read");
    vec![
        asking(
            "ignore-none",
            "without a token nothing is removed",
            &["rule.ignore-bad"],
        )
        .ask(get("/").header("cookie", "a=1"), anonymous().changing(&[])),
        asking(
            "ignore-good",
            "a good token counts, and stays",
            &["rule.ignore-bad"],
        )
        .ask(fine.clone(), user("user-4711").changing(&[])),
        asking(
            "ignore-stale-cookie",
            "yesterday's cookie is nobody's",
            &["rule.ignore-bad", "rule.ignore-empties"],
        )
        .ask(
            get("/").header("cookie", "a=1; ".to_owned() + &session(&stale())),
            anonymous().changing(&[("cookie", Some("a=1"))]),
        )
        .ask(
            get("/x").header("cookie", session(&stale())),
            Code::TokenExpired,
        ),
        asking(
            "ignore-nonsense",
            "nor is a header that holds no token",
            &["rule.ignore-bad", "rule.ignore-empties"],
        )
        .ask(
            get("/").header("authorization", "Bearer nonsense"),
            anonymous()
                .setting(json!({}))
                .changing(&[("authorization", None)]),
        ),
        asking(
            "ignore-spellings",
            "every spelling of the header goes",
            &["rule.ignore-empties"],
        )
        .policy(ignoring(policy()).top("credentials", json!([{ "header": "x-auth-token" }])))
        .ask(
            get("/")
                .header("x-auth-token", "nonsense")
                .header("x_auth_token", "other"),
            anonymous().changing(&[("x-auth-token", None), ("x_auth_token", None)]),
        ),
        asking(
            "ignore-forbidden",
            "a good token that the rule denies is denied",
            &["rule.ignore-bad"],
        )
        .ask(token(), Code::ScopeInsufficient),
        asking(
            "ignore-multiple",
            "two tokens are refused",
            &["rule.ignore-bad"],
        )
        .ask(
            get("/")
                .header("authorization", bearer(&stale()))
                .header("cookie", session(&token())),
            Code::TokenMultiple,
        ),
        vector("ignore-wait", "keys are waited for", &["rule.ignore-bad"])
            .policy(ignoring(fetching()))
            .ask(fine.clone(), wait(&["jwks"]))
            .fail("jwks")
            .ask(fine, Code::KeysUnavailable),
    ]
}

fn expired() -> Vec<Draft> {
    let renewing = || {
        policy().rules(json!([
            { "path": "/renew", "methods": ["POST"], "accept_expired_s": 600, "require": {} },
            { "path": "/**", "require": {} },
        ]))
    };
    let renew = |token: Token| request("POST", "/renew").bearer(&token);
    let ago = |s: i64| token().claim("exp", NOW_S - s);
    vec![
        vector(
            "expired-accepted",
            "expired tokens, under this rule and for this time",
            &["rule.accept-expired"],
        )
        .policy(renewing())
        .ask_all([renew(ago(0)), renew(ago(599))], allow())
        .ask(renew(ago(600)), Code::TokenExpired)
        .ask(get("/").bearer(&ago(1)), Code::TokenExpired),
        vector(
            "expired-other-times",
            "no other time is widened",
            &["rule.accept-expired"],
        )
        .policy(renewing())
        .ask(
            renew(ago(60).claim("nbf", NOW_S + 1)),
            Code::TokenNotYetValid,
        )
        .ask(
            renew(ago(60).claim("iat", NOW_S + 1)),
            Code::TokenNotYetValid,
        )
        .ask(
            renew(token().without("exp")),
            deny(Code::ClaimMissing).naming("exp"),
        ),
    ]
}

fn trusted() -> Vec<Draft> {
    let trusting = || {
        policy().top(
            "credentials",
            json!([{ "cookie": "session", "same_origin": true, "trusted_origins": ["https://www.example.com"] }]),
        )
    };
    let post = || request("POST", "/").header("cookie", session(&token()));
    let from = |origin: &str| {
        post()
            .header("sec-fetch-site", "same-site")
            .header("origin", origin)
    };
    vec![
        vector(
            "origin-trusted",
            "an origin that the cookie trusts",
            &["origin.trusted"],
        )
        .policy(trusting())
        .ask(from("https://www.example.com"), allow())
        .ask(
            from("https://www.example.com").header("upgrade", "websocket"),
            allow(),
        ),
        vector("origin-untrusted", "any other one", &["origin.trusted"])
            .policy(trusting())
            .ask_all(
                [
                    from("https://evil.example"),
                    from("https://WWW.example.com"),
                    from("http://www.example.com"),
                    from("https://www.example.com:443"),
                    from("https://www.example.com.evil.example"),
                    from("https://www.example.com").header("origin", "https://evil.example"),
                    from("null"),
                    post().header("sec-fetch-site", "same-site"),
                ],
                Code::OriginDenied,
            ),
    ]
}

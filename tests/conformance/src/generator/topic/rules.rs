//! The selection of the rule, and public rules, optional rules and no rule.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [matching(), methods(), hosts(), access()].concat();
    topic(
        "rules",
        "Which rule decides, and what public, optional and no rule mean",
        drafts,
    )
}

/// One public rule; everything else is denied.
fn public(path: &str) -> Policy {
    policy().rules(json!([{ "path": path, "public": true }]))
}

fn matching() -> Vec<Draft> {
    let first = policy().rules(json!([
        { "path": "/a/private", "require": {} },
        { "path": "/a/{any}", "public": true },
        { "path": "/a/open", "require": {} },
    ]));
    let case = |id, title, rule, path: &str, admitted: &[&str], denied: &[&str]| {
        vector(id, title, &[rule])
            .policy(public(path))
            .ask_all(admitted.iter().map(|target| get(target)), anonymous())
            .ask_all(denied.iter().map(|target| get(target)), Code::RuleDenied)
    };
    vec![
        vector(
            "rule-first-strict",
            "an earlier strict rule beats a later public one",
            &["rule.first-match"],
        )
        .policy(first.clone())
        .ask(get("/a/private"), Code::TokenMissing),
        vector(
            "rule-first-public",
            "an earlier public rule beats a later strict one",
            &["rule.first-match"],
        )
        .policy(first)
        .ask(get("/a/open"), anonymous()),
        vector(
            "rule-first-general",
            "a general rule before a particular one decides",
            &["rule.first-match"],
        )
        .policy(policy().rules(json!([
            { "path": "/**", "require": {} },
            { "path": "/healthz", "public": true },
        ])))
        .ask(get("/healthz"), Code::TokenMissing),
        vector(
            "rule-first-by-method",
            "a rule of another method is passed over",
            &["rule.first-match", "rule.methods"],
        )
        .policy(policy().rules(json!([
            { "path": "/a", "methods": ["POST"], "public": true },
            { "path": "/a", "require": {} },
        ])))
        .ask(request("POST", "/a"), anonymous())
        .ask(get("/a"), Code::TokenMissing),
        vector("rule-paths", "any of a rule's paths", &["rule.first-match"])
            .policy(policy().rules(json!([{ "path": ["/a", "/b/**"], "public": true }])))
            .ask_all([get("/a"), get("/b"), get("/b/c")], anonymous())
            .ask(get("/c"), Code::RuleDenied),
        case(
            "rule-literal",
            "literals are whole segments",
            "rule.literal",
            "/a/bc",
            &["/a/bc"],
            &["/a/b", "/a/bcd", "/a", "/a/bc/d", "/bc"],
        ),
        vector(
            "rule-literal-case",
            "literals compare with case",
            &["rule.literal"],
        )
        .policy(public("/Admin").top("path_case", "exact"))
        .ask(get("/Admin"), anonymous())
        .ask_all(["/admin", "/ADMIN"].map(get), Code::RuleDenied),
        vector(
            "rule-literal-encoded",
            "an encoded letter is that letter",
            &["rule.literal"],
        )
        .policy(public("/caf%C3%A9").top("path_case", "exact"))
        .ask_all(["/caf%C3%A9", "/caf%c3%a9"].map(get), anonymous())
        .ask(get("/caf%C3%89"), Code::RuleDenied),
        case(
            "rule-literal-encoded-policy",
            "a pattern may be encoded",
            "rule.literal",
            "/a%20b",
            &["/a%20b"],
            &["/a+b"],
        ),
        case(
            "rule-name",
            "a name is one segment",
            "rule.name",
            "/orgs/{org}/users",
            &["/orgs/acme/users", "/orgs/a%20b/users"],
            &["/orgs/users", "/orgs/a/b/users", "/orgs/acme"],
        ),
        case(
            "rule-rest",
            "`**` is any number of segments",
            "rule.rest",
            "/a/**",
            &["/a", "/a/", "/a/b", "/a/b/c/"],
            &["/", "/ab", "/b/a"],
        ),
        case(
            "rule-rest-root",
            "`/**` is everything",
            "rule.rest",
            "/**",
            &["/", "/a", "/a/b"],
            &[],
        ),
        case(
            "rule-root",
            "`/` is only the root",
            "rule.literal",
            "/",
            &["/", "/?a"],
            &["/a"],
        ),
        case(
            "rule-trailing-slash",
            "a trailing slash does not count",
            "rule.trailing-slash",
            "/a/b",
            &["/a/b", "/a/b/"],
            &[],
        ),
        case(
            "rule-trailing-slash-policy",
            "nor does it in a pattern",
            "rule.trailing-slash",
            "/a/b/",
            &["/a/b", "/a/b/"],
            &[],
        ),
        case(
            "rule-query",
            "a query does not count",
            "path.query",
            "/a",
            &["/a?b", "/a/?b=/../"],
            &["/b?/a"],
        ),
    ]
}

fn methods() -> Vec<Draft> {
    let of = |methods: Value| {
        policy().rules(json!([{ "path": "/a", "methods": methods, "public": true }]))
    };
    vec![
        vector("rule-methods", "only the rule's methods", &["rule.methods"])
            .policy(of(json!(["POST", "PUT"])))
            .ask_all([request("POST", "/a"), request("PUT", "/a")], anonymous())
            .ask_all([get("/a"), request("DELETE", "/a")], Code::RuleDenied),
        vector(
            "rule-any-method",
            "without methods any method",
            &["rule.methods"],
        )
        .policy(public("/a"))
        .ask_all(
            [get("/a"), request("DELETE", "/a"), request("PURGE", "/a")],
            anonymous(),
        ),
        vector("rule-head", "`GET` covers `HEAD`", &["rule.head"])
            .policy(of(json!(["GET"])))
            .ask(request("HEAD", "/a"), anonymous()),
        vector(
            "rule-head-not-get",
            "`HEAD` does not cover `GET`",
            &["rule.head"],
        )
        .policy(of(json!(["HEAD"])))
        .ask(get("/a"), Code::RuleDenied),
        vector(
            "rule-head-not-post",
            "`POST` does not cover `HEAD`",
            &["rule.head"],
        )
        .policy(of(json!(["POST"])))
        .ask(request("HEAD", "/a"), Code::RuleDenied),
    ]
}

fn hosts() -> Vec<Draft> {
    let case = |id, title, rule, host: &str, admitted: &[&str], denied: &[&str]| {
        vector(id, title, &[rule])
            .policy(policy().rules(json!([{ "hosts": [host], "path": "/**", "public": true }])))
            .ask_all(admitted.iter().map(|host| get("/").to(host)), anonymous())
            .ask_all(
                denied.iter().map(|host| get("/").to(host)),
                Code::RuleDenied,
            )
    };
    vec![
        case(
            "rule-host",
            "without port, case and trailing dot",
            "rule.hosts",
            "app.example.com",
            &[
                "app.example.com",
                "APP.Example.COM",
                "app.example.com:8443",
                "app.example.com.",
                "app.example.com.:443",
            ],
            &[
                "example.com",
                "x.app.example.com",
                "app.example.com.evil.example",
                "app-example.com",
            ],
        ),
        case(
            "rule-host-two-dots",
            "two trailing dots are another host",
            "rule.hosts",
            "app.example.com",
            &[],
            &["app.example.com.."],
        ),
        case(
            "rule-host-absent",
            "no authority matches no host",
            "rule.hosts",
            "app.example.com",
            &[],
            &[""],
        ),
        case(
            "rule-host-wildcard",
            "`*.` is exactly one label",
            "rule.host-wildcard",
            "*.example.com",
            &["app.example.com", "API.example.com:80"],
            &[
                "example.com",
                "a.b.example.com",
                ".example.com",
                "appexample.com",
            ],
        ),
        vector(
            "rule-host-falls-through",
            "a rule for another host is passed over",
            &["rule.hosts", "rule.first-match"],
        )
        .policy(policy().rules(json!([
            { "hosts": ["a.example.com"], "path": "/**", "public": true },
            { "path": "/**", "require": {} },
        ])))
        .ask(get("/").to("a.example.com"), anonymous())
        .ask(get("/").to("b.example.com"), Code::TokenMissing),
    ]
}

fn access() -> Vec<Draft> {
    let optional = || policy().rules(json!([{ "path": "/feed", "optional": true }]));
    let stale = || token().claim("exp", NOW_S - 1);
    vec![
        vector("rule-none", "no rule, no token", &["decision.default-deny"])
            .policy(public("/a"))
            .ask(get("/b"), Code::RuleDenied),
        vector("rule-none-good-token", "no rule, a good token", &["decision.default-deny"])
            .policy(public("/a"))
            .ask(get("/b").bearer(&token()), Code::RuleDenied),
        vector("rule-good-token", "a good token is admitted with its principal", &["decision.allow"])
            .ask(token(), principal(json!({
                "issuer": "platform", "iss": ISS, "subject": "user-4711", "token_type": null, "tenant": null,
                "roles": [], "scopes": [], "expires_at_ms": (NOW_S + 600) * 1000,
                "claims": token().claims_json(),
            })).removing(&[]).setting(json!({})).changing(&[])),
        vector("rule-public", "public: no token is needed", &["rule.public"])
            .policy(public("/a"))
            .ask(get("/a"), anonymous()),
        vector("rule-public-good-token", "public: a good token gives no principal", &["rule.public"])
            .policy(public("/a"))
            .ask(get("/a").bearer(&token()), anonymous()),
        vector("rule-public-bad-token", "public: a bad token is ignored", &["rule.public"])
            .policy(public("/a"))
            .ask(get("/a").bearer(&stale()), anonymous())
            .ask(get("/a").header("authorization", "Bearer not.a.token"), anonymous()),
        vector("rule-public-two-tokens", "public: two tokens are ignored", &["rule.public"])
            .policy(public("/a"))
            .ask(get("/a").bearer(&token()).bearer(&stale()), anonymous()),
        vector("rule-optional-none", "optional: nobody is admitted", &["rule.optional"])
            .policy(optional())
            .ask(get("/feed"), anonymous()),
        vector("rule-optional-good", "optional: a good token gives a principal", &["rule.optional"])
            .policy(optional())
            .ask(get("/feed").bearer(&token()), principal(json!({ "subject": "user-4711" }))),
        vector("rule-optional-other-scheme", "optional: another scheme is no token", &["rule.optional", "credential.scheme"])
            .policy(optional())
            .ask(get("/feed").header("authorization", "Basic eA=="), anonymous())
            .ask(get("/feed").header("authorization", "Bearer"), anonymous()),
        vector("rule-optional-bad", "optional: a bad token is denied", &["rule.optional"])
            .policy(optional())
            .ask(get("/feed").bearer(&stale()), Code::TokenExpired),
        vector("rule-optional-two", "optional: two tokens are denied", &["rule.optional"])
            .policy(optional())
            .ask(get("/feed").bearer(&token()).bearer(&stale()), Code::TokenMultiple),
    ]
}

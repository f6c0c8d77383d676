//! What the policy adds to challenges, and metadata of protected resources (RFC
//! 9728).

use super::prelude::*;
use crate::vector::Expect;

pub(super) fn vectors() -> Topic {
    topic(
        "challenges",
        "What the policy adds to challenges, and metadata of protected resources (RFC 9728)",
        [
            scopes(),
            addresses(),
            whole(),
            documents(),
            hosts(),
            policies(),
        ]
        .concat(),
    )
}

const ADDRESS: &str = "https://api.example.com/.well-known/oauth-protected-resource";

fn missing(rest: &str) -> Expect {
    deny(Code::TokenMissing).challenging(&format!("Bearer realm=\"platform\"{rest}"))
}

fn refused(error: &str, code: Code, rest: &str) -> Expect {
    deny(code).challenging(&format!(
        "Bearer realm=\"platform\", error=\"{error}\", error_description=\"{}\"{rest}",
        code.sentence()
    ))
}

fn challenging(challenge: Value) -> Policy {
    policy().top("challenge", challenge)
}

fn scopes() -> Vec<Draft> {
    let asking = |requirement: Value| challenging(json!({ "scope": true })).requires(requirement);
    let rule = "challenge.scope";
    let nested = json!({
        "scopes": { "all": ["a"], "any": ["b", "c"] },
        "all_of": [{ "scopes": ["d", "a"], "all_of": [{ "scopes": ["e"] }] }],
        "any_of": [{ "scopes": ["f"] }, { "audiences": ["x"] }],
    });
    vec![
        vector(
            "challenge-scope",
            "a 401 names the scopes of the rule",
            &[rule],
        )
        .policy(asking(json!({ "scopes": ["tools:read", "tools:write"] })))
        .ask(get("/"), missing(", scope=\"tools:read tools:write\""))
        .ask(
            token().claim("exp", 0),
            refused(
                "invalid_token",
                Code::TokenExpired,
                ", scope=\"tools:read tools:write\"",
            ),
        ),
        vector(
            "challenge-scope-403",
            "so does a 403 for scopes: all of the rule, not only those that are lacking",
            &[rule],
        )
        .policy(asking(json!({ "scopes": { "all": ["a"], "any": ["b"] } })))
        .ask(
            token().claim("scope", "a"),
            refused(
                "insufficient_scope",
                Code::ScopeInsufficient,
                ", scope=\"a b\"",
            ),
        ),
        vector(
            "challenge-scope-nested",
            "those of `all_of` too, each once",
            &[rule],
        )
        .policy(asking(nested))
        .ask(get("/"), missing(", scope=\"a b c d e\""))
        .ask(
            token().claim("scope", "a b d e"),
            refused(
                "insufficient_scope",
                Code::ScopeInsufficient,
                ", scope=\"a b c d e f\"",
            ),
        ),
        vector(
            "challenge-scope-none",
            "a rule without scopes names none",
            &[rule],
        )
        .policy(asking(json!({})))
        .ask(get("/"), missing("")),
        vector("challenge-scope-off", "only if the policy says so", &[rule])
            .policy(challenging(json!({ "scope": false })).requires(json!({ "scopes": ["a"] })))
            .ask(get("/"), missing("")),
        vector(
            "challenge-scope-token",
            "a token without a request: the scopes of the requirement",
            &[rule],
        )
        .policy(challenging(json!({ "scope": true })))
        .token(
            "",
            Some(json!({ "scopes": ["a"] })),
            missing(", scope=\"a\""),
        ),
    ]
}

fn addresses() -> Vec<Draft> {
    let rule = "challenge.resource-metadata";
    let with = format!(", resource_metadata=\"{ADDRESS}\"");
    let policy = || challenging(json!({ "resource_metadata": ADDRESS }));
    vec![
        vector(
            "challenge-metadata",
            "a 401 and a 403 for scopes name the address",
            &[rule],
        )
        .policy(policy().requires(json!({ "scopes": ["a"] })))
        .ask(get("/"), missing(&with))
        .ask(
            token().claim("exp", 0),
            refused("invalid_token", Code::TokenExpired, &with),
        )
        .ask(
            token(),
            refused(
                "insufficient_scope",
                Code::ScopeInsufficient,
                &format!(", scope=\"a\"{with}"),
            ),
        ),
        vector(
            "challenge-metadata-not",
            "no other answer does",
            &[rule, "challenge.none"],
        )
        .policy(policy().requires(json!({ "roles": ["a"] })))
        .ask(
            get("/a/../b"),
            refused("invalid_request", Code::RequestAmbiguous, ""),
        )
        .ask(
            get("/")
                .bearer(&token())
                .bearer(&token().claim("sub", "user-2")),
            refused("invalid_request", Code::TokenMultiple, ""),
        )
        .ask(token(), deny(Code::RoleDenied).without_challenge()),
        vector(
            "challenge-metadata-elsewhere",
            "an address alone is not answered",
            &["metadata.answer"],
        )
        .policy(policy())
        .ask(get("/.well-known/oauth-protected-resource"), missing(&with)),
    ]
}

fn whole() -> Vec<Draft> {
    let metadata = |address: &str| json!({ "resource_metadata": address });
    vec![
        vector("challenge-order", "the order of the parameters", &["challenge.order"])
            .policy(challenging(json!({ "resource_metadata": ADDRESS, "scope": true })).requires(json!({ "scopes": ["a"] })))
            .ask(
                token(),
                refused(
                    "insufficient_scope",
                    Code::ScopeInsufficient,
                    &format!(", scope=\"a\", resource_metadata=\"{ADDRESS}\""),
                ),
            ),
        vector("challenge-of-rule", "a rule's challenge stands in place of the policy's", &["challenge.of-rule"])
            .policy(challenging(json!({ "scope": true, "resource_metadata": ADDRESS })).rules(json!([
                { "path": "/a", "require": { "scopes": ["s"] }, "challenge": metadata("https://a.example/m") },
                { "path": "/b", "require": { "scopes": ["s"] }, "challenge": {} },
                { "path": "/c", "require": { "scopes": ["s"] } },
            ])))
            .ask(get("/a"), missing(", resource_metadata=\"https://a.example/m\""))
            .ask(get("/b"), missing(""))
            .ask(get("/c"), missing(&format!(", scope=\"s\", resource_metadata=\"{ADDRESS}\"")))
            .ask(get("/d"), deny(Code::RuleDenied).without_challenge()),
        vector("challenge-of-optional-rule", "an optional rule's bad token", &["challenge.of-rule"])
            .policy(policy().rules(json!([
                { "path": "/**", "optional": true, "challenge": metadata("https://a.example/m") },
            ])))
            .ask(
                token().claim("exp", 0),
                refused("invalid_token", Code::TokenExpired, ", resource_metadata=\"https://a.example/m\""),
            ),
    ]
}

const BODY: &str = "{\"resource\":\"https://mcp.example.com/mcp\",\"authorization_servers\":[\"https://id.example.com\"],\
                    \"scopes_supported\":[\"tools:read\"],\"resource_name\":\"The \\\"tools\\\" \u{e4} \\u0007\",\
                    \"dpop_bound_access_tokens_required\":false}";
const PATH: &str = "/.well-known/oauth-protected-resource/mcp";

fn document() -> Value {
    json!({
        "resource": "https://mcp.example.com/mcp",
        "authorization_servers": ["https://id.example.com"],
        "scopes_supported": ["tools:read"],
        "resource_name": "The \"tools\" \u{e4} \u{7}",
        "dpop_bound_access_tokens_required": false,
    })
}

fn documenting() -> Policy {
    policy().rules(json!([
        { "path": "/mcp/**", "require": {}, "challenge": { "resource_metadata": document() } },
        { "path": "/**", "require": { "roles": ["admin"] } },
    ]))
}

fn documents() -> Vec<Draft> {
    let at = |target: &str| get(target).to("mcp.example.com");
    let answer = |id, title: &str| {
        vector(id, title, &["metadata.answer", "decision.answer"]).policy(documenting())
    };
    vec![
        answer("metadata-get", "`GET` and `HEAD` are answered")
            .ask(at(PATH), metadata(BODY))
            .ask(request("HEAD", PATH).to("mcp.example.com"), metadata(BODY)),
        answer("metadata-query", "a query is ignored").ask(at(&format!("{PATH}?a=b")), metadata(BODY)),
        answer("metadata-origin", "for any origin, with any token or none")
            .ask(at(PATH).header("origin", "https://evil.example"), metadata(BODY))
            .ask(at(PATH).header("authorization", "Bearer x"), metadata(BODY))
            .ask(at(PATH).bearer(&token()).bearer(&token().claim("sub", "b")), metadata(BODY)),
        answer("metadata-other-methods", "other methods are asked by the rules")
            .ask(request("POST", PATH).to("mcp.example.com"), Code::TokenMissing)
            .ask(request("OPTIONS", PATH).to("mcp.example.com"), Code::TokenMissing),
        answer("metadata-other-paths", "other paths too")
            .ask(at("/.well-known/oauth-protected-resource"), Code::TokenMissing)
            .ask(at(&format!("{PATH}/a")), Code::TokenMissing)
            .ask(at("/.well-known/oauth-protected-resource/MCP"), Code::TokenMissing),
        answer("metadata-challenge", "the challenge names the document's address").ask(
            at("/mcp"),
            missing(", resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\""),
        ),
        vector("metadata-before-rules", "before the rules, after the target", &["metadata.before-rules", "order.path-first"])
            .policy(policy().rules(json!([
                { "path": "/.well-known/**", "methods": ["GET"], "require": {} },
                { "path": "/**", "require": {}, "challenge": { "resource_metadata": document() } },
            ])))
            .ask(at(PATH), metadata(BODY))
            .ask(at(&format!("{PATH}/..")), Code::RequestAmbiguous)
            .ask(at("/.well-known//oauth-protected-resource/mcp"), Code::RequestAmbiguous)
            .ask(at("/.well-known%2foauth-protected-resource/mcp"), Code::RequestAmbiguous),
        vector("metadata-no-rules", "without any rule", &["metadata.before-rules"])
            .policy(challenging(json!({ "resource_metadata": document() })).without("rules"))
            .ask(at(PATH), metadata(BODY))
            .ask(at("/mcp"), Code::RuleDenied),
    ]
}

fn hosts() -> Vec<Draft> {
    let host = |id, title: &str| vector(id, title, &["metadata.host"]).policy(documenting());
    let of = |resource: &str| challenging(json!({ "resource_metadata": { "resource": resource } }));
    let body = |resource: &str| metadata(&format!("{{\"resource\":\"{resource}\"}}"));
    vec![
        host("metadata-host", "without regard to case, port and final dot")
            .ask(get(PATH).to("MCP.example.com:8443"), metadata(BODY))
            .ask(get(PATH).to("mcp.example.com."), metadata(BODY))
            .ask(get(PATH).to("").header("host", "mcp.example.com"), metadata(BODY)),
        host("metadata-other-host", "no other host, and none")
            .ask(get(PATH), Code::TokenMissing)
            .ask(get(PATH).to("evil.example"), Code::TokenMissing)
            .ask(get(PATH).to(""), Code::TokenMissing)
            .ask(
                get(PATH).to("evil.example").header("x-forwarded-host", "mcp.example.com"),
                Code::TokenMissing,
            ),
        vector("metadata-whole-host", "a resource that is a whole host", &["metadata.address"])
            .policy(of("https://api.example.com/"))
            .ask(get("/.well-known/oauth-protected-resource"), body("https://api.example.com/"))
            .ask(get("/a"), missing(&format!(", resource_metadata=\"{ADDRESS}\""))),
        vector("metadata-bare-host", "the same without a slash", &["metadata.address"])
            .policy(of("https://api.example.com"))
            .ask(get("/.well-known/oauth-protected-resource"), body("https://api.example.com"))
            .ask(get("/a"), missing(&format!(", resource_metadata=\"{ADDRESS}\""))),
        vector("metadata-port", "a port stays in the address", &["metadata.address"])
            .policy(of("https://API.example.com:8443/a/b"))
            .ask(
                get("/.well-known/oauth-protected-resource/a/b").to("api.example.com:8443"),
                body("https://API.example.com:8443/a/b"),
            )
            .ask(
                get("/a"),
                missing(
                    ", resource_metadata=\"https://API.example.com:8443/.well-known/oauth-protected-resource/a/b\"",
                ),
            ),
    ]
}

fn policies() -> Vec<Draft> {
    let refused = |id, title: &str, rules: Value, problem: (&str, &str)| {
        vector(id, title, &["metadata.policy"])
            .policy(policy().rules(rules))
            .refused(&[problem])
    };
    let rule = |metadata: Value| json!([{ "path": "/**", "require": {}, "challenge": { "resource_metadata": metadata } }]);
    let at = "/rules/0/challenge/resource_metadata";
    let resource = "/rules/0/challenge/resource_metadata/resource";
    vec![
        refused(
            "metadata-rule",
            "a rule for the address of a document",
            json!([
                { "path": PATH, "public": true },
                { "path": "/**", "require": {}, "challenge": { "resource_metadata": document() } },
            ]),
            ("conflict", "/rules/0"),
        ),
        refused(
            "metadata-two",
            "two documents for one address",
            json!([
                { "path": "/a", "require": {}, "challenge": { "resource_metadata": { "resource": "https://a.example/a" } } },
                { "path": "/b", "require": {}, "challenge": { "resource_metadata": { "resource": "https://a.example:8443/a" } } },
            ]),
            ("conflict", "/rules/1/challenge/resource_metadata"),
        ),
        refused(
            "metadata-no-resource",
            "a document without `resource`",
            rule(json!({})),
            ("field_missing", at),
        ),
        refused(
            "metadata-http",
            "a resource over http",
            rule(json!({ "resource": "http://a.example" })),
            ("value_invalid", resource),
        ),
        refused(
            "metadata-fragment",
            "a resource with a fragment",
            rule(json!({ "resource": "https://a.example/#a" })),
            ("value_invalid", resource),
        ),
        refused(
            "metadata-resource-query",
            "a resource with a query",
            rule(json!({ "resource": "https://a.example/?a" })),
            ("value_invalid", resource),
        ),
        refused(
            "metadata-ambiguous",
            "a resource whose path the gate refuses",
            rule(json!({ "resource": "https://a.example/a//b" })),
            ("value_invalid", resource),
        ),
        refused(
            "metadata-public",
            "a public rule has no challenge",
            json!([
                { "path": "/**", "public": true, "challenge": {} },
            ]),
            ("conflict", "/rules/0/challenge"),
        ),
        vector(
            "metadata-same",
            "the same document twice",
            &["metadata.policy"],
        )
        .policy(policy().rules(json!([
            { "path": "/a", "require": {}, "challenge": { "resource_metadata": document() } },
            { "path": "/b", "require": {}, "challenge": { "resource_metadata": document() } },
        ])))
        .ask(get(PATH).to("mcp.example.com"), metadata(BODY)),
        vector(
            "metadata-rule-elsewhere",
            "a rule for that path at another host",
            &["metadata.policy"],
        )
        .policy(policy().rules(json!([
            { "path": PATH, "hosts": ["api.example.com"], "public": true },
            { "path": "/**", "require": {}, "challenge": { "resource_metadata": document() } },
        ])))
        .ask(get(PATH), anonymous())
        .ask(get(PATH).to("mcp.example.com"), metadata(BODY)),
    ]
}

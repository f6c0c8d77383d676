//! `%2f` in a path, kept or refused.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    topic(
        "slashes",
        "`%2f` in a path, and the backends that read it as a slash",
        [kept(), refused(), elsewhere()].concat(),
    )
}

/// Two registries that keep `%2f`, and other rules.
fn registry() -> Policy {
    policy()
        .issuer("claims", json!({ "tenant": "/tenant" }))
        .rules(json!([
            { "path": "/packages/{package}", "encoded_slash": "keep", "require": {} },
            { "path": "/of/{tenant}/**", "encoded_slash": "keep", "require": { "tenant": "{tenant}" } },
            { "path": "/files/{name}", "public": true },
            { "path": "/files/**", "encoded_slash": "keep", "public": true },
            { "path": "/refused/**", "encoded_slash": "refuse", "public": true },
            { "path": "/admin/**", "require": { "roles": ["admin"] } },
            { "path": "/open/**", "public": true },
            { "path": "/{any}", "encoded_slash": "keep", "public": true },
            { "path": "/{any}/{other}", "encoded_slash": "keep", "public": true },
        ]))
}

fn kept() -> Vec<Draft> {
    let kept = |id, title: &str| vector(id, title, &["path.encoded-slash"]).policy(registry());
    vec![
        kept("slash-kept", "the rule keeps it")
            .ask(get("/packages/@acme%2fwidgets").bearer(&token()), allow())
            .ask(get("/packages/@acme%2Fwidgets/").bearer(&token()), allow()),
        kept("slash-kept-public", "a public rule keeps it").ask(get("/files/a/b%2Fc"), anonymous()),
        kept("slash-kept-name", "it is a byte of what `{tenant}` names")
            .ask(
                get("/of/group%2Fproject/files").bearer(&token().claim("tenant", "group/project")),
                allow(),
            )
            .ask(
                get("/of/group%2Fproject/files").bearer(&token().claim("tenant", "group")),
                Code::TenantDenied,
            )
            .ask(
                get("/of/group%2Fproject/files")
                    .bearer(&token().claim("tenant", "group%2Fproject")),
                Code::TenantDenied,
            ),
        vector(
            "slash-kept-alone",
            "a segment that is nothing else",
            &["path.encoded-slash"],
        )
        .policy(policy().rules(json!([
            { "path": "/api/queues/{vhost}/{queue}", "encoded_slash": "keep", "require": {} },
        ])))
        .ask(get("/api/queues/%2F/orders").bearer(&token()), allow())
        .ask(get("/api/queues/orders").bearer(&token()), Code::RuleDenied),
        kept("slash-kept-token", "the token is needed all the same")
            .ask(get("/packages/@acme%2fwidgets"), Code::TokenMissing),
    ]
}

fn refused() -> Vec<Draft> {
    let refused = |id, title: &str, rule: &str, target: &str| {
        vector(id, title, &[rule])
            .policy(registry())
            .ask(get(target).bearer(&token()), Code::RequestAmbiguous)
    };
    let rule = "path.encoded-slash";
    let dots = "path.kept-dots";
    vec![
        refused(
            "slash-refused",
            "the rule says `refuse`",
            rule,
            "/refused/a%2fb",
        ),
        refused(
            "slash-not-kept",
            "the rule says nothing",
            rule,
            "/open/a%2fb",
        ),
        refused(
            "slash-first-rule",
            "an earlier rule matches, with `%2f` as a byte of its segment, and does not keep it",
            rule,
            "/files/b%2fc",
        ),
        refused(
            "slash-no-rule",
            "no rule matches",
            rule,
            "/no/rule/for%2fit",
        ),
        refused("slash-dotdot", "`..` after it", dots, "/packages/a%2f.."),
        refused(
            "slash-dotdot-encoded",
            "`%2e%2e` between two",
            dots,
            "/packages/a%2f%2e%2e%2fb",
        ),
        refused("slash-dot", "`.` before it", dots, "/packages/.%2fa"),
        refused(
            "slash-backslash",
            "a backslash beside it",
            "path.backslash",
            "/packages/a%2fb%5cc",
        ),
        refused(
            "slash-twice",
            "encoded twice",
            "path.double-encoding",
            "/packages/a%252fb",
        ),
        refused(
            "slash-twice-beside",
            "encoded twice, beside one",
            "path.double-encoding",
            "/packages/a%2fb%252fc",
        ),
        vector(
            "slash-deep",
            "more than 256 segments where backends split there",
            &["path.size"],
        )
        .policy(registry())
        .ask(
            get(&format!("/packages/{}", "a%2f".repeat(255))).bearer(&token()),
            Code::RequestAmbiguous,
        ),
    ]
}

fn elsewhere() -> Vec<Draft> {
    let elsewhere = |id, title: &str, target: &str| {
        vector(id, title, &["rule.kept-slash"])
            .policy(registry())
            .ask(get(target).bearer(&token()), Code::RequestAmbiguous)
    };
    vec![
        elsewhere(
            "slash-split",
            "split there, another rule matches",
            "/admin%2fusers",
        ),
        elsewhere(
            "slash-split-case",
            "split there, without regard to case",
            "/Admin%2Fusers",
        ),
        elsewhere(
            "slash-split-empty",
            "split there, and the empty segment dropped",
            "/%2fadmin",
        ),
        elsewhere(
            "slash-split-empties",
            "two slashes merged",
            "/admin%2f%2fusers",
        ),
        elsewhere("slash-split-last", "at the end", "/admin%2f"),
        elsewhere(
            "slash-split-pattern",
            "split there, another path of a rule matches",
            "/packages%2fa",
        ),
        vector(
            "slash-split-exact-case",
            "`path_case` does not change it",
            &["rule.kept-slash"],
        )
        .policy(registry().top("path_case", "exact"))
        .ask(get("/admin%2fusers"), Code::RequestAmbiguous)
        .ask(
            get("/Admin%2fusers").bearer(&token()),
            Code::RequestAmbiguous,
        ),
        vector(
            "slash-split-same",
            "split there, the same rule and pattern match, or none",
            &["rule.kept-slash"],
        )
        .policy(registry())
        .ask(get("/files/a/b%2fc"), anonymous())
        .ask(get("/packages/a%2fb").bearer(&token()), allow()),
    ]
}

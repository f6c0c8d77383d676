//! Values of the request, the subject, and the tenant of several.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [
        captures(),
        hosts(),
        headers(),
        ambiguous(),
        subject(),
        tenants(),
        naming(),
        refused(),
    ]
    .concat();
    topic(
        "request-values",
        "Values of the request that are compared with claims, and the tenant that a request is for",
        drafts,
    )
}

fn of(claims: Value) -> Token {
    token().claims(claims)
}

fn captures() -> Vec<Draft> {
    let rule = "rule.value-capture";
    let people = || {
        policy().rules(json!([{ "path": "/people/{user}", "require": { "claims": {
        "/name": { "equals": { "capture": "user" } }, "/teams": { "contains": { "capture": "user" } } } } }]))
    };
    vec![
        vector(
            "capture-claim",
            "a segment is compared with claims",
            &[rule, "rule.claims"],
        )
        .policy(people())
        .ask(
            get("/people/a%20b").bearer(&of(json!({ "name": "a b", "teams": ["x", "a b"] }))),
            allow(),
        )
        .ask(
            get("/people/ada").bearer(&of(json!({ "name": "Ada", "teams": ["ada"] }))),
            deny(Code::ClaimDenied).naming("/name"),
        )
        .ask(
            get("/people/ada").bearer(&of(json!({ "name": "ada", "teams": ["Ada"] }))),
            deny(Code::ClaimDenied).naming("/teams"),
        )
        .ask(
            get("/people/1").bearer(&of(json!({ "name": 1, "teams": ["1"] }))),
            deny(Code::ClaimDenied).naming("/name"),
        )
        .ask(
            get("/people/ada").bearer(&of(json!({ "teams": ["ada"] }))),
            deny(Code::ClaimDenied).naming("/name"),
        ),
        vector(
            "capture-keys",
            "the role in this very organisation",
            &[rule, "condition.source"],
        )
        .policy(
            policy().rules(json!([{ "path": "/orgs/{org}/**", "require": { "claims": {
                "/urn:roles/admin": { "as": "keys", "contains": { "capture": "org" } } } } }])),
        )
        .ask(
            get("/orgs/9001/x").bearer(&of(
                json!({ "urn:roles": { "admin": { "9001": "acme.example" } } }),
            )),
            allow(),
        )
        .ask(
            get("/orgs/9002/x").bearer(&of(
                json!({ "urn:roles": { "admin": { "9001": "acme.example" } } }),
            )),
            Code::ClaimDenied,
        ),
    ]
}

fn hosts() -> Vec<Draft> {
    let rules = ["rule.host-name", "rule.value-capture"];
    let tenant = || {
        policy()
            .issuer("claims", json!({ "tenant": "/org" }))
            .rules(json!([{ "hosts": ["{org}.example.com", "{org}.example.org"], "path": "/**", "require": { "tenant": "{org}" } }]))
    };
    let acme = || get("/seats").bearer(&of(json!({ "org": "acme" })));
    vec![
        vector("host-name", "the host names the tenant", &rules)
            .policy(tenant())
            .ask(
                acme().to("acme.example.com"),
                principal(json!({ "tenant": "acme" })),
            )
            .ask(
                acme().to("ACME.example.org:8443"),
                principal(json!({ "tenant": "acme" })),
            )
            .ask(acme().to("globex.example.com"), Code::TenantDenied),
        vector("host-name-case", "in lower case", &rules)
            .policy(tenant())
            .ask(
                get("/")
                    .bearer(&of(json!({ "org": "Acme" })))
                    .to("Acme.example.com"),
                Code::TenantDenied,
            ),
        vector("host-name-labels", "one label, as `*` is", &rules)
            .policy(tenant())
            .ask(acme().to("example.com"), Code::RuleDenied)
            .ask(acme().to("a.acme.example.com"), Code::RuleDenied)
            .ask(acme().to(".example.com"), Code::RuleDenied),
    ]
}

fn scoped() -> Policy {
    policy()
        .issuer("claims", json!({ "tenants": "/tenants" }))
        .rules(json!([
            { "path": "/loki/**", "require": { "tenant": { "header": "x-scope-orgid" } } },
            { "path": "/team", "require": { "claims": { "/team": { "equals": { "header": "X-Team" } } } } },
            { "path": "/any", "require": { "claims": { "/team": { "any_of": [{ "equals": { "header": "x-team" } }, "admin"] } } } },
            { "path": "/open", "public": true },
        ]))
        .top("forward", json!({ "x-scope-orgid": "tenant", "x-tenants": "tenants" }))
}

fn loki() -> Request {
    get("/loki/push").bearer(&of(json!({ "tenants": ["abc", "def"] })))
}

fn headers() -> Vec<Draft> {
    let rule = "rule.value-header";
    let team = |value: &str| {
        get("/team")
            .bearer(&of(json!({ "team": "a" })))
            .header("x-team", value)
    };
    vec![
        vector(
            "header-tenant",
            "a header names one of the tenants",
            &[rule, "rule.tenant-several"],
        )
        .policy(scoped())
        .ask(
            loki().header("x-scope-orgid", "abc"),
            principal(json!({ "tenant": "abc" })),
        )
        .ask(
            loki().header("X-Scope-OrgID", "\t def "),
            principal(json!({ "tenant": "def" })),
        )
        .ask(loki().header("x-scope-orgid", "ghi"), Code::TenantDenied)
        .ask(loki().header("x-scope-orgid", "ABC"), Code::TenantDenied),
        vector(
            "header-absent",
            "a header that is not sent, or empty",
            &[rule],
        )
        .policy(scoped())
        .ask(loki(), Code::TenantDenied)
        .ask(loki().header("x-scope-orgid", ""), Code::TenantDenied)
        .ask(loki().header("x-scope-orgid", "  "), Code::TenantDenied)
        .ask(
            get("/team").bearer(&of(json!({ "team": "" }))),
            deny(Code::ClaimDenied).naming("/team"),
        ),
        vector("header-claim", "a header is compared with a claim", &[rule])
            .policy(scoped())
            .ask(team("a"), allow())
            .ask(team("b"), deny(Code::ClaimDenied).naming("/team")),
        vector(
            "header-unknown",
            "what is not sent is unknown",
            &[rule, "condition.any-of"],
        )
        .policy(scoped())
        .ask(get("/any").bearer(&of(json!({ "team": "admin" }))), allow())
        .ask(
            get("/any").bearer(&of(json!({ "team": "a" }))),
            Code::ClaimDenied,
        ),
    ]
}

fn ambiguous() -> Vec<Draft> {
    let rule = "rule.value-ambiguous";
    let case = |id, title, request: Request| {
        vector(id, title, &[rule])
            .attack("header-smuggling")
            .policy(scoped())
            .ask(request, Code::RequestAmbiguous)
    };
    let long = "a".repeat(1_025);
    vec![
        case(
            "header-twice",
            "sent twice",
            loki()
                .header("x-scope-orgid", "abc")
                .header("x-scope-orgid", "abc"),
        ),
        case(
            "header-list",
            "a list",
            loki().header("x-scope-orgid", "abc,def"),
        ),
        case(
            "header-variant",
            "in a spelling that some backends read",
            loki().header("x_scope_orgid", "abc"),
        ),
        case(
            "header-variant-too",
            "beside the right one",
            loki()
                .header("x-scope-orgid", "abc")
                .header("X_Scope-OrgId", "def"),
        ),
        case(
            "header-bytes",
            "bytes that are not visible ASCII",
            loki().header("x-scope-orgid", "a\u{e9}"),
        ),
        case(
            "header-space",
            "a blank inside",
            loki().header("x-scope-orgid", "a b"),
        ),
        case(
            "header-long",
            "too long",
            loki().header("x-scope-orgid", long),
        ),
        vector(
            "header-other-rule",
            "only where the rule compares it",
            &[rule],
        )
        .policy(scoped())
        .ask(
            get("/open")
                .header("x-scope-orgid", "a")
                .header("x-scope-orgid", "b"),
            anonymous(),
        ),
        vector(
            "header-before-credential",
            "before credentials are read",
            &["order.compared-header"],
        )
        .policy(scoped())
        .ask(
            get("/loki/push").header("x-scope-orgid", "a,b"),
            Code::RequestAmbiguous,
        )
        .ask(
            get("/loki/push").header("x-scope-orgid", "a"),
            Code::TokenMissing,
        )
        .ask(
            get("/none").header("x-scope-orgid", "a,b"),
            Code::RuleDenied,
        ),
        vector(
            "header-connection",
            "a hop must not remove it",
            &["request.connection"],
        )
        .policy(scoped())
        .ask(
            get("/open").header("connection", "close, X_Team"),
            Code::RequestAmbiguous,
        ),
    ]
}

fn subject() -> Vec<Draft> {
    let rule = "rule.subject";
    let with = |subject: Value| {
        policy().rules(json!([{ "path": "/people/{user}/**", "require": { "subject": subject } }]))
    };
    let at = |target: &str| get(target).bearer(&token());
    vec![
        vector("subject-present", "any subject", &[rule])
            .policy(with(json!("present")))
            .ask(at("/people/x"), allow())
            .ask(
                get("/people/x").bearer(&token().without("sub")),
                Code::SubjectDenied,
            )
            .ask(
                get("/people/x").bearer(&token().claim("sub", "")),
                Code::SubjectDenied,
            ),
        vector("subject-fixed", "this subject", &[rule])
            .policy(with(json!({ "fixed": "user-4711" })))
            .ask(at("/people/x"), allow())
            .ask(
                get("/people/x").bearer(&token().claim("sub", "user-4712")),
                deny(Code::SubjectDenied).without_challenge(),
            ),
        vector(
            "subject-capture",
            "the one in the path",
            &[rule, "rule.value-capture"],
        )
        .policy(with(json!("{user}")))
        .ask(at("/people/user-4711/a"), allow())
        .ask(at("/people/user-4712/a"), Code::SubjectDenied),
        vector(
            "subject-header",
            "the one in a header",
            &[rule, "rule.value-header"],
        )
        .policy(with(json!({ "header": "x-user" })))
        .ask(at("/people/x").header("x-user", "user-4711"), allow())
        .ask(
            at("/people/x").header("x-user", "other"),
            Code::SubjectDenied,
        )
        .ask(at("/people/x"), Code::SubjectDenied),
    ]
}

fn tenants() -> Vec<Draft> {
    let keycloak = || {
        policy()
            .issuer(
                "claims",
                json!({ "tenants": { "claim": "/organization", "as": "keys" } }),
            )
            .rules(json!([
                { "path": "/orgs/{org}/**", "require": { "tenant": "{org}" } },
                { "path": "/acme", "require": { "tenant": { "fixed": "acme" } } },
                { "path": "/some", "require": { "tenant": "present" } },
                { "path": "/**", "require": {} },
            ]))
            .top(
                "forward",
                json!({ "x-tenant": "tenant", "x-tenants": "tenants", "x-sub": "subject" }),
            )
    };
    let at = |target: &str| {
        get(target).bearer(&of(
            json!({ "organization": { "acme": { "id": "a" }, "globex": {}, "old": false } }),
        ))
    };
    let named = |tenant: &str| {
        principal(json!({ "tenant": tenant, "tenants": ["acme", "globex"] })).setting(
            json!({ "x-tenant": tenant, "x-tenants": "acme globex", "x-sub": "user-4711" }),
        )
    };
    let none = || {
        principal(json!({ "tenant": null, "tenants": ["acme", "globex"] }))
            .setting(json!({ "x-tenants": "acme globex", "x-sub": "user-4711" }))
    };
    vec![
        vector(
            "tenants-named",
            "the one that the rule names is the request's",
            &[
                "rule.tenant-several",
                "rule.tenant-of-request",
                "principal.tenants",
            ],
        )
        .policy(keycloak())
        .ask(at("/orgs/acme/x"), named("acme"))
        .ask(at("/orgs/globex/x"), named("globex"))
        .ask(at("/orgs/acme/y"), named("acme"))
        .ask(at("/acme"), named("acme"))
        .ask(at("/orgs/old/x"), Code::TenantDenied)
        .ask(at("/orgs/other/x"), Code::TenantDenied),
        vector(
            "tenants-unnamed",
            "none is named",
            &["rule.tenant-several", "principal.tenants"],
        )
        .policy(keycloak())
        .ask(at("/orgs/acme/x"), named("acme"))
        .ask(at("/"), none())
        .ask(at("/some"), none()),
        vector(
            "tenants-one",
            "the only one",
            &["principal.tenants", "rule.tenant-of-request"],
        )
        .policy(keycloak())
        .ask_all(
            ["/", "/some", "/acme", "/orgs/acme/x"]
                .map(|target| get(target).bearer(&of(json!({ "organization": ["acme"] })))),
            principal(json!({ "tenant": "acme", "tenants": ["acme"] }))
                .setting(json!({ "x-tenant": "acme", "x-tenants": "acme", "x-sub": "user-4711" })),
        ),
        vector(
            "tenants-none",
            "no tenant",
            &["principal.tenants", "rule.tenant-present"],
        )
        .policy(keycloak())
        .ask(
            get("/").bearer(&of(json!({ "organization": {} }))),
            principal(json!({ "tenant": null, "tenants": [] })),
        )
        .ask(
            get("/some").bearer(&of(json!({ "organization": {} }))),
            Code::TenantDenied,
        ),
        vector(
            "tenants-many",
            "more than are remembered",
            &["rule.tenant-of-request"],
        )
        .policy(keycloak())
        .ask(
            get("/orgs/t39/x").bearer(&of(
                json!({ "organization": (0..40).map(|n| format!("t{n}")).collect::<Vec<_>>() }),
            )),
            principal(json!({ "tenant": "t39" })),
        )
        .ask(
            get("/orgs/t39/x").bearer(&of(
                json!({ "organization": (0..40).map(|n| format!("t{n}")).collect::<Vec<_>>() }),
            )),
            principal(json!({ "tenant": "t39" })),
        ),
        vector(
            "tenants-token-only",
            "without a request",
            &["rule.tenant-of-request", "token-only.requirement"],
        )
        .policy(keycloak())
        .token(
            of(json!({ "organization": ["acme", "globex"] })).compact(),
            Some(json!({ "tenant": { "fixed": "globex" } })),
            principal(json!({ "tenant": "globex" })),
        )
        .token(
            of(json!({ "organization": ["acme", "globex"] })).compact(),
            None,
            principal(json!({ "tenant": null })),
        ),
    ]
}

fn naming() -> Vec<Draft> {
    let with = |require: Value| {
        policy()
            .issuer("claims", json!({ "tenants": "/orgs" }))
            .rules(json!([{ "path": "/{org}", "require": require }]))
    };
    let at = |target: &str, roles: &str| {
        get(target).bearer(&of(json!({ "orgs": ["acme", "globex"], "roles": [roles] })))
    };
    let is = |tenant: &str| principal(json!({ "tenant": tenant }));
    let any = || {
        with(json!({ "any_of": [
        { "tenant": { "fixed": "globex" }, "roles": ["admin"] }, { "tenant": "{org}" }, { "roles": ["auditor"] },
    ] }))
    };
    let refused = |id: &str, title: &str, require: Value| {
        vector(id, title, &["rule.tenant-policy"])
            .policy(with(require))
            .refused(&[("conflict", "/rules/0/require")])
    };
    vec![
        vector("tenants-any-of", "the first alternative that holds names it", &["rule.tenant-any-of"])
            .policy(any())
            .ask(at("/acme", "admin"), is("globex"))
            .ask(at("/acme", "user"), is("acme"))
            .ask(at("/other", "auditor"), principal(json!({ "tenant": null }))),
        vector("tenants-any-of-failed", "one that does not hold names none", &["rule.tenant-any-of"])
            .policy(with(json!({ "any_of": [{ "all_of": [{ "tenant": "{org}" }, { "roles": ["admin"] }] }, { "roles": ["user"] }] })))
            .ask(at("/acme", "admin"), is("acme"))
            .ask(at("/acme", "user"), principal(json!({ "tenant": null }))),
        vector("tenants-all-of", "`all_of` names it too", &["rule.tenant-of-request"])
            .policy(with(json!({ "tenant": "{org}", "all_of": [{ "tenant": "{org}" }, { "tenant": "present" }] })))
            .ask(at("/globex", "user"), is("globex")),
        refused("tenants-two", "its own and that of `all_of`", json!({ "tenant": "{org}", "all_of": [{ "tenant": { "fixed": "acme" } }] })),
        refused("tenants-two-all-of", "two of `all_of`", json!({ "all_of": [{ "tenant": "{org}" }, { "tenant": { "header": "x-org" } }] })),
        refused("tenants-two-any-of", "its own and that of an alternative", json!({ "tenant": "{org}", "any_of": [{ "tenant": { "fixed": "acme" } }, {}] })),
    ]
}

fn refused() -> Vec<Draft> {
    let rule = "rule.value-policy";
    let case = |id: &str, title: &str, rule_: Value, code: &str, place: &str| {
        vector(id, title, &[rule])
            .policy(
                policy()
                    .issuer("claims", json!({ "tenant": "/t" }))
                    .rules(json!([rule_])),
            )
            .refused(&[(code, &format!("/rules/0{place}"))])
    };
    let claims = |condition: Value| json!({ "path": "/{org}", "require": { "claims": { "/x": condition } } });
    let header = |name: &str| json!({ "path": "/", "require": { "tenant": { "header": name } } });
    let org = || json!({ "capture": "org" });
    vec![
        case(
            "value-one-of",
            "in `one_of`",
            claims(json!({ "one_of": [org()] })),
            "type_wrong",
            "/require/claims/~1x/one_of/0",
        ),
        case(
            "value-prefix",
            "in `starts_with`",
            claims(json!({ "starts_with": org() })),
            "type_wrong",
            "/require/claims/~1x/starts_with",
        ),
        case(
            "value-not",
            "below `not`",
            claims(json!({ "not": { "equals": org() } })),
            "conflict",
            "/require/claims/~1x/not/equals",
        ),
        case(
            "value-not-deep",
            "deep below it",
            claims(json!({ "not": { "any_of": [{ "contains": org() }] } })),
            "conflict",
            "/require/claims/~1x/not/any_of/0/contains",
        ),
        case(
            "value-unknown",
            "a name that stands nowhere",
            claims(json!({ "equals": { "capture": "other" } })),
            "unknown_name",
            "/require/claims/~1x/equals/capture",
        ),
        case(
            "value-some-paths",
            "in one path only",
            json!({ "path": ["/{org}", "/"], "require": { "tenant": "{org}" } }),
            "unknown_name",
            "/require/tenant",
        ),
        case(
            "value-some-hosts",
            "in one host only",
            json!({ "hosts": ["{org}.a.test", "b.test"], "path": "/", "require": { "tenant": "{org}" } }),
            "unknown_name",
            "/require/tenant",
        ),
        case(
            "value-both",
            "in path and host",
            json!({ "hosts": ["{org}.a.test"], "path": "/{org}", "require": { "tenant": "{org}" } }),
            "unknown_name",
            "/require/tenant",
        ),
        case(
            "value-credential",
            "the header of a credential",
            header("Authorization"),
            "value_invalid",
            "/require/tenant/header",
        ),
        case(
            "value-host",
            "`host`",
            header("host"),
            "value_invalid",
            "/require/tenant/header",
        ),
        case(
            "value-routing",
            "a header that routes",
            header("x-forwarded-host"),
            "value_invalid",
            "/require/tenant/header",
        ),
        vector("value-issuer", "in an issuer's conditions", &[rule])
            .policy(policy().issuer(
                "require",
                json!({ "/x": { "equals": { "header": "x-x" } } }),
            ))
            .refused(&[("unknown_name", "/issuers/0/require/~1x/equals/header")]),
        vector(
            "value-credential-other",
            "another header of a credential",
            &[rule],
        )
        .policy(
            policy()
                .top("credentials", json!([{ "header": "x-token" }]))
                .rules(json!([header("X-Token")])),
        )
        .refused(&[("conflict", "/rules/0/require/tenant/header")]),
    ]
}

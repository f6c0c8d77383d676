//! The requirements of a rule.

use super::{prelude::*, scopes::insufficient};

pub(super) fn vectors() -> Topic {
    let drafts = [issuer(), tenant(), claims(), nested(), alone()].concat();
    topic(
        "requirements",
        "What a rule requires of a good token",
        drafts,
    )
}

fn issuer() -> Vec<Draft> {
    let two = |requirement: Value| {
        policy()
            .and_issuer("partner", "https://partner.example", &B)
            .requires(requirement)
    };
    let partner = || token().claim("iss", "https://partner.example").key(&B);
    let typed = || {
        policy()
            .issuer(
                "token_types",
                json!([
                    { "name": "pat", "claim": { "typ": "pat" } },
                    { "name": "nat", "claim": { "typ": "nat" } },
                ]),
            )
            .requires(json!({ "types": ["nat"] }))
    };
    vec![
        vector("requires-issuer", "one of the issuers", &["rule.issuers"])
            .policy(two(json!({ "issuers": ["platform"] })))
            .ask(token(), allow())
            .ask(partner(), deny(Code::IssuerDenied)),
        vector(
            "requires-audience",
            "one of the rule's audiences",
            &["rule.audiences"],
        )
        .policy(policy().requires(json!({ "audiences": ["billing", "admin"] })))
        .ask(token().claim("aud", json!(["platform", "admin"])), allow())
        .ask(token(), deny(Code::AudienceDenied)),
        vector("requires-type", "one of the rule's types", &["rule.types"])
            .policy(typed())
            .ask(token().claim("typ", "nat"), allow())
            .ask(token().claim("typ", "pat"), deny(Code::TypeDenied)),
        vector("requires-max-age", "a younger token", &["rule.max-age"])
            .policy(
                policy()
                    .top("leeway_s", 5)
                    .requires(json!({ "max_token_age_s": 300 })),
            )
            .ask(token().claim("iat", NOW_S - 305), allow())
            .ask(
                token().claim("iat", NOW_S - 306),
                deny(Code::TokenTooOld).naming("iat"),
            )
            .ask(
                token().without("iat"),
                deny(Code::ClaimMissing).naming("iat"),
            ),
    ]
}

fn tenant() -> Vec<Draft> {
    let with = |rules: Value| {
        policy()
            .issuer("claims", json!({ "tenant": "/tenant_id" }))
            .rules(rules)
    };
    let of = |tenant: &str| token().claim("tenant_id", tenant);
    let bound = || with(json!([{ "path": "/orgs/{org}/**", "require": { "tenant": "{org}" } }]));
    let denied = |id, title, target: &str, token: Token| {
        vector(id, title, &["rule.tenant-segment"])
            .policy(bound())
            .ask(get(target).bearer(&token), deny(Code::TenantDenied))
    };
    let fine = |id, title, target: &str, token: Token| {
        vector(id, title, &["rule.tenant-segment"])
            .policy(bound())
            .ask(get(target).bearer(&token), allow())
    };
    vec![
        vector("requires-tenant", "any tenant", &["rule.tenant-present"])
            .policy(with(
                json!([{ "path": "/**", "require": { "tenant": "present" } }]),
            ))
            .ask(of("acme"), allow())
            .ask(token(), deny(Code::TenantDenied))
            .ask(of(""), deny(Code::TenantDenied)),
        vector(
            "requires-tenant-fixed",
            "this tenant",
            &["rule.tenant-fixed"],
        )
        .policy(with(
            json!([{ "path": "/**", "require": { "tenant": { "fixed": "acme" } } }]),
        ))
        .ask(of("acme"), allow())
        .ask(of("other"), deny(Code::TenantDenied))
        .ask(token(), deny(Code::TenantDenied)),
        fine(
            "requires-tenant-segment",
            "the one in the path",
            "/orgs/acme/users",
            of("acme"),
        ),
        fine(
            "requires-tenant-segment-end",
            "at the end of the path",
            "/orgs/acme",
            of("acme"),
        ),
        fine(
            "requires-tenant-segment-encoded",
            "percent-encoded",
            "/orgs/a%20c%6De/users",
            of("a cme"),
        ),
        denied(
            "requires-tenant-segment-other",
            "another one in the path",
            "/orgs/other/users",
            of("acme"),
        ),
        denied(
            "requires-tenant-segment-none",
            "a token without one",
            "/orgs/acme/users",
            token(),
        ),
        denied(
            "requires-tenant-segment-case",
            "in another case",
            "/orgs/ACME/users",
            of("acme"),
        ),
        denied(
            "requires-tenant-segment-prefix",
            "the start of it",
            "/orgs/acm/users",
            of("acme"),
        ),
        denied(
            "requires-tenant-segment-query",
            "the one in the query does not count",
            "/orgs/other/users?org=acme",
            of("acme"),
        ),
        denied(
            "requires-tenant-segment-later",
            "nor does a later segment",
            "/orgs/other/acme",
            of("acme"),
        ),
    ]
}

fn claims() -> Vec<Draft> {
    let asking = |claims: Value| policy().requires(json!({ "claims": claims }));
    let denied = |pointer: &str| deny(Code::ClaimDenied).naming(pointer);
    vec![
        vector(
            "requires-claim",
            "a claim of this value",
            &["rule.claims", "decision.claim-named"],
        )
        .policy(asking(json!({ "/plan": { "equals": "pro" } })))
        .ask(token().claim("plan", "pro"), allow())
        .ask(token().claim("plan", "free"), denied("/plan"))
        .ask(token(), denied("/plan")),
        vector(
            "requires-claims",
            "several, in their order",
            &["rule.claims"],
        )
        .policy(asking(
            json!({ "/b": { "one_of": [1, 2] }, "/a": { "contains": "x" } }),
        ))
        .ask(token().claims(json!({ "a": ["x"], "b": 2 })), allow())
        .ask(token(), denied("/b"))
        .ask(token().claim("b", 1), denied("/a")),
        vector(
            "requires-claims-remembered",
            "each kind of condition, of a token that may be remembered",
            &["rule.claims", "condition.source"],
        )
        .policy(policy().rules(json!([
            { "path": "/a", "require": { "claims": { "/scope": { "separator": " ", "contains": "read" }, "/hd": { "not": "evil" } } } },
            { "path": "/b", "require": { "any_of": [
                { "claims": { "/cfg": { "as": "json", "at": { "claim": "/teams", "as": "keys" }, "every": { "ends_with": "-ops" } } } },
                { "claims": { "/gone": { "present": true } } },
            ] } },
        ])))
        .ask(
            get("/a").bearer(&token().claims(json!({ "scope": "read", "hd": "good" }))),
            allow(),
        )
        .ask(
            get("/a").bearer(&token().claims(json!({ "scope": "read" }))),
            denied("/hd"),
        )
        .ask(
            get("/b").bearer(&token().claim("cfg", r#"{"teams":{"a-ops":1,"b":null}}"#)),
            allow(),
        )
        .ask(
            get("/b").bearer(&token().claim("cfg", r#"{"teams":{"a-ops":1,"b":1}}"#)),
            denied("/cfg"),
        ),
        vector(
            "requires-claims-alone",
            "without a request",
            &["rule.claims", "token-only.requirement"],
        )
        .token(
            token().claim("scope", "a b").compact(),
            Some(json!({ "claims": { "/scope": { "separator": " ", "contains": "b" } } })),
            allow(),
        )
        .token(
            token().claim("scope", "a").compact(),
            Some(json!({ "claims": { "/scope": { "separator": " ", "contains": "b" } } })),
            denied("/scope"),
        ),
    ]
}

fn nested() -> Vec<Draft> {
    let of = |claims: Value| token().claims(claims);
    let all =
        || policy().requires(json!({ "all_of": [{ "roles": ["admin"] }, { "scopes": ["a"] }] }));
    let any =
        || policy().requires(json!({ "any_of": [{ "scopes": ["a"] }, { "roles": ["admin"] }] }));
    vec![
        vector("requires-all-of", "every one", &["rule.all-of"])
            .policy(all())
            .ask(of(json!({ "roles": "admin", "scope": "a" })), allow())
            .ask(of(json!({ "scope": "a" })), deny(Code::RoleDenied))
            .ask(of(json!({ "roles": "admin" })), insufficient("a")),
        vector("requires-any-of", "one of them", &["rule.any-of"])
            .policy(any())
            .ask(of(json!({ "roles": "admin" })), allow())
            .ask(of(json!({ "scope": "a" })), allow())
            .ask(token(), deny(Code::RoleDenied)),
        vector("requires-both-kinds", "with something of its own", &["rule.all-of", "rule.any-of"])
            .policy(policy().requires(json!({
                "claims": { "/mfa": { "equals": true } },
                "any_of": [{ "roles": ["admin"] }, { "all_of": [{ "roles": ["editor"] }, { "scopes": ["edit"] }] }],
            })))
            .ask(of(json!({ "mfa": true, "roles": "editor", "scope": "edit" })), allow())
            .ask(of(json!({ "roles": "editor", "scope": "edit" })), deny(Code::ClaimDenied))
            .ask(of(json!({ "mfa": true, "roles": "viewer" })), deny(Code::RoleDenied)),
    ]
}

fn alone() -> Vec<Draft> {
    let rule = "token-only.requirement";
    let compact = |token: Token| token.compact();
    vec![
        vector("alone-good", "a good token, nothing required", &[rule]).token(
            compact(token()),
            None,
            principal(json!({ "subject": "user-4711" })),
        ),
        vector("alone-expired", "an expired one", &[rule]).token(
            compact(token().claim("exp", NOW_S)),
            None,
            deny(Code::TokenExpired).naming("exp"),
        ),
        vector("alone-forged", "a forged one", &[rule]).token(
            compact(token().signed_by(&B)),
            None,
            Code::SignatureInvalid,
        ),
        vector("alone-required", "something required", &[rule])
            .token(
                compact(token().claim("scope", "a")),
                Some(json!({ "scopes": ["a"] })),
                allow(),
            )
            .token(
                compact(token()),
                Some(json!({ "scopes": ["a"] })),
                insufficient("a"),
            ),
        vector("alone-rules", "the policy's rules do not count", &[rule])
            .policy(policy().requires(json!({ "roles": ["admin"] })))
            .token(compact(token()), None, allow())
            .ask(token(), Code::RoleDenied),
        vector("alone-scheme", "a scheme is no part of a token", &[rule]).token(
            format!("Bearer {}", compact(token())),
            None,
            Code::TokenMalformed,
        ),
    ]
}

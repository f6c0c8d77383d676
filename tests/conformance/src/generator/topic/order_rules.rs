//! Two faults at once, for the rule: the earlier check gives the code.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [rules(), nested()].concat();
    topic(
        "order-rules",
        "Two things wrong at once, for the rule: the earlier check gives the code",
        drafts,
    )
}

/// A rule with every requirement. Each token fails two consecutive checks.
fn rules() -> Vec<Draft> {
    let strict = || {
        policy()
            .and_issuer("partner", "https://partner.example", &B)
            .issuer("token_types", json!([
                { "name": "a", "claim": { "typ": "a" } }, { "name": "b", "claim": { "typ": "b" } },
            ]))
            .issuer("claims", json!({ "tenant": "/tenant" }))
            .issuer_at(1, "token_types", json!([{ "name": "b", "claim": { "typ": "b" } }]))
            .top("credentials", json!([{ "cookie": "session", "same_origin": true }]))
            .requires(json!({
                "issuers": ["platform"], "audiences": ["inner"], "types": ["a"], "subject": "present", "tenant": "present",
                "scopes": ["s"], "roles": ["r"], "claims": { "/c": { "equals": 1 } }, "max_token_age_s": 60,
                "all_of": [{ "roles": ["r1"] }], "any_of": [{ "roles": ["r2"] }, { "roles": ["r3"] }],
            }))
    };
    let full = || {
        token().claims(json!({
            "aud": ["platform", "inner"], "typ": "a", "tenant": "acme", "scope": "s", "roles": ["r", "r1", "r2"], "c": 1,
        }))
    };
    let post = |token: Token| {
        request("POST", "/").header("cookie", format!("session={}", token.compact()))
    };
    let same = |token: Token| post(token).header("sec-fetch-site", "same-origin");
    let case = |id, title, rule, request: Request, code: Code| {
        vector(id, title, &[rule])
            .policy(strict())
            .ask(request, code)
    };
    let foreign = || {
        full()
            .claims(json!({ "iss": "https://partner.example", "typ": "b" }))
            .key(&B)
    };
    vec![
        vector(
            "order-rule-all",
            "nothing wrong",
            &["order.rule-all-of", "order.rule-any-of"],
        )
        .policy(strict())
        .ask(same(full()), allow()),
        case(
            "order-origin-issuer",
            "another origin, another issuer",
            "order.rule-origin",
            post(foreign()),
            Code::OriginDenied,
        ),
        case(
            "order-issuer-audience",
            "another issuer, another audience",
            "order.rule-issuer",
            same(foreign().claim("aud", "platform")),
            Code::IssuerDenied,
        ),
        case(
            "order-audience-type",
            "another audience, another type",
            "order.rule-audience",
            same(full().claims(json!({ "aud": "platform", "typ": "b" }))),
            Code::AudienceDenied,
        ),
        case(
            "order-type-subject",
            "another type, no subject",
            "order.rule-type",
            same(full().claim("typ", "b").without("sub")),
            Code::TypeDenied,
        ),
        case(
            "order-subject-tenant",
            "no subject, no tenant",
            "order.rule-subject",
            same(full().without("sub").without("tenant")),
            Code::SubjectDenied,
        ),
        case(
            "order-tenant-scopes",
            "no tenant, no scope",
            "order.rule-tenant",
            same(full().without("tenant").without("scope")),
            Code::TenantDenied,
        ),
        case(
            "order-scopes-roles",
            "no scope, no role",
            "order.rule-scopes",
            same(full().without("scope").without("roles")),
            Code::ScopeInsufficient,
        ),
        case(
            "order-roles-claims",
            "no role, no claim",
            "order.rule-roles",
            same(full().without("roles").without("c")),
            Code::RoleDenied,
        ),
        case(
            "order-claims-age",
            "no claim, too old",
            "order.rule-claims",
            same(full().without("c").claim("iat", NOW_S - 61)),
            Code::ClaimDenied,
        ),
        case(
            "order-age-all-of",
            "too old, and `all_of`",
            "order.rule-age",
            same(full().claims(json!({ "iat": NOW_S - 61, "roles": ["r", "r2"] }))),
            Code::TokenTooOld,
        ),
    ]
}

fn nested() -> Vec<Draft> {
    let asking = |requirement: Value| {
        policy()
            .issuer("claims", json!({ "tenant": "/tenant" }))
            .requires(requirement)
    };
    vec![
        vector(
            "order-all-of-first",
            "the first of `all_of` that fails",
            &["order.rule-all-of"],
        )
        .policy(asking(
            json!({ "all_of": [{ "claims": { "/c": { "equals": 1 } } }, { "roles": ["r"] }] }),
        ))
        .ask(token(), Code::ClaimDenied)
        .ask(token().claim("c", 1), Code::RoleDenied),
        vector(
            "order-all-of-any-of",
            "`all_of` before `any_of`",
            &["order.rule-all-of"],
        )
        .policy(asking(
            json!({ "any_of": [{ "tenant": "present" }], "all_of": [{ "roles": ["r"] }] }),
        ))
        .ask(token(), Code::RoleDenied),
        vector(
            "order-any-of-furthest",
            "the alternative that got furthest",
            &["order.rule-any-of"],
        )
        .policy(asking(json!({ "any_of": [
                { "tenant": "present" },
                { "claims": { "/c": { "equals": 1 } } },
                { "scopes": ["s"] },
            ] })))
        .ask(token(), deny(Code::ClaimDenied).naming("/c")),
        vector(
            "order-any-of-age",
            "age is the last of all",
            &["order.rule-any-of"],
        )
        .policy(asking(json!({ "any_of": [
                { "max_token_age_s": 5 },
                { "claims": { "/c": { "equals": 1 } } },
            ] })))
        .ask(token(), Code::TokenTooOld),
        vector(
            "order-any-of-tie",
            "among equals the first",
            &["order.rule-any-of"],
        )
        .policy(asking(json!({ "any_of": [
                { "claims": { "/first": { "equals": 1 } } },
                { "claims": { "/second": { "equals": 1 } } },
            ] })))
        .ask(token(), deny(Code::ClaimDenied).naming("/first")),
        vector(
            "order-any-of-tie-scopes",
            "and its scopes are the challenge's",
            &["order.rule-any-of", "challenge.insufficient-scope"],
        )
        .policy(asking(
            json!({ "any_of": [{ "scopes": ["a"] }, { "scopes": ["b"] }] }),
        ))
        .ask(
            token(),
            deny(Code::ScopeInsufficient).challenging(
                "Bearer realm=\"platform\", error=\"insufficient_scope\", \
                 error_description=\"the token scopes do not suffice\", scope=\"a\"",
            ),
        ),
    ]
}

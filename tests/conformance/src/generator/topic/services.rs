//! Principals beside the user: workloads, and proxies that know identities.

use super::prelude::*;
use crate::vector::Change;

const MESH: &str = "https://mesh.example.com";

pub(super) fn vectors() -> Topic {
    let drafts = [required(), order(), forwarded()].concat();
    topic(
        "services",
        "Principals beside the user, each with its own token",
        drafts,
    )
}

fn workload() -> Token {
    token()
        .claims(json!({ "iss": MESH, "sub": "build" }))
        .key(&B)
}

/// The mesh's tokens are good from `x-service`, as those of `service`.
fn both() -> Policy {
    policy()
        .and_issuer("mesh", MESH, &B)
        .top(
            "credentials",
            json!([
                { "header": "authorization", "scheme": "Bearer" },
                { "header": "x-service", "issuers": ["mesh"], "principal": "service" },
            ]),
        )
        .rules(json!([
            { "path": "/open", "optional": { "bad_token": "ignore" }, "principals": { "service": {} } },
            { "path": "/user", "require": {} },
            { "path": "/**", "require": {}, "principals": { "service": { "claims": { "/sub": { "equals": "build" } } } } },
        ]))
}

/// Tokens of one issuer are good for both, from their own places.
fn one_issuer() -> Policy {
    policy()
        .top(
            "credentials",
            json!([
                { "header": "authorization", "scheme": "Bearer", "issuers": ["platform"] },
                { "header": "x-service", "issuers": ["platform"], "principal": "service" },
            ]),
        )
        .top("forward", json!({ "x-auth-subject": "subject" }))
        .rules(json!([
            { "path": "/user", "require": {} },
            { "path": "/**", "require": {}, "principals": { "service": {} } },
        ]))
}

fn with(user: &Token, service: &Token) -> Request {
    get("/").bearer(user).header("x-service", service.compact())
}

fn required() -> Vec<Draft> {
    let asking = |id, title, rules: &[&str]| vector(id, title, rules).policy(both());
    let stale = workload().claim("exp", NOW_S - 1);
    let service = || json!({ "service": { "issuer": "mesh", "subject": "build" } });
    let expired = || deny(Code::TokenExpired).of("service");
    vec![
        asking("service-both", "both have a good token", &["principals.required", "principals.named"])
            .ask(with(&token(), &workload()), principal(json!({ "issuer": "platform", "subject": "user-4711" })).beside(service()))
            .ask(with(&token().claim("sub", "other"), &workload()), principal(json!({ "subject": "other" })).beside(service())),
        asking("service-missing", "one has none", &["principals.required", "principals.named"])
            .ask(get("/").bearer(&token()), deny(Code::TokenMissing).of("service"))
            .ask(get("/").header("x-service", workload().compact()), deny(Code::TokenMissing).of_user()),
        asking("service-bad", "the other one's token is bad", &["principals.required", "principals.named"])
            .ask(with(&token(), &stale), expired())
            .ask(with(&token(), &workload().claim("sub", "deploy")), deny(Code::ClaimDenied).naming("/sub").of("service")),
        asking("service-apart", "a token is none of another principal's", &["principals.apart", "credential.kept-issuers"])
            .ask(with(&workload(), &token()), deny(Code::IssuerUnknown).of_user())
            .ask(with(&token(), &token()), deny(Code::IssuerUnknown).of("service"))
            .ask(get("/user").bearer(&workload()), Code::IssuerUnknown),
        asking("service-unasked", "a rule that does not ask for it does not read it", &["principals.unasked"])
            .ask(get("/user").bearer(&token()).header("x-service", "nonsense"), allow().beside(json!({}))),
        asking("service-without-user", "an optional rule without a user", &["principals.optional"])
            .ask(get("/open").header("x-service", workload().compact()), anonymous().beside(service()))
            .ask(get("/open"), deny(Code::TokenMissing).of("service"))
            .ask(get("/open").header("x-service", stale.compact()), expired())
            .ask(
                get("/open").header("authorization", "Bearer x").header("x-service", workload().compact()),
                anonymous().beside(service()).changing(&[("authorization", None)]),
            ),
        vector(
            "service-no-expired",
            "expired tokens are accepted of the user only",
            &["principals.optional"],
        )
        .policy(both().rules(json!([{
            "path": "/", "methods": ["GET"], "accept_expired_s": 60, "require": {}, "principals": { "service": {} },
        }])))
        .ask(with(&token().claim("exp", NOW_S - 1), &workload()), allow())
        .ask(with(&token(), &stale), expired()),
        vector(
            "service-or-user",
            "one token is the service's of one request and the user's of another",
            &["principals.named", "forward.values"],
        )
        .policy(one_issuer())
        .ask(
            with(&token(), &token().claim("sub", "other")),
            sets(json!({ "x-auth-subject": "user-4711" }))
                .beside(json!({ "service": { "subject": "other" } })),
        )
        .ask(
            get("/user").bearer(&token().claim("sub", "other")),
            sets(json!({ "x-auth-subject": "other" })).beside(json!({})),
        )
        .ask(
            with(&token().claim("sub", "other"), &token()),
            sets(json!({ "x-auth-subject": "other" }))
                .beside(json!({ "service": { "subject": "user-4711" } })),
        )
        .ask(
            with(&token(), &token()),
            sets(json!({ "x-auth-subject": "user-4711" }))
                .beside(json!({ "service": { "subject": "user-4711" } })),
        ),
        vector("service-tenants", "each has its own tenants", &["principals.named", "principal.tenants"])
            .policy(
                one_issuer()
                    .issuer("claims", json!({ "tenants": "/orgs" }))
                    .rules(json!([{
                        "path": "/{org}", "require": { "tenant": "{org}" },
                        "principals": { "service": { "tenant": "{org}" } },
                    }])),
            )
            .ask(
                get("/acme")
                    .bearer(&token().claim("orgs", json!(["acme", "globex"])))
                    .header("x-service", token().claim("orgs", json!(["acme", "initech"])).compact()),
                principal(json!({ "tenant": "acme", "tenants": ["acme", "globex"] }))
                    .beside(json!({ "service": { "tenant": null, "tenants": ["acme", "initech"] } })),
            )
            .ask(
                get("/acme")
                    .bearer(&token().claim("orgs", json!(["acme", "globex"])))
                    .header("x-service", token().claim("orgs", json!(["globex"])).compact()),
                deny(Code::TenantDenied).of("service"),
            ),
    ]
}

fn order() -> Vec<Draft> {
    let asking = |id, title, rules: &[&str]| vector(id, title, rules).policy(both());
    let stale = token().claim("exp", NOW_S - 1);
    vec![
        asking(
            "service-order-credentials",
            "all tokens are found before one is parsed",
            &["order.credential-before-token"],
        )
        .ask(
            get("/").header("authorization", "Bearer x"),
            Code::TokenMissing,
        )
        .ask(
            get("/")
                .header("authorization", "Bearer x")
                .header("x-service", workload().compact())
                .header("x-service", "y"),
            Code::TokenMultiple,
        ),
        asking(
            "service-order-user",
            "the user's checks come before",
            &["order.principals"],
        )
        .ask(
            with(&stale, &workload().claim("nbf", NOW_S + 9)),
            deny(Code::TokenExpired).of_user(),
        ),
        vector(
            "service-order-rule",
            "so do those of the user's rule",
            &["order.principals"],
        )
        .policy(both().rules(json!([
            { "path": "/", "require": { "roles": ["admin"] }, "principals": { "service": {} } },
        ])))
        .ask(
            with(&token(), &workload().claim("nbf", NOW_S + 9)),
            Code::RoleDenied,
        ),
    ]
}

fn forwarded() -> Vec<Draft> {
    let policy = both().top("strip_credential", true).top(
        "forward",
        json!({
            "x-auth-subject": "subject",
            "x-auth-service": { "value": "subject", "principal": "service" },
        }),
    );
    let service = Change::SetHeader("x-auth-service".into(), "build".into());
    vec![
        vector(
            "service-forwarded",
            "each header carries its own principal",
            &["forward.principal", "forward.remove", "strip.header"],
        )
        .policy(policy.clone())
        .ask(
            with(&token(), &workload()),
            sets(json!({ "x-auth-subject": "user-4711" }))
                .removing(&[
                    "x-auth-subject",
                    "x-auth-service",
                    "authorization",
                    "x-service",
                ])
                .making(std::slice::from_ref(&service)),
        )
        .ask(
            get("/user").bearer(&token()).header("x-auth-service", "me"),
            sets(json!({ "x-auth-subject": "user-4711" }))
                .removing(&[
                    "x-auth-subject",
                    "x-auth-service",
                    "authorization",
                    "x-service",
                ])
                .making(&[]),
        ),
        vector(
            "service-forwarded-alone",
            "without a user too",
            &["forward.principal", "strip.header"],
        )
        .policy(policy)
        .ask(
            get("/open").header("x-service", workload().compact()),
            sets(json!({}))
                .removing(&["x-auth-subject", "x-auth-service"])
                .making(&[Change::RemoveHeader("x-service".into()), service]),
        ),
    ]
}

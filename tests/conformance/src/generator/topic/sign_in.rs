//! How recently and how well the user signed in (RFC 9470).

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [age(), context(), order()].concat();
    topic(
        "sign-in",
        "How recently and how well the user must have signed in",
        drafts,
    )
}

fn insufficient(claim: &str) -> crate::vector::Expect {
    deny(Code::AuthenticationInsufficient).naming(claim)
}

fn age() -> Vec<Draft> {
    let signed_in = |s: i64| token().claim("auth_time", NOW_S - s);
    let asking = |id, title, leeway: u32| {
        vector(id, title, &["rule.auth-age"]).policy(
            policy()
                .top("leeway_s", leeway)
                .requires(json!({ "max_auth_age_s": 600 })),
        )
    };
    vec![
        asking("auth-age", "at most this long ago", 0)
            .ask_all([signed_in(0), signed_in(600)], allow())
            .ask(signed_in(601), insufficient("auth_time")),
        asking("auth-age-leeway", "by the leeway", 5)
            .ask_all([signed_in(-5), signed_in(605)], allow())
            .ask_all([signed_in(-6), signed_in(606)], insufficient("auth_time")),
        asking("auth-age-shape", "it must be a number", 0).ask_all(
            [
                token(),
                token().claim("auth_time", "1767225600"),
                token().claim("auth_time", json!(null)),
            ],
            insufficient("auth_time"),
        ),
        vector(
            "auth-age-unasked",
            "a rule that does not ask takes any",
            &["rule.auth-age"],
        )
        .ask(token().claim("auth_time", "x"), allow()),
    ]
}

fn context() -> Vec<Draft> {
    let wanted = json!({ "acr_values": ["phr", "phrh"] });
    vec![
        vector("acr", "one of these", &["rule.acr"])
            .policy(policy().requires(wanted))
            .ask_all(
                [token().claim("acr", "phr"), token().claim("acr", "phrh")],
                allow(),
            )
            .ask_all(
                [
                    token(),
                    token().claim("acr", "PHR"),
                    token().claim("acr", json!(["phr"])),
                    token().claim("acr", "phrh phr"),
                ],
                insufficient("acr"),
            ),
        vector(
            "sign-in-challenge",
            "the challenge says what would do",
            &["challenge.sign-in"],
        )
        .policy(policy().requires(json!({ "acr_values": ["phr", "phrh"], "max_auth_age_s": 600 })))
        .ask(
            token().claim("acr", "phr"),
            insufficient("auth_time").challenging(
                "Bearer realm=\"platform\", error=\"insufficient_user_authentication\", \
                     error_description=\"a recent or stronger sign-in is required\", \
                     acr_values=\"phr phrh\", max_age=\"600\"",
            ),
        ),
        vector(
            "sign-in-challenge-age",
            "only what is asked for",
            &["challenge.sign-in"],
        )
        .policy(policy().requires(json!({ "max_auth_age_s": 5 })))
        .ask(
            token(),
            insufficient("auth_time").challenging(
                "Bearer realm=\"platform\", error=\"insufficient_user_authentication\", \
                     error_description=\"a recent or stronger sign-in is required\", max_age=\"5\"",
            ),
        ),
    ]
}

fn order() -> Vec<Draft> {
    let asking = |id, title, requirement: Value| {
        vector(id, title, &["order.rule-authentication"]).policy(policy().requires(requirement))
    };
    let better = json!({ "acr_values": ["phr"] });
    vec![
        asking(
            "sign-in-last",
            "everything else is checked before",
            json!({ "acr_values": ["phr"], "any_of": [{ "roles": ["admin"] }], "max_auth_age_s": 1 }),
        )
        .ask(token(), Code::RoleDenied)
        .ask(token().claim("roles", "admin"), Code::AuthenticationInsufficient),
        asking(
            "sign-in-last-inside",
            "what stands beside it too",
            json!({ "all_of": [better, { "roles": ["admin"] }], "any_of": [{ "scopes": ["read"] }] }),
        )
        .ask(token(), Code::RoleDenied)
        .ask(token().claim("roles", "admin"), Code::ScopeInsufficient)
        .ask(
            token().claims(json!({ "roles": "admin", "scope": "read" })),
            Code::AuthenticationInsufficient,
        ),
        asking(
            "sign-in-furthest",
            "it is the furthest of alternatives",
            json!({ "any_of": [{ "max_token_age_s": 1 }, better, { "roles": ["admin"] }] }),
        )
        .ask(token(), Code::AuthenticationInsufficient)
        .ask(token().claim("roles", "admin"), allow()),
    ]
}

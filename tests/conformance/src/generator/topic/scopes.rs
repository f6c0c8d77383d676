//! Scopes, wildcards and roles that a rule requires.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [scopes(), wildcards(), roles()].concat();
    topic(
        "scopes",
        "Scopes, wildcards and roles that a rule requires",
        drafts,
    )
}

pub(super) fn insufficient(scope: &str) -> crate::vector::Expect {
    deny(Code::ScopeInsufficient).challenging(&format!(
        "Bearer realm=\"platform\", error=\"insufficient_scope\", \
         error_description=\"the token scopes do not suffice\", scope=\"{scope}\""
    ))
}

fn scopes() -> Vec<Draft> {
    let asking = |scopes: Value| policy().requires(json!({ "scopes": scopes }));
    let of = |scopes: &str| token().claim("scope", scopes);
    vec![
        vector(
            "requires-scopes-all",
            "all of them",
            &["rule.scopes-all", "challenge.insufficient-scope"],
        )
        .policy(asking(json!({ "all": ["api:read", "api:write"] })))
        .ask(of("api:write x api:read"), allow())
        .ask(of("api:read"), insufficient("api:read api:write"))
        .ask(token(), insufficient("api:read api:write")),
        vector(
            "requires-scopes-array",
            "an array asks for all",
            &["rule.scopes-all"],
        )
        .policy(asking(json!(["api:read", "api:write"])))
        .ask(of("api:read api:write"), allow())
        .ask(of("api:write"), insufficient("api:read api:write")),
        vector(
            "requires-scopes-any",
            "any of them",
            &["rule.scopes-any", "challenge.insufficient-scope"],
        )
        .policy(asking(json!({ "any": ["api:read", "api:admin"] })))
        .ask(of("api:admin"), allow())
        .ask(of("api:write"), insufficient("api:read api:admin")),
        vector(
            "requires-scopes-all-and-any",
            "all of some and any of others",
            &[
                "rule.scopes-all",
                "rule.scopes-any",
                "challenge.insufficient-scope",
            ],
        )
        .policy(asking(json!({ "all": ["a"], "any": ["b", "c"] })))
        .ask(of("a c"), allow())
        .ask(of("b c"), insufficient("a"))
        .ask(of("a d"), insufficient("b c")),
        vector(
            "requires-scopes-exact",
            "scopes compare whole and with case",
            &["rule.scopes-all"],
        )
        .policy(asking(json!(["api:read"])))
        .ask_all(
            [
                of("api:read:all"),
                of("API:read"),
                of("api"),
                of("xapi:read"),
            ],
            insufficient("api:read"),
        ),
    ]
}

fn wildcards() -> Vec<Draft> {
    let rule = "rule.scope-wildcards";
    let asking = |wildcards: bool, scope: &str| {
        policy()
            .issuer("scope_wildcards", wildcards)
            .requires(json!({ "scopes": [scope] }))
    };
    let of = |scopes: &str| token().claim("scope", scopes);
    let case = |id, title, wildcards, wanted: &str, admitted: &[&str], refused: &[&str]| {
        vector(id, title, &[rule])
            .policy(asking(wildcards, wanted))
            .ask_all(admitted.iter().map(|scopes| of(scopes)), allow())
            .ask_all(
                refused.iter().map(|scopes| of(scopes)),
                insufficient(wanted),
            )
    };
    vec![
        case(
            "wildcard",
            "`x:*` grants what starts with `x:`",
            true,
            "api:read",
            &["api:*", "*", "api:read"],
            &[
                "api:", "api", "ap*", "api:r*", "*:read", "api:*:x", "other:*", "**",
            ],
        ),
        case(
            "wildcard-deep",
            "however long it is",
            true,
            "api:assets:read",
            &["api:*", "api:assets:*"],
            &["api:asset:*", "api:read:*"],
        ),
        case(
            "wildcard-no-separator",
            "never what it does not start",
            true,
            "apis",
            &["*"],
            &["api:*"],
        ),
        case(
            "wildcard-off",
            "without the flag it is a name",
            false,
            "api:read",
            &["api:read"],
            &["api:*", "*"],
        ),
        case(
            "wildcard-own-name",
            "and grants its own name",
            false,
            "api:all",
            &["api:all"],
            &["*"],
        ),
    ]
}

fn roles() -> Vec<Draft> {
    let asking = |roles: Value| policy().requires(json!({ "roles": roles }));
    let of = |roles: Value| token().claim("roles", roles);
    let denied = || deny(Code::RoleDenied);
    vec![
        vector("requires-roles-any", "any of them", &["rule.roles"])
            .policy(asking(json!({ "any": ["admin", "editor"] })))
            .ask(of(json!(["viewer", "editor"])), allow())
            .ask(of(json!(["viewer"])), denied())
            .ask(token(), denied()),
        vector("requires-roles-all", "all of them", &["rule.roles"])
            .policy(asking(json!({ "all": ["admin", "auditor"] })))
            .ask(of(json!(["auditor", "admin"])), allow())
            .ask(of(json!(["admin"])), denied()),
        vector(
            "requires-roles-array",
            "an array asks for all",
            &["rule.roles"],
        )
        .policy(asking(json!(["admin", "auditor"])))
        .ask(of(json!(["auditor", "admin"])), allow())
        .ask(of(json!("auditor admin")), denied())
        .ask(of(json!(["admin"])), denied()),
        vector(
            "requires-roles-no-wildcard",
            "a role has no wildcards",
            &["rule.roles"],
        )
        .policy(asking(json!(["admin"])).issuer("scope_wildcards", true))
        .ask(of(json!(["*"])), denied()),
    ]
}

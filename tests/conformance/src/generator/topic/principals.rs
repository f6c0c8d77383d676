//! The principal of a token.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [subject(), tenant(), words(), role_map(), defaults()].concat();
    topic(
        "principals",
        "What a token says in the policy's terms",
        drafts,
    )
}

fn mapped(claims: Value) -> Policy {
    policy().issuer("claims", claims)
}

fn case(id: &str, title: &str, rule: &str, policy: Policy, claims: Value, seen: Value) -> Draft {
    vector(id, title, &[rule])
        .policy(policy)
        .ask(token().claims(claims), principal(seen))
}

fn subject() -> Vec<Draft> {
    let rule = "principal.subject";
    let at = |pointer: &str| mapped(json!({ "subject": pointer }));
    vec![
        case(
            "principal-subject",
            "from the mapped claim",
            rule,
            at("/user/id"),
            json!({ "user": { "id": "u-1" } }),
            json!({ "subject": "u-1" }),
        ),
        case(
            "principal-subject-absent",
            "which may be absent",
            rule,
            at("/user/id"),
            json!({}),
            json!({ "subject": null }),
        ),
        case(
            "principal-subject-default",
            "from `sub`",
            rule,
            policy(),
            json!({ "sub": "s-1" }),
            json!({ "subject": "s-1" }),
        ),
        case(
            "principal-subject-unicode",
            "as it was signed",
            rule,
            policy(),
            json!({ "sub": "Zoë\u{0}\n" }),
            json!({ "subject": "Zoë\u{0}\n" }),
        ),
    ]
}

fn tenant() -> Vec<Draft> {
    let rule = "principal.tenant";
    let fixed = "principal.tenant-fixed";
    let at = || mapped(json!({ "tenant": "/tenant_id" }));
    let acme = || mapped(json!({ "tenant": { "fixed": "acme" } }));
    vec![
        case(
            "principal-tenant",
            "from the mapped claim",
            rule,
            at(),
            json!({ "tenant_id": "acme" }),
            json!({ "tenant": "acme" }),
        ),
        case(
            "principal-tenant-absent",
            "which may be absent",
            rule,
            at(),
            json!({}),
            json!({ "tenant": null }),
        ),
        case(
            "principal-tenant-unmapped",
            "nowhere without a mapping",
            rule,
            policy(),
            json!({ "tenant": "acme", "tenant_id": "acme" }),
            json!({ "tenant": null }),
        ),
        case(
            "principal-tenant-fixed",
            "fixed",
            fixed,
            acme(),
            json!({}),
            json!({ "tenant": "acme" }),
        ),
        case(
            "principal-tenant-fixed-other",
            "fixed, whatever the token says",
            fixed,
            acme(),
            json!({ "tenant": "other", "tenant_id": "other" }),
            json!({ "tenant": "acme" }),
        ),
    ]
}

fn words() -> Vec<Draft> {
    let rule = "principal.words";
    let scopes = |id, title, value: Value, seen: Value| {
        case(
            id,
            title,
            rule,
            policy(),
            member("scope", value),
            json!({ "scopes": seen }),
        )
    };
    vec![
        scopes(
            "words-string",
            "a string is split at spaces",
            json!("a b"),
            json!(["a", "b"]),
        ),
        scopes(
            "words-spaces",
            "however many",
            json!("  a   b "),
            json!(["a", "b"]),
        ),
        scopes(
            "words-other-white-space",
            "at no other white space",
            json!("a\tb c\n"),
            json!(["a\tb", "c\n"]),
        ),
        scopes(
            "words-comma",
            "and at no comma",
            json!("a,b"),
            json!(["a,b"]),
        ),
        scopes(
            "words-array",
            "an array is taken as it is",
            json!(["a b", "c"]),
            json!(["a b", "c"]),
        ),
        scopes(
            "words-once",
            "each once, in order",
            json!("b a b a"),
            json!(["b", "a"]),
        ),
        scopes(
            "words-empty",
            "an empty string is none",
            json!(""),
            json!([]),
        ),
        scopes(
            "words-empty-item",
            "nor is an empty item",
            json!(["", "a"]),
            json!(["a"]),
        ),
        case(
            "words-pointers",
            "from all pointers, in their order",
            rule,
            mapped(json!({ "roles": ["/realm_access/roles", "/roles"] })),
            json!({ "roles": ["b", "a"], "realm_access": { "roles": ["c", "a"] } }),
            json!({ "roles": ["c", "a", "b"] }),
        ),
        case(
            "words-role-text",
            "a role that is one text is one role",
            rule,
            policy(),
            json!({ "roles": "Read-only Admin" }),
            json!({ "roles": ["Read-only Admin"] }),
        ),
        case(
            "words-role-mapped-text",
            "also where the policy names the claim",
            rule,
            mapped(json!({ "roles": "/group" })),
            json!({ "group": "Read-only Admin" }),
            json!({ "roles": ["Read-only Admin"] }),
        ),
        case(
            "words-many",
            "many",
            rule,
            policy(),
            json!({ "scope": (0..40).map(|n| format!("s{n} s0")).collect::<Vec<_>>().join(" ") }),
            json!({ "scopes": (0..40).map(|n| format!("s{n}")).collect::<Vec<_>>() }),
        ),
    ]
}

fn role_map() -> Vec<Draft> {
    let rule = "principal.role-map";
    let map = || {
        policy().issuer(
            "role_map",
            json!({ "eng-admins": ["admin", "editor"], "eng": ["editor"] }),
        )
    };
    vec![
        case(
            "role-map",
            "groups become roles",
            rule,
            map(),
            json!({ "roles": ["eng-admins"] }),
            json!({ "roles": ["admin", "editor"] }),
        ),
        case(
            "role-map-once",
            "each once",
            rule,
            map(),
            json!({ "roles": ["eng", "eng-admins"] }),
            json!({ "roles": ["editor", "admin"] }),
        ),
        case(
            "role-map-dropped",
            "what is not mapped is dropped",
            rule,
            map(),
            json!({ "roles": ["admin", "eng", "sales"] }),
            json!({ "roles": ["editor"] }),
        ),
        case(
            "role-map-none",
            "of nothing, nothing",
            rule,
            map(),
            json!({}),
            json!({ "roles": [] }),
        ),
    ]
}

fn defaults() -> Vec<Draft> {
    let rule = "principal.defaults";
    vec![
        case(
            "defaults-scopes",
            "`scope`, `scp`, `scopes`",
            rule,
            policy(),
            json!({ "scopes": ["c"], "scp": ["b"], "scope": "a" }),
            json!({ "scopes": ["a", "b", "c"] }),
        ),
        case(
            "defaults-roles",
            "`roles`",
            rule,
            policy(),
            json!({ "roles": ["r"], "groups": ["g"] }),
            json!({ "roles": ["r"] }),
        ),
        case(
            "defaults-other-shape",
            "another shape in a claim that the policy does not name counts as absent",
            "claims.default-shape",
            policy(),
            json!({ "roles": { "admin": {} }, "scope": 7, "scp": ["a", 1], "scopes": ["b"] }),
            json!({ "roles": [], "scopes": ["b"] }),
        ),
        case(
            "defaults-one-mapped",
            "a mapping of one leaves the others",
            rule,
            mapped(json!({ "tenant": "/t" })),
            json!({ "scope": "a", "roles": "r", "t": "acme" }),
            json!({ "subject": "user-4711", "scopes": ["a"], "roles": ["r"], "tenant": "acme" }),
        ),
    ]
}

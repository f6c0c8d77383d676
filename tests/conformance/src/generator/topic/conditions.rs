//! The issuer's `require`, and the comparison of claims.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [require(), equals(), one_of(), contains(), pointers()].concat();
    topic(
        "conditions",
        "What an issuer requires of every token, and how claims are compared",
        drafts,
    )
}

fn requiring(conditions: Value) -> Policy {
    policy().issuer("require", conditions)
}

fn require() -> Vec<Draft> {
    let google = || {
        requiring(
            json!({ "/email_verified": { "equals": true }, "/hd": { "one_of": ["example.com"] } }),
        )
    };
    vec![
        vector(
            "require-met",
            "all are met",
            &["require.mismatch", "require.missing"],
        )
        .policy(google())
        .ask(
            token().claims(json!({ "email_verified": true, "hd": "example.com" })),
            allow(),
        ),
        vector(
            "require-missing",
            "one is absent",
            &["require.missing", "decision.claim-named"],
        )
        .policy(google())
        .ask(
            token().claim("email_verified", true),
            deny(Code::ClaimMissing).naming("/hd"),
        ),
        vector(
            "require-mismatch",
            "one differs",
            &["require.mismatch", "decision.claim-named"],
        )
        .policy(google())
        .ask(
            token().claims(json!({ "email_verified": false, "hd": "example.com" })),
            deny(Code::ClaimMismatch).naming("/email_verified"),
        ),
        vector(
            "require-null",
            "`null` is a value, and another one",
            &["require.mismatch"],
        )
        .policy(requiring(json!({ "/hd": { "equals": "example.com" } })))
        .ask(
            token().claim("hd", json!(null)),
            deny(Code::ClaimMismatch).naming("/hd"),
        ),
    ]
}

/// One condition on `/x`, with values that meet it and values that do not.
fn case(
    id: &str,
    title: &str,
    rule: &str,
    condition: Value,
    met: &[Value],
    unmet: &[Value],
) -> Draft {
    let draft = vector(id, title, &[rule]).policy(requiring(member("/x", condition)));
    let with = |value: &Value| token().claim("x", value.clone());
    draft.ask_all(met.iter().map(with), allow()).ask_all(
        unmet.iter().map(with),
        deny(Code::ClaimMismatch).naming("/x"),
    )
}

fn equals() -> Vec<Draft> {
    let rule = "condition.equals";
    let numbers = "condition.numbers";
    vec![
        case(
            "equals-largest",
            "the largest number that a double tells from its neighbours",
            numbers,
            json!({ "equals": 9_007_199_254_740_991_u64 }),
            &[json!(9_007_199_254_740_991_u64)],
            &[
                json!(9_007_199_254_740_992_u64),
                json!(9_007_199_254_740_992.0),
                json!(u64::MAX),
            ],
        ),
        vector(
            "equals-too-large",
            "a number of the policy beyond it",
            &[numbers],
        )
        .policy(requiring(
            json!({ "/x": { "equals": 18_446_744_073_709_551_615_u64 } }),
        ))
        .refused(&[("value_out_of_range", "/issuers/0/require/~1x/equals")]),
        vector("equals-too-small", "and below its negative", &[numbers])
            .policy(requiring(
                json!({ "/x": { "one_of": [-9_007_199_254_740_992_i64] } }),
            ))
            .refused(&[("value_out_of_range", "/issuers/0/require/~1x/one_of/0")]),
        case(
            "equals-string",
            "a string",
            rule,
            json!({ "equals": "one" }),
            &[json!("one")],
            &[
                json!("One"),
                json!("one "),
                json!(["one"]),
                json!(""),
                json!(null),
                json!({ "one": "one" }),
            ],
        ),
        case(
            "equals-true",
            "`true`",
            rule,
            json!({ "equals": true }),
            &[json!(true)],
            &[json!(false), json!("true"), json!(1), json!([true])],
        ),
        case(
            "equals-number",
            "a number",
            rule,
            json!({ "equals": 1 }),
            &[json!(1), json!(1.0)],
            &[json!("1"), json!(true), json!(2), json!(1.5), json!(-1)],
        ),
    ]
}

fn one_of() -> Vec<Draft> {
    vec![case(
        "one-of",
        "any of several",
        "condition.one-of",
        json!({ "one_of": ["a", 1, true] }),
        &[json!("a"), json!(1), json!(true)],
        &[json!("b"), json!("1"), json!(["a"]), json!(false)],
    )]
}

fn contains() -> Vec<Draft> {
    let rule = "condition.contains";
    vec![
        case(
            "contains-string",
            "a word, an item",
            rule,
            json!({ "contains": "mfa" }),
            &[json!("mfa"), json!("pwd mfa"), json!(["pwd", "mfa"])],
            &[
                json!("mfax"),
                json!("pwd,mfa"),
                json!("pwd\tmfa"),
                json!(["pwd mfa"]),
                json!([]),
                json!(""),
                json!({ "mfa": true }),
                json!([["mfa"]]),
                json!("MFA"),
            ],
        ),
        case(
            "contains-number",
            "a number in an array",
            rule,
            json!({ "contains": 2 }),
            &[json!([1, 2])],
            &[json!("1 2"), json!(["2"]), json!(2)],
        ),
    ]
}

fn pointers() -> Vec<Draft> {
    let case = |id, title, pointer: &str, met: Value, unmet: Value| {
        vector(id, title, &["condition.pointer"])
            .policy(requiring(member(pointer, json!({ "equals": "yes" }))))
            .ask(token().claims(met), allow())
            .ask(
                token().claims(unmet),
                deny(Code::ClaimMissing).naming(pointer),
            )
    };
    vec![
        case(
            "pointer-name",
            "a name without a slash is one member",
            "org/unit",
            json!({ "org/unit": "yes" }),
            json!({ "org": { "unit": "yes" } }),
        ),
        case(
            "pointer-deep",
            "members inside of members",
            "/org/unit",
            json!({ "org": { "unit": "yes" } }),
            json!({ "org/unit": "yes" }),
        ),
        case(
            "pointer-index",
            "an item of an array",
            "/orgs/1/role",
            json!({ "orgs": [{}, { "role": "yes" }] }),
            json!({ "orgs": [{ "role": "yes" }] }),
        ),
        case(
            "pointer-index-zero",
            "an index has no leading zero",
            "/orgs/01",
            json!({ "orgs": { "01": "yes" } }),
            json!({ "orgs": ["no", "yes"] }),
        ),
        case(
            "pointer-end",
            "`-` is no item",
            "/orgs/-",
            json!({ "orgs": { "-": "yes" } }),
            json!({ "orgs": ["yes"] }),
        ),
        case(
            "pointer-slash",
            "`~1` is a slash",
            "/a~1b",
            json!({ "a/b": "yes" }),
            json!({ "a": { "b": "yes" } }),
        ),
        case(
            "pointer-tilde",
            "`~01` is `~1`",
            "/a~01b",
            json!({ "a~1b": "yes" }),
            json!({ "a/b": "yes" }),
        ),
        case(
            "pointer-url",
            "a URL as a name",
            "/https:~1~1example.com~1role",
            json!({ "https://example.com/role": "yes" }),
            json!({ "https:": "yes" }),
        ),
        case(
            "pointer-empty-name",
            "an empty name",
            "/a/",
            json!({ "a": { "": "yes" } }),
            json!({ "a": "yes" }),
        ),
    ]
}

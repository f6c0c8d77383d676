//! The issuer's `require`, and the comparison of claims.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [
        require(),
        equals(),
        one_of(),
        contains(),
        texts(),
        items(),
        presence(),
        algebra(),
        sources(),
        refused(),
        pointers(),
    ]
    .concat();
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
            "`null` is not there",
            &["require.missing", "condition.there"],
        )
        .policy(requiring(json!({ "/hd": { "equals": "example.com" } })))
        .ask(
            token().claim("hd", json!(null)),
            deny(Code::ClaimMissing).naming("/hd"),
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
            "an item of an array, and no word of a text",
            rule,
            json!({ "contains": "mfa" }),
            &[json!(["pwd", "mfa"])],
            &[
                json!("mfa"),
                json!("pwd mfa"),
                json!(["pwd mfa"]),
                json!([]),
                json!(""),
                json!({ "mfa": true }),
                json!([["mfa"]]),
                json!(["MFA"]),
                json!([null]),
            ],
        ),
        case(
            "contains-number",
            "a number in an array",
            rule,
            json!({ "contains": 2 }),
            &[json!([1, 2]), json!(["a", 2.0])],
            &[json!("1 2"), json!(["2"]), json!(2)],
        ),
    ]
}

fn texts() -> Vec<Draft> {
    let rule = "condition.starts-with";
    vec![
        case(
            "starts-with",
            "the start of a text",
            rule,
            json!({ "starts_with": "refs/heads/release/" }),
            &[
                json!("refs/heads/release/1.0"),
                json!("refs/heads/release/"),
            ],
            &[
                json!("refs/heads/Release/1"),
                json!("refs/heads/release"),
                json!(""),
                json!(["refs/heads/release/1"]),
                json!(1),
            ],
        ),
        case(
            "ends-with",
            "the end of a text",
            rule,
            json!({ "ends_with": "@example.com" }),
            &[json!("ada@example.com"), json!("@example.com")],
            &[
                json!("ada@EXAMPLE.com"),
                json!("ada@example.com "),
                json!("ada@notexample.com"),
                json!(true),
            ],
        ),
        case(
            "starts-with-bytes",
            "byte by byte",
            rule,
            json!({ "starts_with": "Zoë/" }),
            &[json!("Zoë/1")],
            &[json!("Zoe\u{308}/1")],
        ),
    ]
}

fn items() -> Vec<Draft> {
    let some = "condition.some";
    let every = "condition.every";
    let spring = json!({ "some": { "/authority": "ROLE_ADMIN", "/active": true } });
    vec![
        case(
            "some",
            "one item",
            some,
            json!({ "some": { "starts_with": "eng-" } }),
            &[json!(["ops-1", "eng-1"]), json!([1, "eng-1"])],
            &[
                json!(["ops-1"]),
                json!([]),
                json!("eng-1"),
                json!({ "0": "eng-1" }),
            ],
        ),
        case(
            "some-object",
            "one item, by its members",
            some,
            spring,
            &[
                json!([{ "authority": "ROLE_USER", "active": true }, { "authority": "ROLE_ADMIN", "active": true }]),
            ],
            &[
                json!([{ "authority": "ROLE_ADMIN", "active": false }, { "authority": "ROLE_USER", "active": true }]),
                json!([{ "authority": "ROLE_ADMIN" }]),
                json!(["ROLE_ADMIN"]),
                json!([["ROLE_ADMIN"]]),
            ],
        ),
        case(
            "some-no-object",
            "an item that is no object has no members, not even absent ones",
            some,
            json!({ "some": { "/deleted": { "present": false } } }),
            &[json!([{ "id": 1 }])],
            &[json!(["text"]), json!([null]), json!([{ "deleted": true }])],
        ),
        case(
            "every",
            "each item",
            every,
            json!({ "every": { "one_of": ["eu", "us"] } }),
            &[json!(["eu"]), json!(["eu", "us", "eu"])],
            &[
                json!(["eu", "cn"]),
                json!(["eu", 1]),
                json!([]),
                json!("eu"),
            ],
        ),
        case(
            "not-every-empty",
            "of no item nothing is known",
            every,
            json!({ "not": { "every": "eu" } }),
            &[json!(["cn"]), json!(["eu", "cn"])],
            &[json!([]), json!(["eu"]), json!("cn")],
        ),
        case(
            "not-some-empty",
            "no item is none that fits",
            some,
            json!({ "not": { "some": "eu" } }),
            &[json!([]), json!(["cn"])],
            &[json!(["eu"]), json!(["cn", 1]), json!("cn")],
        ),
    ]
}

fn presence() -> Vec<Draft> {
    let rule = "condition.present";
    let absent = || requiring(json!({ "/x": { "present": false } }));
    vec![
        case(
            "present",
            "whatever it is",
            rule,
            json!({ "present": true }),
            &[json!(""), json!(0), json!(false), json!([]), json!({})],
            &[],
        ),
        vector(
            "present-not",
            "a claim that is not there",
            &[rule, "condition.there", "require.missing"],
        )
        .policy(requiring(json!({ "/x": { "present": true } })))
        .ask(token(), deny(Code::ClaimMissing).naming("/x"))
        .ask(
            token().claim("x", json!(null)),
            deny(Code::ClaimMissing).naming("/x"),
        ),
        vector(
            "absent",
            "a claim that must not be there",
            &[rule, "condition.there", "require.missing"],
        )
        .policy(absent())
        .ask(token(), allow())
        .ask(token().claim("x", json!(null)), allow())
        .ask(
            token().claim("x", ""),
            deny(Code::ClaimMismatch).naming("/x"),
        )
        .ask(
            token().claim("x", false),
            deny(Code::ClaimMismatch).naming("/x"),
        ),
        vector(
            "present-unreadable",
            "JSON that cannot be read is neither",
            &[rule, "condition.unknown"],
        )
        .policy(requiring(
            json!({ "/x": { "as": "json", "at": "/flag", "present": false } }),
        ))
        .ask(token().claim("x", "{}"), allow())
        .ask(token(), allow())
        .ask(
            token().claim("x", "{"),
            deny(Code::ClaimMismatch).naming("/x"),
        )
        .ask(
            token().claim("x", r#"{"flag":1}"#),
            deny(Code::ClaimMismatch).naming("/x"),
        ),
    ]
}

fn algebra() -> Vec<Draft> {
    let missing = |id, title, condition: Value| {
        vector(id, title, &["condition.not", "condition.unknown"])
            .policy(requiring(member("/x", condition)))
            .ask(token(), deny(Code::ClaimMissing).naming("/x"))
            .ask(
                token().claim("x", json!(null)),
                deny(Code::ClaimMissing).naming("/x"),
            )
    };
    vec![
        case(
            "not",
            "another value of the same type",
            "condition.not",
            json!({ "not": { "equals": "guest" } }),
            &[json!("user"), json!("")],
            &[json!("guest"), json!(1), json!(true), json!(["guest"]), json!({})],
        ),
        missing("not-missing", "never of a claim that is missing", json!({ "not": { "equals": "guest" } })),
        missing("not-not-missing", "nor twice", json!({ "not": { "not": { "equals": "guest" } } })),
        case(
            "not-number",
            "a number that several texts give is unknown",
            "condition.unknown",
            json!({ "not": { "equals": 1 } }),
            &[json!(2)],
            &[json!(1), json!(9_007_199_254_740_992_u64), json!("2")],
        ),
        case(
            "not-starts-with",
            "a text that begins otherwise",
            "condition.unknown",
            json!({ "not": { "starts_with": "robot:" } }),
            &[json!("ada")],
            &[json!("robot:1"), json!(1), json!(["ada"])],
        ),
        case(
            "not-one-of",
            "none of several",
            "condition.not",
            json!({ "not": { "one_of": ["a", "b"] } }),
            &[json!("c")],
            &[json!("a"), json!("b"), json!(1)],
        ),
        case(
            "not-one-of-mixed",
            "of several types nothing is known for all",
            "condition.any-of",
            json!({ "not": { "one_of": ["a", 1] } }),
            &[],
            &[json!("a"), json!(1), json!("b"), json!(2)],
        ),
        case(
            "all-of",
            "all",
            "condition.all-of",
            json!({ "all_of": [{ "starts_with": "a/" }, { "ends_with": "/z" }] }),
            &[json!("a/b/z"), json!("a/z")],
            &[json!("a/b"), json!("b/z"), json!(1)],
        ),
        case(
            "not-all-of",
            "one false one makes it false, whatever is unknown",
            "condition.all-of",
            json!({ "not": { "all_of": ["a", 1] } }),
            &[json!("b"), json!(2)],
            &[json!("a"), json!(1), json!(true)],
        ),
        case(
            "any-of",
            "one",
            "condition.any-of",
            json!({ "any_of": ["a", 1, { "contains": "a" }] }),
            &[json!("a"), json!(1), json!(["a"])],
            &[json!("b"), json!(true), json!(["b"])],
        ),
        vector("any-of-absent", "absent, or one of two", &["condition.any-of", "require.missing"])
            .policy(requiring(json!({ "/region": { "any_of": [{ "present": false }, { "one_of": ["eu", "us"] }] } })))
            .ask(token(), allow())
            .ask(token().claim("region", "eu"), allow())
            .ask(token().claim("region", "cn"), deny(Code::ClaimMismatch).naming("/region")),
        case(
            "short",
            "a value in place of a condition",
            "condition.short",
            json!("yes"),
            &[json!("yes")],
            &[json!("no"), json!(true)],
        ),
        case("short-number", "a number", "condition.short", json!(2), &[json!(2)], &[json!("2")]),
        case("short-true", "or `true`", "condition.short", json!(true), &[json!(true)], &[json!("true"), json!(1)]),
        vector("type-conditions", "a token type has conditions too", &["type.claim", "condition.not", "condition.short"])
            .policy(policy().issuer("token_types", json!([
                { "name": "robot", "claim": { "/sub": { "starts_with": "robot:" } } },
                { "name": "human", "claim": { "/sub": { "not": { "starts_with": "robot:" } }, "/amr": { "some": { "one_of": ["mfa", "hwk"] } } } },
            ])))
            .ask(token().claim("sub", "robot:1"), principal(json!({ "token_type": "robot" })))
            .ask(token().claim("amr", json!(["pwd", "mfa"])), principal(json!({ "token_type": "human" })))
            .ask(token(), Code::TypeMismatch),
    ]
}

fn sources() -> Vec<Draft> {
    let rule = "condition.source";
    vec![
        case(
            "condition-separator",
            "a word of a text",
            rule,
            json!({ "separator": " ", "contains": "read" }),
            &[json!("write read"), json!("read"), json!(["read", "x y"])],
            &[
                json!("reader"),
                json!("write,read"),
                json!(["a read"]),
                json!(""),
                json!(1),
                json!([1, "read"]),
            ],
        ),
        case(
            "condition-keys",
            "the name of a member",
            rule,
            json!({ "as": "keys", "contains": "admin" }),
            &[json!({ "admin": {} }), json!(["admin"])],
            &[
                json!({ "admin": false }),
                json!({ "user": 1 }),
                json!("admin"),
                json!({}),
            ],
        ),
        case(
            "condition-json",
            "a member of JSON",
            rule,
            json!({ "as": "json", "at": "/role", "equals": "editor" }),
            &[json!(r#"{"role":"editor"}"#), json!({ "role": "editor" })],
            &[json!(r#"{"role":1}"#), json!("{")],
        ),
        case(
            "condition-unreadable",
            "what cannot be read is unknown",
            "condition.unknown",
            json!({ "as": "keys", "not": { "contains": "admin" } }),
            &[json!({ "user": {} }), json!([])],
            &[json!({ "admin": {} }), json!("user"), json!(1)],
        ),
    ]
}

fn refused() -> Vec<Draft> {
    let rule = "condition.policy";
    let case = |id: &str, title: &str, condition: Value, code: &str, place: &str| {
        vector(id, title, &[rule])
            .policy(requiring(member("/x", condition)))
            .refused(&[(code, &format!("/issuers/0/require/~1x{place}"))])
    };
    let deep = |levels: usize| (0..levels).fold(json!("a"), |inner, _| json!({ "not": inner }));
    vec![
        case("condition-none", "no word", json!({}), "field_missing", ""),
        case(
            "condition-only-source",
            "only how it is read",
            json!({ "as": "keys" }),
            "field_missing",
            "",
        ),
        case(
            "condition-two",
            "two words",
            json!({ "equals": 1, "contains": 1 }),
            "conflict",
            "",
        ),
        case(
            "condition-empty-start",
            "an empty start",
            json!({ "starts_with": "" }),
            "value_invalid",
            "/starts_with",
        ),
        case(
            "condition-empty-end",
            "an empty end",
            json!({ "ends_with": "" }),
            "value_invalid",
            "/ends_with",
        ),
        case(
            "condition-url",
            "the start of a URL that ends within its host",
            json!({ "starts_with": "https://a.example" }),
            "value_invalid",
            "/starts_with",
        ),
        case(
            "condition-not-present",
            "`present` below `not`",
            json!({ "not": { "present": true } }),
            "conflict",
            "/not/present",
        ),
        case(
            "condition-not-present-deep",
            "deep below it",
            json!({ "not": { "some": { "/a": { "any_of": [{ "present": true }] } } } }),
            "conflict",
            "/not/some/~1a/any_of/0/present",
        ),
        case(
            "condition-deep",
            "nine levels",
            deep(9),
            "too_deep",
            "/not/not/not/not/not/not/not/not",
        ),
        vector("condition-eight", "eight levels", &[rule])
            .policy(requiring(member("/x", deep(8))))
            .ask(token().claim("x", "a"), allow())
            .ask(
                token().claim("x", "b"),
                deny(Code::ClaimMismatch).naming("/x"),
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

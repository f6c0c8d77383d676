//! How a claim is read.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [lists(), json(), one(), numbers(), refused()].concat();
    topic("sources", "How a claim is read", drafts)
}

fn mapped(mapping: Value) -> Policy {
    policy().issuer("claims", mapping)
}

/// Roles from `/x`, read so: what each value gives.
fn roles(
    id: &str,
    title: &str,
    rule: &str,
    source: Value,
    given: &[(Value, Option<Value>)],
) -> Draft {
    let draft = vector(id, title, &[rule]).policy(mapped(json!({ "roles": source })));
    given.iter().fold(draft, |draft, (value, roles)| {
        let expect = match roles {
            Some(roles) => principal(json!({ "roles": roles })),
            None => deny(Code::ClaimsInvalid).naming("/x"),
        };
        draft.ask(token().claim("x", value.clone()), expect)
    })
}

fn lists() -> Vec<Draft> {
    let some = |value: Value| Some(value);
    vec![
        roles(
            "source-plain",
            "a text is one item",
            "source.plain",
            json!({ "claim": "/x" }),
            &[
                (json!("Read-only Admin"), some(json!(["Read-only Admin"]))),
                (json!(["a b", "c"]), some(json!(["a b", "c"]))),
                (json!(""), some(json!([]))),
                (json!({ "admin": true }), None),
                (json!(["a", 1]), None),
                (json!(true), None),
            ],
        ),
        roles(
            "source-separator",
            "split at a comma",
            "source.separator",
            json!({ "claim": "/x", "separator": "," }),
            &[
                (json!("a, b c ,,d"), some(json!(["a", "b c", "d"]))),
                (json!(["a,b", "c"]), some(json!(["a,b", "c"]))),
                (json!(" , "), some(json!([]))),
                (json!({ "a": 1 }), None),
                (json!(["a", 1]), None),
            ],
        ),
        roles(
            "source-keys",
            "the names of an object's members",
            "source.keys",
            json!({ "claim": "/x", "as": "keys" }),
            &[
                (
                    json!({ "admin": { "9001": "acme.example.com" }, "no": false, "none": null, "yes": true, "zero": 0, "empty": {} }),
                    some(json!(["admin", "yes", "zero", "empty"])),
                ),
                (json!(["acme", "partner"]), some(json!(["acme", "partner"]))),
                (json!({}), some(json!([]))),
                (json!("admin"), None),
                (json!([{ "admin": true }]), None),
            ],
        ),
        vector(
            "source-scopes",
            "scopes are split at spaces, but for another separator",
            &["source.plain", "source.separator"],
        )
        .policy(mapped(
            json!({ "scopes": ["/scope", { "claim": "/rights", "separator": ";" }] }),
        ))
        .ask(
            token().claims(json!({ "scope": "a b", "rights": "c d;e" })),
            principal(json!({ "scopes": ["a", "b", "c d", "e"] })),
        ),
    ]
}

fn json() -> Vec<Draft> {
    let rule = "source.json";
    let deep = |depth: usize| json!(format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    vec![
        roles(
            "source-json",
            "JSON in a text",
            rule,
            json!({ "claim": "/x", "as": "json" }),
            &[
                (json!(r#"["a", "b"]"#), Some(json!(["a", "b"]))),
                (json!(r#""a""#), Some(json!(["a"]))),
                (json!(["a", "b"]), Some(json!(["a", "b"]))),
                (json!("null"), Some(json!([]))),
                (json!("a"), None),
                (json!("[\"a\"] x"), None),
                (json!(r#"{"a":1}"#), None),
            ],
        ),
        roles(
            "source-json-at",
            "a source inside of it",
            rule,
            json!({ "claim": "/x", "as": "json", "at": "/roles" }),
            &[
                (json!(r#"{"roles":["a"]}"#), Some(json!(["a"]))),
                (json!({ "roles": ["a"] }), Some(json!(["a"]))),
                (json!("{}"), Some(json!([]))),
                (json!(r#"{"roles":["a"],"roles":["b"]}"#), None),
                (deep(17), None),
            ],
        ),
        roles(
            "source-json-keys",
            "read as keys",
            rule,
            json!({ "claim": "/x", "as": "json", "at": { "claim": "/roles", "as": "keys" } }),
            &[(json!(r#"{"roles":{"a":{},"b":false}}"#), Some(json!(["a"])))],
        ),
        vector("source-json-tenant", "a tenant in JSON", &[rule])
            .policy(mapped(
                json!({ "tenant": { "claim": "/hasura", "as": "json", "at": "/org" } }),
            ))
            .ask(
                token().claim("hasura", r#"{"org":"123"}"#),
                principal(json!({ "tenant": "123" })),
            )
            .ask(
                token().claim("hasura", json!({ "org": "123" })),
                principal(json!({ "tenant": "123" })),
            )
            .ask(
                token().claim("hasura", r#"{"org":123}"#),
                deny(Code::ClaimsInvalid).naming("/hasura"),
            ),
    ]
}

fn one() -> Vec<Draft> {
    let subject = |subject: Value| mapped(json!({ "subject": subject }));
    let is = |subject: &str| principal(json!({ "subject": subject }));
    vec![
        vector(
            "subject-first",
            "the first that is there",
            &["principal.subject"],
        )
        .policy(subject(json!(["/oid", "/common_name", "/sub"])))
        .ask(
            token().claims(json!({ "oid": "o", "common_name": "c" })),
            is("o"),
        )
        .ask(token().claim("common_name", "c"), is("c"))
        .ask(token().claim("oid", json!(null)), is("user-4711")),
        vector(
            "subject-empty",
            "an empty one is not there",
            &["principal.subject"],
        )
        .policy(subject(json!(["/sub", "/common_name"])))
        .ask(
            token().claims(json!({ "sub": "", "common_name": "robot" })),
            is("robot"),
        )
        .ask(
            token().claim("sub", ""),
            principal(json!({ "subject": null })),
        ),
        vector(
            "subject-shape",
            "one of another shape is refused",
            &["claims.mapped"],
        )
        .policy(subject(json!(["/oid", "/sub"])))
        .ask(
            token().claim("oid", json!(["o"])),
            deny(Code::ClaimsInvalid).naming("/oid"),
        ),
        vector(
            "tenant-empty",
            "an empty tenant is none",
            &["principal.tenant"],
        )
        .policy(mapped(json!({ "tenant": "/org" })))
        .ask(
            token().claim("org", ""),
            principal(json!({ "tenant": null })),
        ),
        vector(
            "tenants-shape",
            "tenants of a shape that their source cannot read",
            &["claims.mapped", "principal.tenants"],
        )
        .policy(mapped(json!({ "tenants": "/orgs" })))
        .ask(
            token().claim("orgs", json!({ "acme": {} })),
            deny(Code::ClaimsInvalid).naming("/orgs"),
        )
        .ask(
            token().claim("orgs", json!(["acme"])),
            principal(json!({ "tenant": "acme", "tenants": ["acme"] })),
        )
        .ask(
            token().claim("orgs", json!(["acme", "globex"])),
            principal(json!({ "tenant": null, "tenants": ["acme", "globex"] })),
        ),
    ]
}

fn numbers() -> Vec<Draft> {
    let rule = "claims.numbers-as-text";
    let read = || {
        policy()
            .issuer("numbers_as_text", true)
            .issuer("claims", json!({ "tenant": "/org", "roles": "/groups" }))
    };
    let invalid = |claim: &str| deny(Code::ClaimsInvalid).naming(claim);
    vec![
        vector(
            "numbers-as-text",
            "numbers are read as their digits",
            &[rule],
        )
        .policy(read())
        .ask(
            token().claims(json!({ "sub": 42, "org": -10133, "groups": [7, "8"] })),
            principal(json!({ "subject": "42", "tenant": "-10133", "roles": ["7", "8"] })),
        )
        .ask(
            token().claim("sub", 9_007_199_254_740_991_u64),
            principal(json!({ "subject": "9007199254740991" })),
        ),
        vector("numbers-as-text-other", "but no others", &[rule])
            .policy(read())
            .ask(token().claim("sub", 1.5), invalid("sub"))
            .ask(
                token().claims_text(
                    token()
                        .claim("sub", 0)
                        .claims_json()
                        .replace("\"sub\":0", "\"sub\":1e2"),
                ),
                invalid("sub"),
            )
            .ask(
                token().claims_text(
                    token()
                        .claim("sub", 0)
                        .claims_json()
                        .replace("\"sub\":0", "\"sub\":42.0"),
                ),
                invalid("sub"),
            )
            .ask(
                token().claim("sub", 9_007_199_254_740_992_u64),
                invalid("sub"),
            )
            .ask(token().claim("org", true), invalid("/org"))
            .ask(token().claim("jti", 1), invalid("jti")),
        vector(
            "numbers-as-text-conditions",
            "conditions see numbers",
            &[rule],
        )
        .policy(read().issuer("require", json!({ "/org": 10133 })))
        .ask(
            token().claim("org", 10133),
            principal(json!({ "tenant": "10133" })),
        )
        .ask(
            token().claim("org", "10133"),
            deny(Code::ClaimMismatch).naming("/org"),
        ),
        vector(
            "numbers-not-as-text",
            "without the word they are refused",
            &[rule],
        )
        .ask(token().claim("sub", 42), invalid("sub")),
    ]
}

fn refused() -> Vec<Draft> {
    let case = |id: &str, title: &str, source: Value, code: &str, place: &str| {
        vector(id, title, &["source.policy"])
            .policy(mapped(json!({ "roles": source })))
            .refused(&[(code, &format!("/issuers/0/claims/roles{place}"))])
    };
    vec![
        case(
            "source-both",
            "two ways at once",
            json!({ "claim": "/x", "as": "keys", "separator": "," }),
            "conflict",
            "/separator",
        ),
        case(
            "source-at",
            "`at` without JSON",
            json!({ "claim": "/x", "at": "/y" }),
            "conflict",
            "/at",
        ),
        case(
            "source-separator-long",
            "a separator of two characters",
            json!({ "claim": "/x", "separator": ", " }),
            "value_invalid",
            "/separator",
        ),
        case(
            "source-json-twice",
            "JSON in JSON",
            json!({ "claim": "/x", "as": "json", "at": { "claim": "/y", "as": "json" } }),
            "conflict",
            "/at",
        ),
        case(
            "source-as",
            "an unknown way",
            json!({ "claim": "/x", "as": "values" }),
            "value_invalid",
            "/as",
        ),
        vector(
            "source-one",
            "several texts where one is needed",
            &["source.policy"],
        )
        .policy(mapped(
            json!({ "subject": { "claim": "/x", "as": "keys" } }),
        ))
        .refused(&[("conflict", "/issuers/0/claims/subject")]),
        vector(
            "source-two-tenants",
            "`tenant` and `tenants`",
            &["source.policy"],
        )
        .policy(mapped(json!({ "tenant": "/x", "tenants": "/y" })))
        .refused(&[("conflict", "/issuers/0/claims/tenants")]),
    ]
}

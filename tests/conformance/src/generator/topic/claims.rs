//! The claims: strict JSON, and the types of the claims that the gate reads.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [texts(), strings(), dates(), mapped()].concat();
    topic(
        "claims",
        "The claims: strict JSON, and the types of what the gate reads",
        drafts,
    )
}

fn texts() -> Vec<Draft> {
    // Valid claims with a text inserted before the closing brace.
    let with = |more: &str| {
        let json = token().claims_json();
        token().claims_text(format!(
            "{}{more}}}",
            json.strip_suffix('}').expect("an object")
        ))
    };
    let bad = |id, title, class: &str, token: Token| {
        let draft = vector(id, title, &["claims.json"]).ask(token, Code::ClaimsInvalid);
        if class.is_empty() {
            draft
        } else {
            draft.attack(class)
        }
    };
    let nested = |depth: usize| {
        with(&format!(
            r#","x":{}{}"#,
            "[".repeat(depth - 1),
            "]".repeat(depth - 1)
        ))
    };
    let wide = |members: usize| {
        let more: String = (0..members - 7).map(|n| format!(",\"{n:x}\":0")).collect();
        with(&more)
    };
    let no_text = |id, title, rule, more: &str| {
        vector(id, title, &[rule, "claims.json"]).ask(with(more), Code::ClaimsInvalid)
    };
    vec![
        no_text(
            "claims-surrogate-pair",
            "the wrong half of a pair first",
            "claims.surrogates",
            r#","x":"\udc00\ud800""#,
        ),
        no_text(
            "claims-beyond-double",
            "a number beyond a double",
            "claims.numbers",
            ",\"x\":1e400",
        ),
        bad(
            "claims-duplicate-exp",
            "`exp` twice",
            "duplicate-members",
            with(&format!(r#","exp":{}"#, NOW_S + 9_000)),
        ),
        bad(
            "claims-duplicate-escaped",
            "`exp` twice, once by an escape",
            "duplicate-members",
            with(r#","e\u0078p":9999999999"#),
        ),
        bad(
            "claims-duplicate-own",
            "a claim of nobody's interest twice",
            "duplicate-members",
            with(r#","x":1,"x":1"#),
        ),
        bad(
            "claims-duplicate-deep",
            "a duplicate deep inside",
            "duplicate-members",
            with(r#","x":[{"a":1,"a":1}]"#),
        ),
        bad("claims-trailing-comma", "a trailing comma", "", with(",")),
        bad(
            "claims-trailing-junk",
            "something after the object",
            "",
            token().claims_text(format!("{}null", token().claims_json())),
        ),
        bad("claims-not-utf8", "a byte that is no UTF-8", "", {
            let json = token().claims_json();
            let cut = &json.as_bytes()[..json.len() - 1];
            token().claims_text([cut, b",\"x\":\"\xc3\x28\"}"].concat())
        }),
        bad(
            "claims-surrogate",
            "a lone surrogate",
            "",
            with(r#","x":"\udfff""#),
        ),
        bad(
            "claims-control",
            "a raw line feed in a string",
            "",
            with(",\"x\":\"\n\""),
        ),
        bad("claims-nan", "`NaN`", "", with(r#","x":NaN"#)),
        bad(
            "claims-hex",
            "a hexadecimal number",
            "",
            with(r#","x":0x10"#),
        ),
        bad(
            "claims-leading-zero",
            "a number with a leading zero",
            "",
            with(r#","x":01"#),
        ),
        bad("claims-truncated", "an object without its end", "", {
            let json = token().claims_json();
            token().claims_text(&json[..json.len() - 1])
        }),
        vector("claims-deepest", "16 levels", &["claims.json"]).ask(nested(16), allow()),
        bad("claims-too-deep", "17 levels", "json-bombs", nested(17)),
        bad(
            "claims-bomb",
            "five thousand levels",
            "json-bombs",
            nested(5_000),
        ),
        vector("claims-widest", "256 members", &["claims.json"]).ask(wide(256), allow()),
        bad("claims-too-wide", "257 members", "json-bombs", wide(257)),
        vector(
            "claims-unknown",
            "unknown claims of every type",
            &["claims.json"],
        )
        .ask(
            token().claims(
                json!({ "a": null, "b": [1, 1], "c": { "d": "\u{1F600}" }, "e": 1.5, "": "" }),
            ),
            allow(),
        ),
        vector("claims-white-space", "white space around", &["claims.json"]).ask(
            token().claims_text(format!(" \r\n\t{}\n", token().claims_json())),
            allow(),
        ),
        vector(
            "claims-large-numbers",
            "numbers that no double holds exactly",
            &["claims.json"],
        )
        .ask(
            with(r#","x":123456789012345678901234567890,"y":-0.0,"z":1E-400"#),
            allow(),
        ),
    ]
}

fn wrong(id: &str, title: &str, rule: &str, name: &str, value: Value) -> Draft {
    vector(id, title, &[rule, "decision.claim-named"])
        .attack("claim-type-confusion")
        .ask(
            token().claim(name, value),
            deny(Code::ClaimsInvalid).naming(name),
        )
}

fn strings() -> Vec<Draft> {
    let rule = "claims.strings";
    vec![
        wrong(
            "claims-sub-number",
            "`sub` is a number",
            rule,
            "sub",
            json!(4711),
        ),
        wrong(
            "claims-sub-null",
            "`sub` is `null`",
            rule,
            "sub",
            json!(null),
        ),
        wrong(
            "claims-sub-array",
            "`sub` is an array",
            rule,
            "sub",
            json!(["user-4711"]),
        ),
        wrong(
            "claims-jti-number",
            "`jti` is a number",
            rule,
            "jti",
            json!(1),
        ),
        wrong(
            "claims-jti-object",
            "`jti` is an object",
            rule,
            "jti",
            json!({}),
        ),
        vector("claims-sub-absent", "neither is needed", &[rule]).ask(
            token().without("sub").without("jti"),
            principal(json!({ "subject": null })),
        ),
    ]
}

fn dates() -> Vec<Draft> {
    let rule = "claims.numeric-date";
    let wrong = |id, title, name: &str, value: Value| wrong(id, title, rule, name, value);
    let spelled = |text: &str| {
        let exp = format!("\"exp\":{}", NOW_S + 600);
        token().claims_text(
            token()
                .claims_json()
                .replace(&exp, &format!("\"exp\":{text}")),
        )
    };
    let fine = |id, title, exp: &str| vector(id, title, &[rule]).ask(spelled(exp), allow());
    vec![
        wrong(
            "claims-exp-string",
            "`exp` is a string",
            "exp",
            json!((NOW_S + 600).to_string()),
        ),
        wrong("claims-exp-null", "`exp` is `null`", "exp", json!(null)),
        wrong("claims-exp-true", "`exp` is `true`", "exp", json!(true)),
        wrong(
            "claims-exp-array",
            "`exp` is an array",
            "exp",
            json!([NOW_S + 600]),
        ),
        wrong("claims-exp-huge", "`exp` is 10^30", "exp", json!(1e30)).attack("time-boundary"),
        wrong(
            "claims-exp-beyond",
            "`exp` is 2^53 + 2",
            "exp",
            json!(9_007_199_254_740_994_u64),
        )
        .attack("time-boundary"),
        wrong("claims-nbf-string", "`nbf` is a string", "nbf", json!("0")),
        wrong("claims-nbf-null", "`nbf` is `null`", "nbf", json!(null)),
        wrong(
            "claims-iat-string",
            "`iat` is a string",
            "iat",
            json!("2026-01-01T00:00:00Z"),
        ),
        wrong("claims-iat-below", "`iat` is -10^17", "iat", json!(-1e17)),
        vector("claims-exp-infinite", "`exp` is 10^999", &["claims.json"])
            .attack("time-boundary")
            .ask(spelled("1e999"), Code::ClaimsInvalid),
        fine("claims-exp-latest", "`exp` is 2^53", "9007199254740992"),
        fine(
            "claims-exp-float",
            "`exp` with a fraction of zero",
            &format!("{}.0", NOW_S + 600),
        ),
        fine(
            "claims-exp-scientific",
            "`exp` in scientific notation",
            "1.7672262E9",
        ),
        vector("claims-exp-fraction", "`exp` in half a second", &[rule])
            .attack("time-boundary")
            .at(499)
            .ask(spelled(&format!("{NOW_S}.5")), allow())
            .at(500)
            .ask(spelled(&format!("{NOW_S}.5")), Code::TokenExpired),
        vector(
            "claims-exp-finer",
            "less than a millisecond is cut off",
            &[rule],
        )
        .at(499)
        .ask(spelled(&format!("{NOW_S}.4999")), Code::TokenExpired)
        .at(498)
        .ask(spelled(&format!("{NOW_S}.4999")), allow()),
    ]
}

fn mapped() -> Vec<Draft> {
    let rule = "claims.mapped";
    let mapping = json!({ "subject": "/user/id", "tenant": "/tenant_id", "roles": ["/roles"], "scopes": ["/scope"] });
    let bad = |id, title, pointer: &str, claims: Value| {
        vector(id, title, &[rule, "decision.claim-named"])
            .attack("claim-type-confusion")
            .policy(policy().issuer("claims", mapping.clone()))
            .ask(
                token().claims(claims),
                deny(Code::ClaimsInvalid).naming(pointer),
            )
    };
    vec![
        bad("mapped-subject-number", "a subject that is a number", "/user/id", json!({ "user": { "id": 1 } })),
        bad("mapped-tenant-array", "a tenant that is an array", "/tenant_id", json!({ "tenant_id": ["acme"] })),
        bad("mapped-tenant-number", "a tenant that is a number", "/tenant_id", json!({ "tenant_id": 7 })),
        bad("mapped-roles-object", "roles that are an object", "/roles", json!({ "roles": { "admin": true } })),
        bad("mapped-roles-mixed", "roles of which one is no string", "/roles", json!({ "roles": ["admin", 1] })),
        bad("mapped-scopes-number", "scopes that are a number", "/scope", json!({ "scope": 1 })),
        bad("mapped-scopes-nested", "scopes in an array in an array", "/scope", json!({ "scope": [["api:read"]] })),
        vector("mapped-null", "`null` counts as absent", &[rule])
            .policy(policy().issuer("claims", mapping.clone()))
            .ask(
                token().claims(json!({ "user": { "id": null }, "tenant_id": null, "roles": null, "scope": null })),
                principal(json!({ "subject": null, "tenant": null, "roles": [], "scopes": [] })),
            ),
    ]
}

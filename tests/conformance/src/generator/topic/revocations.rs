//! Revoked tokens.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [listed(), remembered(), required(), sizes(), documents()].concat();
    topic("revocations", "Tokens that their issuer takes back", drafts)
}

fn revoking(required: bool) -> Policy {
    policy().issuer(
        "revocations",
        json!({ "uri": "https://auth.example.com/revoked.json", "refresh_s": 30, "required": required }),
    )
}

/// A vector with this revocation document loaded.
fn with(id: &str, title: &str, rule: &str, document: Value) -> Draft {
    vector(id, title, &[rule])
        .policy(revoking(false))
        .due(&["revocations"])
        .accept("revocations", ok(&document))
}

fn listed() -> Vec<Draft> {
    let before =
        |seconds: Value| json!({ "sub": [{ "sub": "user-4711", "issued_before": seconds }] });
    let jti = json!({ "jti": ["token-0815", "token-0816"] });
    vec![
        with("revoked-jti", "by `jti`", "revocation.jti", jti.clone()).ask(token(), Code::TokenRevoked),
        with("revoked-jti-other", "another `jti`", "revocation.jti", jti.clone())
            .ask(token().claim("jti", "token-0817"), allow())
            .ask(token().without("jti"), allow()),
        with("revoked-sub", "by subject, whenever issued", "revocation.sub", json!({ "sub": [{ "sub": "user-4711" }] }))
            .ask(token(), Code::TokenRevoked)
            .ask(token().claim("sub", "user-1"), allow()),
        with("revoked-sub-before", "by subject, issued before", "revocation.sub", before(json!(NOW_S - 9)))
            .ask(token(), Code::TokenRevoked),
        with("revoked-sub-at", "issued at that second", "revocation.sub", before(json!(NOW_S - 10)))
            .ask(token(), allow()),
        with("revoked-sub-fraction", "to the millisecond", "revocation.sub", before(json!((NOW_S - 10) as f64 + 0.5)))
            .ask(token(), Code::TokenRevoked)
            .ask(token().claim("iat", json!((NOW_S - 10) as f64 + 0.5)), allow()),
        with("revoked-sub-no-iat", "without `iat` nobody knows when", "revocation.sub", before(json!(NOW_S - 100_000)))
            .ask(token().without("iat"), Code::TokenRevoked),
        with("revoked-sub-twice", "listed twice, the later time counts", "revocation.sub", json!({ "sub": [
            { "sub": "user-4711", "issued_before": NOW_S }, { "sub": "user-4711", "issued_before": 0 },
        ] }))
        .ask(token(), Code::TokenRevoked),
        with("revoked-kid", "by key", "revocation.kid", json!({ "kid": [A.kid()] })).ask(token(), Code::TokenRevoked),
        with("revoked-kid-unnamed", "also where the token names no key", "revocation.kid", json!({ "kid": [A.kid()] }))
            .ask(token().without_header("kid"), Code::TokenRevoked),
        with("revoked-empty", "an empty document revokes nothing", "revocation.document", json!({}))
            .ask(token(), allow()),
    ]
}

fn remembered() -> Vec<Draft> {
    vec![
        vector(
            "revoked-remembered",
            "a token that was admitted before",
            &["revocation.remembered", "keys.rotation"],
        )
        .attack("cache-identity")
        .policy(revoking(false))
        .ask(token(), allow())
        .due(&["revocations"])
        .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
        .ask(token(), Code::TokenRevoked),
        vector(
            "revoked-and-back",
            "and admitted again once it is listed no more",
            &["revocation.remembered", "memory.denied"],
        )
        .policy(revoking(false))
        .due(&["revocations"])
        .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
        .ask(token(), Code::TokenRevoked)
        .at(30_000)
        .due(&["revocations"])
        .accept("revocations", ok(&json!({ "jti": [] })))
        .ask(token(), allow()),
    ]
}

fn required() -> Vec<Draft> {
    let long = || token().claim("exp", NOW_S + 9_000);
    vec![
        vector(
            "revocations-required",
            "required and never had",
            &["revocation.required", "decision.wait"],
        )
        .policy(revoking(true))
        .ask(token(), wait(&["revocations"]))
        .fail("revocations")
        .ask(
            token(),
            deny(Code::RevocationsUnavailable)
                .retry_after(Some(1))
                .without_challenge(),
        )
        .at(1_000)
        .ask(token(), wait(&["revocations"]))
        .accept("revocations", ok(&json!({})))
        .ask(token(), allow()),
        vector(
            "revocations-required-later",
            "required, and failing later",
            &["revocation.required", "revocation.failing"],
        )
        .policy(revoking(true))
        .due(&["revocations"])
        .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
        .at(30_000)
        .due(&["revocations"])
        .fail("revocations")
        .ask(token(), Code::TokenRevoked)
        .ask(token().claim("jti", "token-1"), allow())
        .at(500_000)
        .ask(token(), Code::TokenRevoked),
        vector(
            "revocations-not-required",
            "not required and never had",
            &["revocation.not-required"],
        )
        .policy(revoking(false))
        .ask(token(), allow())
        .due(&["revocations"])
        .fail("revocations")
        .ask(token(), allow()),
        stale("revocations-stale", "too old: as if never had")
            .at(599_999)
            .ask(long(), Code::TokenRevoked)
            .ask(long().claim("jti", "token-1"), allow())
            .at(600_000)
            .ask(long().claim("jti", "token-1"), wait(&["revocations"]))
            .fail("revocations")
            .ask(long().claim("jti", "token-1"), Code::RevocationsUnavailable)
            .ask(long(), Code::RevocationsUnavailable)
            .at(601_000)
            .due(&["revocations"])
            .accept("revocations", ok(&json!({})))
            .ask(long(), allow()),
        stale(
            "revocations-stale-clock-back",
            "a clock that is set back ages nothing",
        )
        .at(-7_200_000)
        .next_due(Some(0))
        .ask(token().claim("iat", NOW_S - 8_000), Code::TokenRevoked),
        vector(
            "revocations-refresh",
            "fetched again, whatever the response says",
            &["revocations.refresh"],
        )
        .policy(revoking(false))
        .due(&["revocations"])
        .accept("revocations", response(200, "max-age=86400", "{}"))
        .next_due(Some(30_000))
        .at(29_999)
        .next_due(Some(1))
        .due(&[])
        .at(30_000)
        .due(&["revocations"]),
    ]
}

/// A required document with a maximum age of ten minutes.
fn stale(id: &str, title: &str) -> Draft {
    vector(id, title, &["revocation.max-stale"])
        .policy(policy().issuer(
            "revocations",
            json!({ "uri": "https://auth.example.com/revoked.json", "required": true, "max_stale_s": 600 }),
        ))
        .due(&["revocations"])
        .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
}

/// A document with too many entries or too large an entry: the old document
/// stays.
fn sizes() -> Vec<Draft> {
    let draft = |id, title, limits: Value| {
        vector(id, title, &["revocation.size"])
            .policy(revoking(false).top("limits", limits))
            .due(&["revocations"])
            .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
    };
    let entries = |count: usize| json!({ "jti": vec!["x"; count] });
    vec![
        draft(
            "revocations-entries",
            "entries, counted over all lists",
            json!({ "revocation_entries": 3 }),
        )
        .refuse("revocations", ok(&entries(4)))
        .refuse(
            "revocations",
            ok(&json!({ "jti": ["a", "b"], "kid": ["c", "d"] })),
        )
        .ask(token(), Code::TokenRevoked)
        .accept("revocations", ok(&entries(3)))
        .ask(token(), allow()),
        draft(
            "revocations-bytes",
            "bytes",
            json!({ "revocation_bytes": 100 }),
        )
        .refuse(
            "revocations",
            response(200, "", format!("{{}}{}", " ".repeat(99))),
        )
        .ask(token(), Code::TokenRevoked)
        .accept(
            "revocations",
            response(200, "", format!("{{}}{}", " ".repeat(98))),
        )
        .ask(token(), allow()),
        draft(
            "revocations-entry-bytes",
            "one entry of more than 16,384 bytes",
            json!({}),
        )
        .refuse("revocations", ok(&json!({ "jti": ["x".repeat(16_383)] })))
        .ask(token(), Code::TokenRevoked)
        .accept("revocations", ok(&json!({ "jti": ["x".repeat(16_382)] })))
        .ask(token(), allow()),
        draft(
            "revocations-large",
            "a list that is read in many slices",
            json!({}),
        )
        .accept(
            "revocations",
            ok(&json!({
                "jti": (0..9_000).map(|n| format!("token-{n}")).collect::<Vec<_>>(),
                "sub": [{ "sub": "user-1" }],
            })),
        )
        .ask(token().claim("jti", "token-0"), Code::TokenRevoked)
        .ask(token().claim("jti", "token-8999"), Code::TokenRevoked)
        .ask(token().claim("jti", "token-9000"), allow())
        .ask(
            token().claim("jti", "x").claim("sub", "user-1"),
            Code::TokenRevoked,
        ),
    ]
}

fn documents() -> Vec<Draft> {
    let refused = |id, title, body: &str| {
        vector(id, title, &["revocation.document"])
            .policy(revoking(false))
            .due(&["revocations"])
            .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
            .refuse("revocations", response(200, "", body))
            .ask(token(), Code::TokenRevoked)
    };
    vec![
        refused("revocations-not-json", "no JSON", "<html>"),
        refused("revocations-array", "an array", r#"["token-1"]"#),
        refused(
            "revocations-unknown-member",
            "a member that nobody knows",
            r#"{"jti":[],"iss":["x"]}"#,
        ),
        refused(
            "revocations-unknown-empty",
            "even an empty one",
            r#"{"jti":[],"iss":[]}"#,
        ),
        refused(
            "revocations-duplicate",
            "a member twice",
            r#"{"jti":["a"],"jti":[]}"#,
        ),
        refused(
            "revocations-jti-number",
            "a `jti` that is no string",
            r#"{"jti":[1]}"#,
        ),
        refused(
            "revocations-jti-string",
            "`jti` that is no array",
            r#"{"jti":"token-1"}"#,
        ),
        refused(
            "revocations-sub-string",
            "a `sub` that is no object",
            r#"{"sub":["user-4711"]}"#,
        ),
        refused(
            "revocations-sub-time",
            "a time that is a string",
            r#"{"sub":[{"sub":"x","issued_before":"2026"}]}"#,
        ),
        refused(
            "revocations-sub-member",
            "a member of `sub` that nobody knows",
            r#"{"sub":[{"sub":"x","before":1}]}"#,
        ),
        refused(
            "revocations-sub-nobody",
            "a `sub` without one",
            r#"{"sub":[{"issued_before":1}]}"#,
        ),
    ]
}

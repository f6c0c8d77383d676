//! Token types: a token has exactly one, and satisfies its requirements.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [
        claim(),
        header_typ(),
        never(),
        lifetime(),
        scopes(),
        required(),
    ]
    .concat();
    topic(
        "types",
        "Token types: a token is exactly one of them, and what it then has to be",
        drafts,
    )
}

/// The three token types of a node, by the claim `typ`.
fn nodes() -> Policy {
    policy().issuer(
        "token_types",
        json!([
            { "name": "pat", "claim": { "typ": "pat" }, "max_lifetime_s": 1800,
              "required_claims": ["tenant_id", "roles", "scopes"] },
            { "name": "njt", "claim": { "typ": "njt" }, "max_lifetime_s": 600, "scopes_within": ["node:join"] },
            { "name": "nat", "claim": { "typ": "nat" }, "max_lifetime_s": 1800, "scopes_within": ["node:*"] },
        ]),
    )
}

fn pat() -> Token {
    token().claims(
        json!({ "typ": "pat", "tenant_id": "acme", "roles": ["admin"], "scopes": ["api:read"] }),
    )
}

fn nat() -> Token {
    token().claims(json!({ "typ": "nat", "scopes": ["node:ingest"] }))
}

fn njt() -> Token {
    token().claims(json!({ "typ": "njt", "scopes": ["node:join"], "exp": NOW_S + 300 }))
}

fn is_a(name: &str) -> crate::vector::Expect {
    principal(json!({ "token_type": name }))
}

fn claim() -> Vec<Draft> {
    let none = |id, title, token: Token| {
        vector(id, title, &["type.exactly-one", "type.claim"])
            .attack("typ-cross-jwt")
            .policy(nodes())
            .ask(token, Code::TypeMismatch)
    };
    vec![
        vector(
            "type-each",
            "one of each",
            &["type.exactly-one", "type.claim"],
        )
        .policy(nodes())
        .ask(pat(), is_a("pat"))
        .ask(nat(), is_a("nat"))
        .ask(njt(), is_a("njt")),
        none(
            "type-other",
            "of another type",
            pat().claim("typ", "refresh"),
        ),
        none("type-absent", "without a type", pat().without("typ")),
        none("type-case", "in another case", pat().claim("typ", "PAT")),
        none(
            "type-array",
            "in an array",
            pat().claim("typ", json!(["pat"])),
        ),
        vector("type-two", "of two types at once", &["type.exactly-one"])
            .attack("typ-cross-jwt")
            .policy(policy().issuer(
                "token_types",
                json!([
                    { "name": "a", "claim": { "a": true } },
                    { "name": "b", "claim": { "b": true } },
                ]),
            ))
            .ask(
                token().claims(json!({ "a": true, "b": true })),
                Code::TypeMismatch,
            )
            .ask(token().claim("a", true), is_a("a")),
        vector("type-all-claims", "all of a type's claims", &["type.claim"])
            .policy(policy().issuer(
                "token_types",
                json!([
                    { "name": "a", "claim": { "typ": "x", "/app/kind": "a" } },
                ]),
            ))
            .ask(
                token().claims(json!({ "typ": "x", "app": { "kind": "a" } })),
                is_a("a"),
            )
            .ask(
                token().claims(json!({ "typ": "x", "app": { "kind": "b" } })),
                Code::TypeMismatch,
            )
            .ask(token().claim("typ", "x"), Code::TypeMismatch),
        vector(
            "type-none-listed",
            "an issuer without types takes any token",
            &["type.exactly-one"],
        )
        .ask(
            token().claim("typ", "whatever").header("typ", "whatever"),
            principal(json!({ "token_type": null })),
        ),
    ]
}

fn header_typ() -> Vec<Draft> {
    let access = || {
        policy().issuer(
            "token_types",
            json!([{ "name": "access", "header_typ": ["at+jwt"] }]),
        )
    };
    let fine = |id, title, typ: &str| {
        vector(id, title, &["type.header-typ"])
            .policy(access())
            .ask(token().header("typ", typ), is_a("access"))
    };
    let bad = |id, title, token: Token| {
        vector(id, title, &["type.header-typ"])
            .attack("typ-cross-jwt")
            .policy(access())
            .ask(token, Code::TypeMismatch)
    };
    vec![
        fine("typ-plain", "`at+jwt`", "at+jwt"),
        fine("typ-case", "`at+JWT`, as RFC 9068 writes it", "at+JWT"),
        fine(
            "typ-media-type",
            "`application/at+jwt`",
            "application/at+jwt",
        ),
        fine(
            "typ-media-type-case",
            "`Application/AT+JWT`",
            "Application/AT+JWT",
        ),
        bad(
            "typ-id-token",
            "`JWT`: an ID token",
            token().header("typ", "JWT"),
        ),
        bad("typ-absent", "no `typ`", token()),
        bad("typ-empty", "an empty `typ`", token().header("typ", "")),
        bad(
            "typ-logout",
            "`logout+jwt`",
            token().header("typ", "logout+jwt"),
        ),
        bad(
            "typ-parameters",
            "a media type with parameters",
            token().header("typ", "at+jwt; charset=utf-8"),
        ),
        bad(
            "typ-twice",
            "`application/` twice",
            token().header("typ", "application/application/at+jwt"),
        ),
        bad(
            "typ-claim-only",
            "the type as a claim",
            token().claim("typ", "at+jwt"),
        ),
        vector("typ-one-of-several", "any of several", &["type.header-typ"])
            .policy(policy().issuer(
                "token_types",
                json!([{ "name": "access", "header_typ": ["at+jwt", "application/JWT"] }]),
            ))
            .ask(token().header("typ", "jwt"), is_a("access")),
    ]
}

fn lifetime() -> Vec<Draft> {
    let mismatch = || deny(Code::ClaimMismatch).naming("exp");
    vec![
        vector(
            "type-lifetime-exact",
            "exactly the largest lifetime",
            &["type.max-lifetime"],
        )
        .policy(nodes())
        .ask(
            njt().claims(json!({ "iat": NOW_S, "exp": NOW_S + 600 })),
            is_a("njt"),
        ),
        vector(
            "type-lifetime-longer",
            "a second more",
            &["type.max-lifetime"],
        )
        .policy(nodes())
        .ask(
            njt().claims(json!({ "iat": NOW_S, "exp": NOW_S + 601 })),
            mismatch(),
        ),
        vector(
            "type-lifetime-no-leeway",
            "the leeway does not stretch it",
            &["type.max-lifetime"],
        )
        .policy(nodes().top("leeway_s", 60))
        .ask(
            njt().claims(json!({ "iat": NOW_S, "exp": NOW_S + 601 })),
            mismatch(),
        ),
        vector(
            "type-lifetime-no-iat",
            "no `iat` to tell it",
            &["type.max-lifetime"],
        )
        .policy(nodes())
        .ask(njt().without("iat"), deny(Code::ClaimMissing).naming("iat")),
        vector(
            "type-lifetime-no-exp",
            "no `exp` to tell it",
            &["type.max-lifetime"],
        )
        .policy(nodes().issuer("exp_required", false))
        .ask(njt().without("exp"), deny(Code::ClaimMissing).naming("exp")),
    ]
}

fn scopes() -> Vec<Draft> {
    let with = |token: Token, scopes: Value| token.claim("scopes", scopes);
    let mismatch = |id, title, token: Token| {
        vector(id, title, &["type.scopes-within"])
            .policy(nodes())
            .ask(token, Code::ClaimMismatch)
    };
    let fine = |id, title, token: Token| {
        vector(id, title, &["type.scopes-within"])
            .policy(nodes())
            .ask(token, allow())
    };
    vec![
        fine("type-scopes-exact", "the one scope", njt()),
        fine(
            "type-scopes-none",
            "no scope at all",
            njt().without("scopes"),
        ),
        fine(
            "type-scopes-wildcard",
            "below the wildcard",
            with(nat(), json!(["node:ingest", "node:x:y"])),
        ),
        mismatch(
            "type-scopes-other",
            "another scope",
            with(njt(), json!(["node:ingest"])),
        ),
        mismatch(
            "type-scopes-more",
            "one more scope",
            with(njt(), json!(["node:join", "api:read"])),
        ),
        mismatch(
            "type-scopes-prefix",
            "a scope that only starts alike",
            with(nat(), json!(["nodes:ingest"])),
        ),
        mismatch(
            "type-scopes-bare",
            "the wildcard without anything behind",
            with(nat(), json!(["node:"])),
        ),
        mismatch(
            "type-scopes-elsewhere",
            "in another claim that counts",
            njt().claim("scope", "api:write"),
        ),
        mismatch("type-scopes-star", "`*` itself", with(nat(), json!(["*"]))),
    ]
}

fn required() -> Vec<Draft> {
    let missing = |id, title, name: &str, token: Token| {
        vector(id, title, &["type.required-claims", "decision.claim-named"])
            .policy(nodes())
            .ask(token, deny(Code::ClaimMissing).naming(name))
    };
    vec![
        missing(
            "type-required-first",
            "the first is absent",
            "tenant_id",
            pat().without("tenant_id"),
        ),
        missing(
            "type-required-last",
            "the last is absent",
            "scopes",
            pat().without("scopes"),
        ),
        missing(
            "type-required-null",
            "one is `null`",
            "roles",
            pat().claim("roles", json!(null)),
        ),
        vector(
            "type-required-pointer",
            "a claim inside of another",
            &["type.required-claims"],
        )
        .policy(policy().issuer(
            "token_types",
            json!([
                { "name": "a", "claim": { "typ": "a" }, "required_claims": ["/act/sub"] },
            ]),
        ))
        .ask(
            token().claims(json!({ "typ": "a", "act": { "sub": "x" } })),
            allow(),
        )
        .ask(
            token().claims(json!({ "typ": "a", "act": {} })),
            deny(Code::ClaimMissing).naming("/act/sub"),
        ),
        vector(
            "type-required-empty",
            "an empty value is a value",
            &["type.required-claims"],
        )
        .policy(nodes())
        .ask(
            pat().claims(json!({ "tenant_id": "", "roles": [] })),
            is_a("pat"),
        ),
    ]
}

/// JWTs that say something else than who may do what.
fn never() -> Vec<Draft> {
    let typs = [
        "dpop+jwt",
        "token-introspection+jwt",
        "logout+jwt",
        "secevent+jwt",
        "application/logout+jwt",
        "Application/SecEvent+JWT",
        "DPoP+JWT",
    ];
    let all = || typs.map(|typ| token().header("typ", typ));
    vec![
        vector(
            "type-never",
            "a proof, an answer or an event is no access token",
            &["type.never"],
        )
        .attack("typ-cross-jwt")
        .ask_all(all(), deny(Code::TypeMismatch).naming_none())
        .ask_all(
            [
                "JWT",
                "at+jwt",
                "application/at+jwt",
                "jwt+dpop",
                "xlogout+jwt",
            ]
            .map(|typ| token().header("typ", typ)),
            allow(),
        ),
        vector(
            "type-never-typed",
            "also where a type of the issuer names it",
            &["type.never", "type.header-typ"],
        )
        .attack("typ-cross-jwt")
        .policy(policy().issuer(
            "token_types",
            json!([{ "name": "out", "header_typ": ["logout+jwt", "at+jwt"] }]),
        ))
        .ask(token().header("typ", "logout+jwt"), Code::TypeMismatch)
        .ask(
            token().header("typ", "at+jwt"),
            principal(json!({ "token_type": "out" })),
        ),
        vector(
            "order-never-age",
            "a logout token that is too old",
            &["type.never", "order.age"],
        )
        .policy(policy().issuer("max_token_age_s", 5))
        .ask(token().header("typ", "logout+jwt"), Code::TokenTooOld),
        vector(
            "order-never-required",
            "a logout token without a claim that the issuer requires",
            &["type.never", "order.type"],
        )
        .policy(policy().issuer("require", json!({ "/x": 1 })))
        .ask(token().header("typ", "logout+jwt"), Code::TypeMismatch),
    ]
}

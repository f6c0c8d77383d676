//! Two faults at once, in the claims: the earlier check gives the code.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [claims(), types()].concat();
    topic(
        "order-claims",
        "Two things wrong at once, in the claims: the earlier check gives the code",
        drafts,
    )
}

fn claims() -> Vec<Draft> {
    let invalid = |claim: &str| deny(Code::ClaimsInvalid).naming(claim);
    let early = |claim: &str| deny(Code::TokenNotYetValid).naming(claim);
    let typed = || {
        policy().issuer(
            "token_types",
            json!([{ "name": "a", "claim": { "typ": "a" } }]),
        )
    };
    let twice = format!(r#"{{"iss":"{ISS}","exp":"soon","sub":1,"sub":1}}"#);
    vec![
        vector(
            "order-claims-types",
            "not strict, and an `exp` of the wrong type",
            &["order.claims"],
        )
        .ask(
            token().claims_text(twice),
            deny(Code::ClaimsInvalid).naming_none(),
        ),
        vector(
            "order-types-audience",
            "an `exp` of the wrong type, and another audience",
            &["order.claim-types"],
        )
        .ask(
            token().claim("exp", "soon").claim("aud", "x"),
            invalid("exp"),
        ),
        vector(
            "order-mapped-audience",
            "roles of the wrong type, and another audience",
            &["order.claim-types"],
        )
        .policy(policy().issuer("claims", json!({ "roles": ["/roles"] })))
        .ask(
            token().claim("roles", 1).claim("aud", "x"),
            invalid("/roles"),
        ),
        vector(
            "order-registered-mapped",
            "`exp` and roles of the wrong type",
            &["order.claim-types"],
        )
        .policy(policy().issuer("claims", json!({ "roles": ["/roles"] })))
        .ask(token().claim("roles", 1).claim("exp", "x"), invalid("exp")),
        vector(
            "order-audience-expiry",
            "another audience, and expired",
            &["order.audience"],
        )
        .ask(
            token().claim("aud", "x").claim("exp", 0),
            Code::AudienceMismatch,
        ),
        vector(
            "order-audience-exp-missing",
            "another audience, and no `exp`",
            &["order.audience"],
        )
        .ask(
            token().claim("aud", "x").without("exp"),
            Code::AudienceMismatch,
        ),
        vector(
            "order-expiry-start",
            "expired, and too early",
            &["order.expiry"],
        )
        .ask(
            token().claim("exp", NOW_S).claim("nbf", NOW_S + 5),
            Code::TokenExpired,
        ),
        vector(
            "order-exp-missing-start",
            "no `exp`, and too early",
            &["order.expiry"],
        )
        .ask(
            token().without("exp").claim("nbf", NOW_S + 5),
            deny(Code::ClaimMissing).naming("exp"),
        ),
        vector(
            "order-nbf-iat",
            "`nbf` and `iat` in the future",
            &["order.not-before"],
        )
        .ask(
            token().claim("nbf", NOW_S + 5).claim("iat", NOW_S + 5),
            early("nbf"),
        ),
        vector(
            "order-nbf-age",
            "`nbf` in the future, and too old",
            &["order.not-before"],
        )
        .policy(policy().issuer("max_token_age_s", 5))
        .ask(token().claim("nbf", NOW_S + 5), early("nbf")),
        vector(
            "order-iat-type",
            "`iat` in the future, and of no type",
            &["order.issued-at"],
        )
        .policy(typed())
        .ask(token().claim("iat", NOW_S + 5), early("iat")),
        vector("order-age-type", "too old, and of no type", &["order.age"])
            .policy(typed().issuer("max_token_age_s", 5))
            .ask(token(), Code::TokenTooOld),
        vector(
            "order-age-missing-type",
            "no `iat`, and of no type",
            &["order.age"],
        )
        .policy(typed().issuer("max_token_age_s", 5))
        .ask(
            token().without("iat"),
            deny(Code::ClaimMissing).naming("iat"),
        ),
    ]
}

fn types() -> Vec<Draft> {
    let strict = || {
        policy()
            .issuer(
                "token_types",
                json!([{
                    "name": "a", "claim": { "typ": "a" }, "max_lifetime_s": 60,
                    "scopes_within": ["a:*"], "required_claims": ["/must"],
                }]),
            )
            .issuer("claims", json!({ "scopes": ["/scope"] }))
            .issuer("require", json!({ "/hd": { "equals": "example.com" } }))
            .issuer(
                "revocations",
                json!({ "uri": "https://auth.example.com/revoked.json" }),
            )
    };
    let mismatch = |claim: &str| deny(Code::ClaimMismatch).naming(claim);
    let wrong = || token().claims(json!({ "typ": "a", "scope": "b" }));
    let short = || wrong().claim("exp", NOW_S + 30);
    let fine = || short().claims(json!({ "scope": "a:b", "must": 1 }));
    vec![
        vector(
            "order-type-rules",
            "of no type, and without what the issuer requires",
            &["order.type"],
        )
        .policy(strict())
        .ask(token(), Code::TypeMismatch),
        vector(
            "order-lifetime-scopes",
            "too long a life, and other scopes",
            &["order.type-rules"],
        )
        .policy(strict())
        .ask(wrong(), mismatch("exp")),
        vector(
            "order-scopes-required",
            "other scopes, and a claim of the type absent",
            &["order.type-rules"],
        )
        .policy(strict())
        .ask(short(), mismatch("/scope")),
        vector(
            "order-required-issuer",
            "a claim of the type absent, and one of the issuer's",
            &["order.type-rules"],
        )
        .policy(strict())
        .ask(
            short().claim("scope", "a:b"),
            deny(Code::ClaimMissing).naming("/must"),
        ),
        vector(
            "order-required-revoked",
            "another value than the issuer requires, and revoked",
            &["order.required"],
        )
        .policy(strict())
        .due(&["revocations"])
        .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
        .ask(fine().claim("hd", "example.org"), mismatch("/hd"))
        .ask(fine(), deny(Code::ClaimMissing).naming("/hd"))
        .ask(fine().claim("hd", "example.com"), Code::TokenRevoked),
        vector(
            "order-revoked-rule",
            "revoked, and without the rule's role",
            &["order.revocation", "order.token-before-rule"],
        )
        .policy(strict().requires(json!({ "roles": ["admin"] })))
        .due(&["revocations"])
        .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
        .ask(fine().claim("hd", "example.com"), Code::TokenRevoked),
        vector(
            "order-revocations-rule",
            "revocations never had, and without the rule's role",
            &["order.revocation"],
        )
        .policy(
            policy()
                .issuer(
                    "revocations",
                    json!({ "uri": "https://auth.example.com/revoked.json", "required": true }),
                )
                .requires(json!({ "roles": ["admin"] })),
        )
        .ask(token(), wait(&["revocations"])),
    ]
}

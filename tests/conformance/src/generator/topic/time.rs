//! The times at which a token is valid.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [exp(), nbf(), iat(), age(), leeway()].concat();
    topic("time", "When a token is good", drafts)
}

fn leeway_of(seconds: u32) -> Policy {
    policy().top("leeway_s", seconds)
}

fn exp() -> Vec<Draft> {
    let expired = || deny(Code::TokenExpired).naming("exp");
    let boundary = |id, title, exp: i64| {
        vector(id, title, &["time.exp"])
            .attack("time-boundary")
            .ask(token().claim("exp", exp), expired())
    };
    let optional = || policy().issuer("exp_required", false);
    vec![
        boundary("time-exp-now", "`exp` is now", NOW_S),
        boundary("time-exp-past", "`exp` was a second ago", NOW_S - 1),
        boundary("time-exp-zero", "`exp` is 0", 0),
        boundary("time-exp-negative", "`exp` is below 0", -1),
        vector(
            "time-exp-last-moment",
            "a millisecond before `exp`",
            &["time.exp"],
        )
        .at(-1)
        .ask(token().claim("exp", NOW_S), allow())
        .at(0)
        .ask(token().claim("exp", NOW_S), expired()),
        vector(
            "time-exp-leeway",
            "within the leeway, and at its end",
            &["time.exp"],
        )
        .policy(leeway_of(60))
        .at(59_999)
        .ask(token().claim("exp", NOW_S), allow())
        .at(60_000)
        .ask(token().claim("exp", NOW_S), expired()),
        vector("time-exp-absent", "no `exp`", &["time.exp-missing"])
            .attack("claim-type-confusion")
            .ask(
                token().without("exp"),
                deny(Code::ClaimMissing).naming("exp"),
            ),
        vector(
            "time-exp-absent-allowed",
            "no `exp`, where the issuer need not have it",
            &["time.exp-missing"],
        )
        .policy(optional())
        .ask(
            token().without("exp"),
            principal(json!({ "expires_at_ms": null })),
        ),
        vector(
            "time-exp-optional-past",
            "an `exp` that need not be there still counts",
            &["time.exp-missing", "time.exp"],
        )
        .policy(optional())
        .ask(token().claim("exp", NOW_S), expired()),
    ]
}

fn nbf() -> Vec<Draft> {
    let early = || deny(Code::TokenNotYetValid).naming("nbf");
    vec![
        vector("time-nbf-now", "`nbf` is now", &["time.nbf"])
            .ask(token().claim("nbf", NOW_S), allow()),
        vector(
            "time-nbf-before",
            "a millisecond before `nbf`",
            &["time.nbf"],
        )
        .at(-1)
        .ask(token().claim("nbf", NOW_S), early()),
        vector("time-nbf-future", "`nbf` in a second", &["time.nbf"])
            .ask(token().claim("nbf", NOW_S + 1), early()),
        vector(
            "time-nbf-leeway",
            "at the start of the leeway, and before",
            &["time.nbf"],
        )
        .policy(leeway_of(60))
        .at(-60_000)
        .ask(
            token().claims(json!({ "nbf": NOW_S, "iat": NOW_S - 100 })),
            allow(),
        )
        .at(-60_001)
        .ask(
            token().claims(json!({ "nbf": NOW_S, "iat": NOW_S - 100 })),
            early(),
        ),
        vector("time-nbf-zero", "`nbf` is 0", &["time.nbf"]).ask(token().claim("nbf", 0), allow()),
    ]
}

fn iat() -> Vec<Draft> {
    let future = || deny(Code::TokenNotYetValid).naming("iat");
    vec![
        vector("time-iat-now", "`iat` is now", &["time.iat"])
            .ask(token().claim("iat", NOW_S), allow()),
        vector("time-iat-future", "`iat` in a second", &["time.iat"])
            .ask(token().claim("iat", NOW_S + 1), future()),
        vector(
            "time-iat-leeway",
            "at the end of the leeway, and after",
            &["time.iat"],
        )
        .policy(leeway_of(60))
        .ask(token().claim("iat", NOW_S + 60), allow())
        .ask(token().claim("iat", NOW_S + 61), future()),
        vector("time-iat-absent", "no `iat`", &["time.iat"]).ask(token().without("iat"), allow()),
        vector(
            "time-iat-old",
            "an old `iat`, where the issuer sets no age",
            &["time.max-age"],
        )
        .ask(token().claim("iat", 0), allow()),
    ]
}

fn age() -> Vec<Draft> {
    let aged = |leeway| leeway_of(leeway).issuer("max_token_age_s", 3_600);
    let old = || deny(Code::TokenTooOld).naming("iat");
    vec![
        vector(
            "time-age-exact",
            "exactly the largest age, and a millisecond more",
            &["time.max-age"],
        )
        .policy(aged(0))
        .ask(token().claim("iat", NOW_S - 3_600), allow())
        .at(1)
        .ask(token().claim("iat", NOW_S - 3_600), old()),
        vector("time-age-leeway", "the leeway is added", &["time.max-age"])
            .policy(aged(60))
            .ask(token().claim("iat", NOW_S - 3_660), allow())
            .ask(token().claim("iat", NOW_S - 3_661), old()),
        vector(
            "time-age-absent",
            "no `iat` to tell the age",
            &["time.max-age"],
        )
        .policy(aged(0))
        .ask(
            token().without("iat"),
            deny(Code::ClaimMissing).naming("iat"),
        ),
    ]
}

fn leeway() -> Vec<Draft> {
    let default = || policy().without("leeway_s");
    vec![
        vector(
            "time-leeway-issuer",
            "an issuer's own leeway",
            &["time.leeway-issuer"],
        )
        .policy(
            leeway_of(0)
                .issuer("leeway_s", 60)
                .and_issuer("partner", "https://partner.example", &B)
                .issuer_at(1, "leeway_s", 0)
                .requires(json!({ "max_token_age_s": 100 })),
        )
        .ask(token().claim("exp", NOW_S - 59), allow())
        .ask(token().claim("exp", NOW_S - 60), Code::TokenExpired)
        .ask(token().claim("iat", NOW_S - 160), allow())
        .ask(token().claim("iat", NOW_S - 161), Code::TokenTooOld)
        .ask(
            token()
                .claim("iss", "https://partner.example")
                .key(&B)
                .claim("exp", NOW_S),
            Code::TokenExpired,
        ),
        vector(
            "time-leeway-default",
            "30 s, where the policy says nothing",
            &["time.leeway"],
        )
        .policy(default())
        .at(29_999)
        .ask(token().claim("exp", NOW_S), allow())
        .at(30_000)
        .ask(token().claim("exp", NOW_S), Code::TokenExpired),
        vector(
            "time-leeway-default-nbf",
            "the same for `nbf`",
            &["time.leeway"],
        )
        .policy(default())
        .ask(token().claim("nbf", NOW_S + 30), allow())
        .ask(token().claim("nbf", NOW_S + 31), Code::TokenNotYetValid),
    ]
}

//! Remembered tokens: their decisions equal those of new ones. (Every vector of
//! every topic also runs with each request repeated, and with the memory
//! switched off.)

use super::{form::raw, prelude::*};

pub(super) fn vectors() -> Topic {
    let drafts = [same(), time(), rules(), identity(), denied()].concat();
    topic(
        "memory",
        "Remembered tokens: never told from fresh ones",
        drafts,
    )
}

fn same() -> Vec<Draft> {
    let full = json!({ "subject": "user-4711", "scopes": ["a"], "claims": token().claim("scope", "a").claims_json() });
    vec![
        vector(
            "memory-same",
            "the same answer again and again",
            &["memory.same"],
        )
        .ask(token().claim("scope", "a"), principal(full.clone()))
        .ask(token().claim("scope", "a"), principal(full.clone()))
        .at(1_000)
        .ask(token().claim("scope", "a"), principal(full)),
        vector("memory-off", "switched off by the policy", &["memory.same"])
            .policy(policy().top("remember", false))
            .ask(token(), allow())
            .ask(token(), allow()),
        vector("memory-one", "with room for one token", &["memory.same"])
            .policy(policy().top("limits", json!({ "remembered_tokens": 1 })))
            .ask(token(), allow())
            .ask(
                token().claim("sub", "user-2"),
                principal(json!({ "subject": "user-2" })),
            )
            .ask(token(), principal(json!({ "subject": "user-4711" }))),
    ]
}

fn time() -> Vec<Draft> {
    let with = |claims: Value| token().claims(claims);
    vec![
        vector("memory-expires", "it expires", &["memory.time", "time.exp"])
            .ask(token(), allow())
            .at(599_999)
            .ask(token(), allow())
            .at(600_000)
            .ask(token(), Code::TokenExpired),
        vector(
            "memory-clock-back",
            "the clock goes back before `nbf`",
            &["memory.time", "time.nbf"],
        )
        .ask(with(json!({ "nbf": NOW_S })), allow())
        .at(-1)
        .ask(
            with(json!({ "nbf": NOW_S })),
            deny(Code::TokenNotYetValid).naming("nbf"),
        )
        .at(0)
        .ask(with(json!({ "nbf": NOW_S })), allow()),
        vector(
            "memory-clock-back-iat",
            "or before `iat`",
            &["memory.time", "time.iat"],
        )
        .ask(token(), allow())
        .at(-10_001)
        .ask(token(), deny(Code::TokenNotYetValid).naming("iat")),
        vector(
            "memory-clock-back-exp",
            "expired, and the clock goes back",
            &["memory.time", "time.exp"],
        )
        .ask(token(), allow())
        .at(700_000)
        .ask(token(), Code::TokenExpired)
        .at(0)
        .ask(token(), allow()),
        vector(
            "memory-age",
            "it grows too old",
            &["memory.time", "time.max-age"],
        )
        .policy(policy().issuer("max_token_age_s", 60))
        .ask(token(), allow())
        .at(50_001)
        .ask(token(), Code::TokenTooOld),
    ]
}

fn rules() -> Vec<Draft> {
    let scoped = || {
        policy().rules(json!([
            { "path": "/read", "require": { "scopes": ["read"] } },
            { "path": "/write", "require": { "scopes": ["write"] } },
        ]))
    };
    let reader = || token().claim("scope", "read");
    let tenants = || {
        policy()
            .issuer("claims", json!({ "tenant": "/tenant" }))
            .rules(json!([{ "path": "/orgs/{org}", "require": { "tenant": "{org}" } }]))
    };
    let acme = || token().claim("tenant", "acme");
    let marked = || {
        policy().top(
            "credentials",
            json!([{ "cookie": "session", "same_origin": true }]),
        )
    };
    let cookie = |method: &str| {
        request(method, "/").header("cookie", format!("session={}", token().compact()))
    };
    vec![
        vector(
            "memory-scopes",
            "another path asks for another scope",
            &["memory.rules"],
        )
        .policy(scoped())
        .ask(get("/read").bearer(&reader()), allow())
        .ask(get("/write").bearer(&reader()), Code::ScopeInsufficient)
        .ask(get("/read").bearer(&reader()), allow()),
        vector(
            "memory-tenants",
            "another path binds another tenant",
            &["memory.rules", "rule.tenant-segment"],
        )
        .policy(tenants())
        .ask(get("/orgs/acme").bearer(&acme()), allow())
        .ask(get("/orgs/other").bearer(&acme()), Code::TenantDenied),
        vector(
            "memory-origin",
            "another origin",
            &["memory.rules", "rule.origin"],
        )
        .policy(marked())
        .ask(cookie("GET"), allow())
        .ask(
            cookie("POST").header("sec-fetch-site", "cross-site"),
            Code::OriginDenied,
        )
        .ask(
            cookie("POST").header("sec-fetch-site", "same-origin"),
            allow(),
        ),
        vector("memory-no-rule", "no rule", &["memory.rules"])
            .policy(scoped())
            .ask(get("/read").bearer(&reader()), allow())
            .ask(get("/other").bearer(&reader()), Code::RuleDenied),
        vector(
            "memory-alone",
            "a request, then the token alone with a requirement",
            &["memory.rules", "token-only.requirement"],
        )
        .ask(reader(), allow())
        .token(
            reader().compact(),
            Some(json!({ "scopes": ["write"] })),
            Code::ScopeInsufficient,
        )
        .token(
            reader().compact(),
            Some(json!({ "scopes": ["read"] })),
            allow(),
        ),
    ]
}

fn identity() -> Vec<Draft> {
    let good = token().compact();
    let (input, signature) = good.rsplit_once('.').expect("dots");
    let (header, claims) = input.split_once('.').expect("a dot");
    let after = |id, title, other: String, code: Code| {
        vector(id, title, &["memory.identity"])
            .attack("cache-identity")
            .ask(raw(&good), allow())
            .ask(raw(other), code)
            .ask(raw(&good), allow())
    };
    let swapped = token().claim("sub", "root").signing_input();
    vec![
        after(
            "memory-signature",
            "another signature",
            format!("{input}.{}", encode([1; 256])),
            Code::SignatureInvalid,
        ),
        after(
            "memory-claims",
            "other claims with the same signature",
            format!("{swapped}.{signature}"),
            Code::SignatureInvalid,
        ),
        after(
            "memory-header",
            "another header with the same signature",
            format!(
                "{}.{claims}.{signature}",
                encode(json!({ "kid": A.kid(), "alg": "RS256" }).to_string())
            ),
            Code::SignatureInvalid,
        ),
        after(
            "memory-padded",
            "padding",
            format!("{good}="),
            Code::TokenMalformed,
        ),
        after(
            "memory-prefix",
            "the start of it",
            good[..good.len() - 4].to_owned(),
            Code::SignatureInvalid,
        ),
        after(
            "memory-longer",
            "something behind it",
            format!("{good}.x"),
            Code::TokenMalformed,
        ),
        after(
            "memory-no-signature",
            "no signature",
            format!("{header}.{claims}."),
            Code::SignatureInvalid,
        ),
        vector(
            "memory-two-issuers",
            "two issuers with the same subject",
            &["memory.identity", "issuer.isolated"],
        )
        .policy(policy().and_issuer("partner", "https://partner.example", &A))
        .ask(token(), principal(json!({ "issuer": "platform" })))
        .ask(
            token().claim("iss", "https://partner.example"),
            principal(json!({ "issuer": "partner" })),
        ),
    ]
}

fn denied() -> Vec<Draft> {
    vec![
        vector(
            "memory-denied-early",
            "too early, and then not",
            &["memory.denied"],
        )
        .ask(token().claim("nbf", NOW_S + 5), Code::TokenNotYetValid)
        .at(5_000)
        .ask(token().claim("nbf", NOW_S + 5), allow()),
        vector(
            "memory-denied-key",
            "an unknown key, and then a known one",
            &["memory.denied"],
        )
        .policy(fetching())
        .due(&["jwks"])
        .accept("jwks", ok(&jwks([B.public()])))
        .ask(token(), Code::KeyUnknown)
        .accept("jwks", ok(&jwks([A.public()])))
        .ask(token(), allow()),
        vector(
            "memory-denied-rule",
            "denied by a rule, admitted by another",
            &["memory.denied", "memory.rules"],
        )
        .policy(policy().rules(json!([
            { "path": "/a", "require": { "roles": ["admin"] } },
            { "path": "/b", "require": {} },
        ])))
        .ask(get("/a").bearer(&token()), Code::RoleDenied)
        .ask(get("/b").bearer(&token()), allow())
        .ask(get("/a").bearer(&token()), Code::RoleDenied),
    ]
}

//! Challenges, `Retry-After`, and the content of a denial.

use super::{form::raw, prelude::*};

pub(super) fn vectors() -> Topic {
    let drafts = [challenges(), none(), values()].concat();
    topic(
        "answers",
        "Challenges, Retry-After, and what a denial may say",
        drafts,
    )
}

fn challenges() -> Vec<Draft> {
    let described = |error: &str, code: Code| {
        format!(
            "Bearer realm=\"platform\", error=\"{error}\", error_description=\"{}\"",
            code.sentence()
        )
    };
    let invalid = |id, title: &str, rule: &str, request: Request, code: Code| {
        let error = if code.status() == 400 {
            "invalid_request"
        } else {
            "invalid_token"
        };
        vector(id, title, &[rule]).ask(
            request,
            deny(code)
                .challenging(&described(error, code))
                .retry_after(None),
        )
    };
    let token_rule = "challenge.invalid-token";
    let bearer = |token: Token| Request::from(token);
    let request_rule = "challenge.invalid-request";
    vec![
        vector("challenge-missing", "no token", &["challenge.missing"])
            .ask(get("/"), deny(Code::TokenMissing).challenging("Bearer realm=\"platform\"").retry_after(None)),
        vector("challenge-realm", "another realm", &["challenge.missing", "challenge.invalid-token"])
            .policy(policy().top("realm", "acme-api,(v2)"))
            .ask(get("/"), deny(Code::TokenMissing).challenging("Bearer realm=\"acme-api,(v2)\""))
            .ask(token().claim("exp", 0), deny(Code::TokenExpired).challenging(
                "Bearer realm=\"acme-api,(v2)\", error=\"invalid_token\", error_description=\"the token has expired\"",
            )),
        invalid("challenge-multiple", "two tokens", request_rule,
            bearer(token()).bearer(&token().claim("sub", "user-2")), Code::TokenMultiple),
        invalid("challenge-ambiguous", "an ambiguous target", request_rule, get("/a/../b"), Code::RequestAmbiguous),
        invalid("challenge-too-large", "too large", token_rule, raw("x".repeat(16_385)), Code::TokenTooLarge),
        invalid("challenge-malformed", "malformed", token_rule, raw("x"), Code::TokenMalformed),
        invalid("challenge-header", "a bad header", token_rule, bearer(token().header_text("x")), Code::HeaderInvalid),
        invalid("challenge-crit", "an extension", token_rule, bearer(token().header("crit", json!(["x"]))), Code::CritUnsupported),
        invalid("challenge-algorithm", "an algorithm", token_rule, bearer(token().header("alg", "none")), Code::AlgorithmNotAllowed),
        invalid("challenge-issuer", "an unknown issuer", token_rule, bearer(token().without("iss")), Code::IssuerUnknown),
        invalid("challenge-key", "an unknown key", token_rule, bearer(token().header("kid", "x")), Code::KeyUnknown),
        invalid("challenge-signature", "a bad signature", token_rule, bearer(token().signed_by(&B)), Code::SignatureInvalid),
        invalid("challenge-claims", "bad claims", token_rule, bearer(token().claim("exp", "x")), Code::ClaimsInvalid),
        invalid("challenge-audience", "another audience", token_rule, bearer(token().claim("aud", "x")), Code::AudienceMismatch),
        invalid("challenge-expired", "expired", token_rule, bearer(token().claim("exp", 0)), Code::TokenExpired),
        invalid("challenge-early", "too early", token_rule, bearer(token().claim("nbf", NOW_S + 1)), Code::TokenNotYetValid),
        invalid("challenge-claim-missing", "a claim missing", token_rule, bearer(token().without("exp")), Code::ClaimMissing),
        vector("challenge-unsuitable", "a key for another algorithm", &[token_rule])
            .policy(policy().issuer("algorithms", json!(["RS256", "RS512"])).keys([A.with(json!({ "alg": "RS256" }))]))
            .ask(token().alg("RS512"), deny(Code::KeyUnsuitable).challenging(&described("invalid_token", Code::KeyUnsuitable))),
        vector("challenge-too-old", "too old", &[token_rule])
            .policy(policy().issuer("max_token_age_s", 5))
            .ask(token(), deny(Code::TokenTooOld).challenging(&described("invalid_token", Code::TokenTooOld))),
        vector("challenge-type", "of another type", &[token_rule])
            .policy(policy().issuer("token_types", json!([{ "name": "a", "claim": { "typ": "a" } }])))
            .ask(token(), deny(Code::TypeMismatch).challenging(&described("invalid_token", Code::TypeMismatch))),
        vector("challenge-mismatch", "another value", &[token_rule])
            .policy(policy().issuer("require", json!({ "/sub": { "equals": "root" } })))
            .ask(token(), deny(Code::ClaimMismatch).challenging(&described("invalid_token", Code::ClaimMismatch))),
    ]
}

fn none() -> Vec<Draft> {
    let denied = |id, title, requirement: Value, code: Code| {
        vector(id, title, &["challenge.none"])
            .policy(policy().requires(requirement))
            .ask(token(), deny(code).without_challenge().retry_after(None))
    };
    vec![
        denied(
            "challenge-none-audience",
            "another audience than the rule's",
            json!({ "audiences": ["x"] }),
            Code::AudienceDenied,
        ),
        denied(
            "challenge-none-tenant",
            "no tenant",
            json!({ "tenant": "present" }),
            Code::TenantDenied,
        ),
        denied(
            "challenge-none-role",
            "no role",
            json!({ "roles": ["x"] }),
            Code::RoleDenied,
        ),
        denied(
            "challenge-none-claim",
            "no claim",
            json!({ "claims": { "/x": { "equals": 1 } } }),
            Code::ClaimDenied,
        ),
        vector("challenge-none-rule", "no rule", &["challenge.none"])
            .policy(policy().rules(json!([])))
            .ask(
                token(),
                deny(Code::RuleDenied).without_challenge().retry_after(None),
            ),
        vector(
            "retry-after",
            "no keys: when to try again",
            &[
                "challenge.retry-after",
                "challenge.none",
                "keys.unavailable",
            ],
        )
        .policy(fetching())
        .due(&["jwks"])
        .fail("jwks")
        .ask(
            token(),
            deny(Code::KeysUnavailable)
                .retry_after(Some(1))
                .without_challenge(),
        )
        .at(999)
        .ask(token(), deny(Code::KeysUnavailable).retry_after(Some(1)))
        .at(1_000)
        .due(&["jwks"])
        .fail("jwks")
        .at(1_500)
        .ask(token(), deny(Code::KeysUnavailable).retry_after(Some(2))),
    ]
}

/// The runner searches every denial for every value of the token. In these
/// vectors the values are at places that a careless message would quote.
fn values() -> Vec<Draft> {
    let hidden = |id, title, policy: Policy, token: Token, code: Code| {
        vector(id, title, &["decision.no-values"])
            .policy(policy)
            .ask(token, code)
    };
    let secret = "secret-of-the-caller";
    vec![
        hidden(
            "hidden-kid",
            "an unknown `kid`",
            policy(),
            token().header("kid", secret),
            Code::KeyUnknown,
        ),
        hidden(
            "hidden-alg",
            "an unknown `alg`",
            policy(),
            token().header("alg", secret),
            Code::AlgorithmNotAllowed,
        ),
        hidden(
            "hidden-iss",
            "an unknown `iss`",
            policy(),
            token().claim("iss", secret),
            Code::IssuerUnknown,
        ),
        hidden(
            "hidden-aud",
            "another `aud`",
            policy(),
            token().claim("aud", secret),
            Code::AudienceMismatch,
        ),
        hidden(
            "hidden-scope",
            "other scopes",
            policy().requires(json!({ "scopes": ["api:read"] })),
            token().claim("scope", secret),
            Code::ScopeInsufficient,
        ),
        hidden(
            "hidden-tenant",
            "another tenant",
            policy()
                .issuer("claims", json!({ "tenant": "/tenant" }))
                .requires(json!({ "tenant": { "fixed": "acme" } })),
            token().claim("tenant", secret),
            Code::TenantDenied,
        ),
        hidden(
            "hidden-claim",
            "another value of a claim",
            policy().issuer("require", json!({ "/hd": { "equals": "example.com" } })),
            token().claim("hd", secret),
            Code::ClaimMismatch,
        ),
        hidden(
            "hidden-name",
            "a duplicate name",
            policy(),
            token().claims_text(format!(r#"{{"iss":"{ISS}","{secret}":1,"{secret}":2}}"#)),
            Code::ClaimsInvalid,
        ),
        hidden(
            "hidden-typ",
            "another `typ`",
            policy().issuer(
                "token_types",
                json!([{ "name": "access", "header_typ": ["at+jwt"] }]),
            ),
            token().header("typ", secret),
            Code::TypeMismatch,
        ),
    ]
}

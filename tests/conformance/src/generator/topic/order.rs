//! Two things wrong at once: the earlier check gives the code.

use super::{form::raw, prelude::*};

pub(super) fn vectors() -> Topic {
    let drafts = [requests(), forms(), keys(), claims(), types(), rules(), nested()].concat();
    topic("order", "Two things wrong at once: the earlier check gives the code", drafts)
}

fn requests() -> Vec<Draft> {
    let two_tokens = |target: &str| get(target).bearer(&token()).header("authorization", "Bearer junk");
    vec![
        vector("order-path-rule", "an ambiguous target that no rule matches", &["order.path-first"])
            .policy(policy().rules(json!([])))
            .ask(get("/a/../b"), Code::RequestAmbiguous),
        vector("order-path-token", "an ambiguous target with a bad token", &["order.path-first"])
            .ask(get("/a//b").bearer(&token().claim("exp", 0)), Code::RequestAmbiguous),
        vector("order-rule-credential", "no rule, and two tokens", &["order.rule-before-credential"])
            .policy(policy().rules(json!([])))
            .ask(two_tokens("/"), Code::RuleDenied),
        vector("order-rule-missing", "no rule, and no token", &["order.rule-before-credential"])
            .policy(policy().rules(json!([])))
            .ask(get("/"), Code::RuleDenied),
        vector("order-credential-token", "two tokens, one of them malformed", &["order.credential-before-token"])
            .ask(two_tokens("/"), Code::TokenMultiple),
        vector("order-token-rule", "an expired token without the rule's role", &["order.token-before-rule"])
            .policy(policy().requires(json!({ "roles": ["admin"] })))
            .ask(token().claim("exp", 0), Code::TokenExpired),
        vector("order-token-origin", "an expired token in a cookie from elsewhere", &["order.token-before-rule", "rule.origin"])
            .policy(policy().top("credentials", json!([{ "cookie": "session", "same_origin": true }])))
            .ask(
                request("POST", "/").header("cookie", format!("session={}", token().claim("exp", 0).compact())),
                Code::TokenExpired,
            ),
    ]
}

fn forms() -> Vec<Draft> {
    let duplicate = r#"{"alg":"RS256","alg":"RS256","crit":["x"]}"#;
    vec![
        vector("order-size-shape", "too large, and of one part", &["order.size"])
            .ask(raw("=".repeat(16_385)), Code::TokenTooLarge),
        vector("order-header-size-shape", "a header that is too large, of no base64url", &["order.size"])
            .ask(raw(format!("{}.e30.AA", "=".repeat(6_000))), Code::TokenTooLarge),
        vector("order-shape-header", "a padded signature, and a header of no JSON", &["order.shape"])
            .ask(raw(format!("{}==", token().header_text("x").compact())), Code::TokenMalformed),
        vector("order-shape-payload", "a payload of no base64url, and `none`", &["order.shape"])
            .ask(raw(format!("{}.e30=.", encode(r#"{"alg":"none"}"#))), Code::TokenMalformed),
        vector("order-header-crit", "a duplicate name, and `crit`", &["order.header"])
            .ask(token().header_text(duplicate), Code::HeaderInvalid),
        vector("order-crit-members", "`crit`, and a `kid` that is a number", &["order.crit"])
            .ask(token().header("crit", json!(["x"])).header("kid", 1), Code::CritUnsupported),
        vector("order-crit-alg-absent", "`crit`, and no `alg`", &["order.crit"])
            .ask(token().header("crit", json!(["x"])).without_header("alg"), Code::CritUnsupported),
        vector("order-b64-alg", "`b64`, and `none`", &["order.crit"])
            .ask(token().header("b64", false).header("alg", "none"), Code::CritUnsupported),
        vector("order-members-alg", "a `kid` that is a number, and `none`", &["order.members"])
            .ask(token().header("kid", 1).header("alg", "none"), Code::HeaderInvalid),
        vector("order-alg-issuer", "`none`, and an unknown issuer", &["order.alg"])
            .ask(token().header("alg", "none").claim("iss", "https://evil.example"), Code::AlgorithmNotAllowed),
        vector("order-issuer-algorithm", "an unknown issuer, and an algorithm that nobody lists", &["order.issuer"])
            .ask(token().alg("RS512").claim("iss", "https://evil.example"), Code::IssuerUnknown),
    ]
}

fn keys() -> Vec<Draft> {
    let both = || {
        policy()
            .issuer("algorithms", json!(["RS256", "RS512"]))
            .keys([A.with(json!({ "alg": "RS256" }))])
    };
    vec![
        vector("order-algorithm-key", "an algorithm that is not listed, and an unknown `kid`", &["order.algorithm"])
            .ask(token().alg("RS512").header("kid", "x"), Code::AlgorithmNotAllowed),
        vector("order-algorithm-wait", "an algorithm that is not listed, and keys never had", &["order.algorithm"])
            .policy(fetching())
            .ask(token().alg("RS512"), Code::AlgorithmNotAllowed),
        vector("order-key-signature", "an unknown `kid`, and no signature", &["order.key"])
            .ask(token().header("kid", "x").signature(""), Code::KeyUnknown),
        vector("order-fits-signature", "a key for another algorithm, and no signature", &["order.key-fits"])
            .policy(both())
            .ask(token().alg("RS512").signature(""), Code::KeyUnsuitable),
        vector("order-signature-claims", "a bad signature, and claims that are not strict", &["order.signature"])
            .ask(token().claims_text(format!(r#"{{"iss":"{ISS}","a":1,"a":2}}"#)).signature("x"), Code::SignatureInvalid),
        vector("order-signature-expired", "a bad signature, and expired", &["order.signature"])
            .ask(token().claim("exp", 0).signed_by(&B), Code::SignatureInvalid),
        vector("order-signature-audience", "a bad signature, and another audience", &["order.signature"])
            .ask(token().claim("aud", "x").signed_by(&B), Code::SignatureInvalid),
        vector("order-keys-claims", "no keys, and expired", &["order.key"])
            .policy(fetching())
            .due(&["jwks"])
            .fail("jwks")
            .ask(token().claim("exp", 0), Code::KeysUnavailable),
    ]
}

fn claims() -> Vec<Draft> {
    let invalid = |claim: &str| deny(Code::ClaimsInvalid).naming(claim);
    let early = |claim: &str| deny(Code::TokenNotYetValid).naming(claim);
    let typed = || policy().issuer("token_types", json!([{ "name": "a", "claim": { "typ": "a" } }]));
    let twice = format!(r#"{{"iss":"{ISS}","exp":"soon","sub":1,"sub":1}}"#);
    vec![
        vector("order-claims-types", "not strict, and an `exp` of the wrong type", &["order.claims"])
            .ask(token().claims_text(twice), deny(Code::ClaimsInvalid).naming_none()),
        vector("order-types-audience", "an `exp` of the wrong type, and another audience", &["order.claim-types"])
            .ask(token().claim("exp", "soon").claim("aud", "x"), invalid("exp")),
        vector("order-mapped-audience", "roles of the wrong type, and another audience", &["order.claim-types"])
            .policy(policy().issuer("claims", json!({ "roles": ["/roles"] })))
            .ask(token().claim("roles", 1).claim("aud", "x"), invalid("/roles")),
        vector("order-registered-mapped", "`exp` and roles of the wrong type", &["order.claim-types"])
            .policy(policy().issuer("claims", json!({ "roles": ["/roles"] })))
            .ask(token().claim("roles", 1).claim("exp", "x"), invalid("exp")),
        vector("order-audience-expiry", "another audience, and expired", &["order.audience"])
            .ask(token().claim("aud", "x").claim("exp", 0), Code::AudienceMismatch),
        vector("order-audience-exp-missing", "another audience, and no `exp`", &["order.audience"])
            .ask(token().claim("aud", "x").without("exp"), Code::AudienceMismatch),
        vector("order-expiry-start", "expired, and too early", &["order.expiry"])
            .ask(token().claim("exp", NOW_S).claim("nbf", NOW_S + 5), Code::TokenExpired),
        vector("order-exp-missing-start", "no `exp`, and too early", &["order.expiry"])
            .ask(token().without("exp").claim("nbf", NOW_S + 5), deny(Code::ClaimMissing).naming("exp")),
        vector("order-nbf-iat", "`nbf` and `iat` in the future", &["order.not-before"])
            .ask(token().claim("nbf", NOW_S + 5).claim("iat", NOW_S + 5), early("nbf")),
        vector("order-nbf-age", "`nbf` in the future, and too old", &["order.not-before"])
            .policy(policy().issuer("max_age_s", 5))
            .ask(token().claim("nbf", NOW_S + 5), early("nbf")),
        vector("order-iat-type", "`iat` in the future, and of no type", &["order.issued-at"])
            .policy(typed())
            .ask(token().claim("iat", NOW_S + 5), early("iat")),
        vector("order-age-type", "too old, and of no type", &["order.age"])
            .policy(typed().issuer("max_age_s", 5))
            .ask(token(), Code::TokenTooOld),
        vector("order-age-missing-type", "no `iat`, and of no type", &["order.age"])
            .policy(typed().issuer("max_age_s", 5))
            .ask(token().without("iat"), deny(Code::ClaimMissing).naming("iat")),
    ]
}

fn types() -> Vec<Draft> {
    let strict = || {
        policy()
            .issuer("token_types", json!([{
                "name": "a", "claim": { "typ": "a" }, "max_lifetime_s": 60,
                "scopes_within": ["a:*"], "required_claims": ["/must"],
            }]))
            .issuer("claims", json!({ "scopes": ["/scope"] }))
            .issuer("require", json!({ "/hd": { "equals": "example.com" } }))
            .issuer("revocations", json!({ "uri": "https://auth.example.com/revoked.json" }))
    };
    let mismatch = |claim: &str| deny(Code::ClaimMismatch).naming(claim);
    let wrong = || token().claims(json!({ "typ": "a", "scope": "b" }));
    let short = || wrong().claim("exp", NOW_S + 30);
    let fine = || short().claims(json!({ "scope": "a:b", "must": 1 }));
    vec![
        vector("order-type-rules", "of no type, and without what the issuer requires", &["order.type"])
            .policy(strict())
            .ask(token(), Code::TypeMismatch),
        vector("order-lifetime-scopes", "too long a life, and other scopes", &["order.type-rules"])
            .policy(strict())
            .ask(wrong(), mismatch("exp")),
        vector("order-scopes-required", "other scopes, and a claim of the type absent", &["order.type-rules"])
            .policy(strict())
            .ask(short(), mismatch("/scope")),
        vector("order-required-issuer", "a claim of the type absent, and one of the issuer's", &["order.type-rules"])
            .policy(strict())
            .ask(short().claim("scope", "a:b"), deny(Code::ClaimMissing).naming("/must")),
        vector("order-required-revoked", "another value than the issuer requires, and revoked", &["order.required"])
            .policy(strict())
            .due(&["revocations"])
            .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
            .ask(fine().claim("hd", "example.org"), mismatch("/hd"))
            .ask(fine(), deny(Code::ClaimMissing).naming("/hd"))
            .ask(fine().claim("hd", "example.com"), Code::TokenRevoked),
        vector("order-revoked-rule", "revoked, and without the rule's role", &["order.revocation", "order.token-before-rule"])
            .policy(strict().requires(json!({ "roles": ["admin"] })))
            .due(&["revocations"])
            .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
            .ask(fine().claim("hd", "example.com"), Code::TokenRevoked),
        vector("order-revocations-rule", "revocations never had, and without the rule's role", &["order.revocation"])
            .policy(
                policy()
                    .issuer("revocations", json!({ "uri": "https://auth.example.com/revoked.json", "required": true }))
                    .requires(json!({ "roles": ["admin"] })),
            )
            .ask(token(), wait(&["revocations"])),
    ]
}

/// Everything that a rule can ask; each token lacks two things that follow
/// each other.
fn rules() -> Vec<Draft> {
    let strict = || {
        policy()
            .and_issuer("partner", "https://partner.example", &B)
            .issuer("token_types", json!([
                { "name": "a", "claim": { "typ": "a" } }, { "name": "b", "claim": { "typ": "b" } },
            ]))
            .issuer("claims", json!({ "tenant": "/tenant" }))
            .issuer_at(1, "token_types", json!([{ "name": "b", "claim": { "typ": "b" } }]))
            .top("credentials", json!([{ "cookie": "session", "same_origin": true }]))
            .requires(json!({
                "issuers": ["platform"], "audiences": ["inner"], "types": ["a"], "tenant": "present",
                "scopes": ["s"], "roles": ["r"], "claims": { "/c": { "equals": 1 } }, "max_age_s": 60,
                "all_of": [{ "roles": ["r1"] }], "any_of": [{ "roles": ["r2"] }, { "roles": ["r3"] }],
            }))
    };
    let full = || {
        token().claims(json!({
            "aud": ["platform", "inner"], "typ": "a", "tenant": "acme", "scope": "s", "roles": ["r", "r1", "r2"], "c": 1,
        }))
    };
    let post = |token: Token| request("POST", "/").header("cookie", format!("session={}", token.compact()));
    let same = |token: Token| post(token).header("sec-fetch-site", "same-origin");
    let case = |id, title, rule, request: Request, code: Code| {
        vector(id, title, &[rule]).policy(strict()).ask(request, code)
    };
    let foreign = || full().claims(json!({ "iss": "https://partner.example", "typ": "b" })).key(&B);
    vec![
        vector("order-rule-all", "nothing wrong", &["order.rule-all-of", "order.rule-any-of"]).policy(strict()).ask(same(full()), allow()),
        case("order-origin-issuer", "another origin, another issuer", "order.rule-origin", post(foreign()), Code::OriginDenied),
        case("order-issuer-audience", "another issuer, another audience", "order.rule-issuer", same(foreign().claim("aud", "platform")), Code::IssuerDenied),
        case("order-audience-type", "another audience, another type", "order.rule-audience", same(full().claims(json!({ "aud": "platform", "typ": "b" }))), Code::AudienceDenied),
        case("order-type-tenant", "another type, no tenant", "order.rule-type", same(full().claim("typ", "b").without("tenant")), Code::TypeDenied),
        case("order-tenant-scopes", "no tenant, no scope", "order.rule-tenant", same(full().without("tenant").without("scope")), Code::TenantDenied),
        case("order-scopes-roles", "no scope, no role", "order.rule-scopes", same(full().without("scope").without("roles")), Code::ScopeInsufficient),
        case("order-roles-claims", "no role, no claim", "order.rule-roles", same(full().without("roles").without("c")), Code::RoleDenied),
        case("order-claims-age", "no claim, too old", "order.rule-claims", same(full().without("c").claim("iat", NOW_S - 61)), Code::ClaimDenied),
        case("order-age-all-of", "too old, and `all_of`", "order.rule-age", same(full().claims(json!({ "iat": NOW_S - 61, "roles": ["r", "r2"] }))), Code::TokenTooOld),
    ]
}

fn nested() -> Vec<Draft> {
    let asking = |requirement: Value| policy().issuer("claims", json!({ "tenant": "/tenant" })).requires(requirement);
    vec![
        vector("order-all-of-first", "the first of `all_of` that fails", &["order.rule-all-of"])
            .policy(asking(json!({ "all_of": [{ "claims": { "/c": { "equals": 1 } } }, { "roles": ["r"] }] })))
            .ask(token(), Code::ClaimDenied)
            .ask(token().claim("c", 1), Code::RoleDenied),
        vector("order-all-of-any-of", "`all_of` before `any_of`", &["order.rule-all-of"])
            .policy(asking(json!({ "any_of": [{ "tenant": "present" }], "all_of": [{ "roles": ["r"] }] })))
            .ask(token(), Code::RoleDenied),
        vector("order-any-of-furthest", "the alternative that got furthest", &["order.rule-any-of"])
            .policy(asking(json!({ "any_of": [
                { "tenant": "present" },
                { "claims": { "/c": { "equals": 1 } } },
                { "scopes": ["s"] },
            ] })))
            .ask(token(), deny(Code::ClaimDenied).naming("/c")),
        vector("order-any-of-age", "age is the last of all", &["order.rule-any-of"])
            .policy(asking(json!({ "any_of": [
                { "max_age_s": 5 },
                { "claims": { "/c": { "equals": 1 } } },
            ] })))
            .ask(token(), Code::TokenTooOld),
        vector("order-any-of-tie", "among equals the first", &["order.rule-any-of"])
            .policy(asking(json!({ "any_of": [
                { "claims": { "/first": { "equals": 1 } } },
                { "claims": { "/second": { "equals": 1 } } },
            ] })))
            .ask(token(), deny(Code::ClaimDenied).naming("/first")),
        vector("order-any-of-tie-scopes", "and its scopes are the challenge's", &["order.rule-any-of", "challenge.insufficient-scope"])
            .policy(asking(json!({ "any_of": [{ "scopes": ["a"] }, { "scopes": ["b"] }] })))
            .ask(token(), deny(Code::ScopeInsufficient).challenging(
                "Bearer realm=\"platform\", error=\"insufficient_scope\", \
                 error_description=\"the token scopes do not suffice\", scope=\"a\"",
            )),
    ]
}

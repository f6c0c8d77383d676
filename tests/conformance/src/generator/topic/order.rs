//! Two faults at once, up to the signature: the earlier check gives the code.

use super::{form::raw, prelude::*};

pub(super) fn vectors() -> Topic {
    let drafts = [requests(), forms(), keys()].concat();
    topic(
        "order",
        "Two things wrong at once, up to the signature: the earlier check gives the code",
        drafts,
    )
}

fn requests() -> Vec<Draft> {
    let two_tokens = |target: &str| {
        get(target)
            .bearer(&token())
            .header("authorization", "Bearer junk")
    };
    vec![
        vector(
            "order-path-rule",
            "an ambiguous target that no rule matches",
            &["order.path-first"],
        )
        .policy(policy().rules(json!([])))
        .ask(get("/a/../b"), Code::RequestAmbiguous),
        vector(
            "order-path-token",
            "an ambiguous target with a bad token",
            &["order.path-first"],
        )
        .ask(
            get("/a//b").bearer(&token().claim("exp", 0)),
            Code::RequestAmbiguous,
        ),
        vector(
            "order-rule-credential",
            "no rule, and two tokens",
            &["order.rule-before-credential"],
        )
        .policy(policy().rules(json!([])))
        .ask(two_tokens("/"), Code::RuleDenied),
        vector(
            "order-rule-missing",
            "no rule, and no token",
            &["order.rule-before-credential"],
        )
        .policy(policy().rules(json!([])))
        .ask(get("/"), Code::RuleDenied),
        vector(
            "order-credential-token",
            "two tokens, one of them malformed",
            &["order.credential-before-token"],
        )
        .ask(two_tokens("/"), Code::TokenMultiple),
        vector(
            "order-token-rule",
            "an expired token without the rule's role",
            &["order.token-before-rule"],
        )
        .policy(policy().requires(json!({ "roles": ["admin"] })))
        .ask(token().claim("exp", 0), Code::TokenExpired),
        vector(
            "order-token-origin",
            "an expired token in a cookie from elsewhere",
            &["order.token-before-rule", "rule.origin"],
        )
        .policy(policy().top(
            "credentials",
            json!([{ "cookie": "session", "same_origin": true }]),
        ))
        .ask(
            request("POST", "/").header(
                "cookie",
                format!("session={}", token().claim("exp", 0).compact()),
            ),
            Code::TokenExpired,
        ),
    ]
}

fn forms() -> Vec<Draft> {
    let duplicate = r#"{"alg":"RS256","alg":"RS256","crit":["x"]}"#;
    vec![
        vector(
            "order-size-shape",
            "too large, and of one part",
            &["order.size"],
        )
        .ask(raw("=".repeat(16_385)), Code::TokenTooLarge),
        vector(
            "order-header-size-shape",
            "a header that is too large, of no base64url",
            &["order.size"],
        )
        .ask(
            raw(format!("{}.e30.AA", "=".repeat(6_000))),
            Code::TokenTooLarge,
        ),
        vector(
            "order-shape-header",
            "a padded signature, and a header of no JSON",
            &["order.shape"],
        )
        .ask(
            raw(format!("{}==", token().header_text("x").compact())),
            Code::TokenMalformed,
        ),
        vector(
            "order-shape-payload",
            "a payload of no base64url, and `none`",
            &["order.shape"],
        )
        .ask(
            raw(format!("{}.e30=.", encode(r#"{"alg":"none"}"#))),
            Code::TokenMalformed,
        ),
        vector(
            "order-header-crit",
            "a duplicate name, and `crit`",
            &["order.header"],
        )
        .ask(token().header_text(duplicate), Code::HeaderInvalid),
        vector(
            "order-crit-members",
            "`crit`, and a `kid` that is a number",
            &["order.crit"],
        )
        .ask(
            token().header("crit", json!(["x"])).header("kid", 1),
            Code::CritUnsupported,
        ),
        vector(
            "order-crit-alg-absent",
            "`crit`, and no `alg`",
            &["order.crit"],
        )
        .ask(
            token().header("crit", json!(["x"])).without_header("alg"),
            Code::CritUnsupported,
        ),
        vector("order-b64-alg", "`b64`, and `none`", &["order.crit"]).ask(
            token().header("b64", false).header("alg", "none"),
            Code::CritUnsupported,
        ),
        vector(
            "order-members-alg",
            "a `kid` that is a number, and `none`",
            &["order.members"],
        )
        .ask(
            token().header("kid", 1).header("alg", "none"),
            Code::HeaderInvalid,
        ),
        vector(
            "order-alg-issuer",
            "`none`, and an unknown issuer",
            &["order.alg"],
        )
        .ask(
            token()
                .header("alg", "none")
                .claim("iss", "https://evil.example"),
            Code::AlgorithmNotAllowed,
        ),
        vector(
            "order-issuer-algorithm",
            "an unknown issuer, and an algorithm that nobody lists",
            &["order.issuer"],
        )
        .ask(
            token().alg("RS512").claim("iss", "https://evil.example"),
            Code::IssuerUnknown,
        ),
    ]
}

fn keys() -> Vec<Draft> {
    let both = || {
        policy()
            .issuer("algorithms", json!(["RS256", "RS512"]))
            .keys([A.with(json!({ "alg": "RS256" }))])
    };
    vec![
        vector(
            "order-algorithm-key",
            "an algorithm that is not listed, and an unknown `kid`",
            &["order.algorithm"],
        )
        .ask(
            token().alg("RS512").header("kid", "x"),
            Code::AlgorithmNotAllowed,
        ),
        vector(
            "order-algorithm-wait",
            "an algorithm that is not listed, and keys never had",
            &["order.algorithm"],
        )
        .policy(fetching())
        .ask(token().alg("RS512"), Code::AlgorithmNotAllowed),
        vector(
            "order-key-signature",
            "an unknown `kid`, and no signature",
            &["order.key"],
        )
        .ask(token().header("kid", "x").signature(""), Code::KeyUnknown),
        vector(
            "order-fits-signature",
            "a key for another algorithm, and no signature",
            &["order.key-fits"],
        )
        .policy(both())
        .ask(token().alg("RS512").signature(""), Code::KeyUnsuitable),
        vector(
            "order-signature-claims",
            "a bad signature, and claims that are not strict",
            &["order.signature"],
        )
        .ask(
            token()
                .claims_text(format!(r#"{{"iss":"{ISS}","a":1,"a":2}}"#))
                .signature("x"),
            Code::SignatureInvalid,
        ),
        vector(
            "order-signature-expired",
            "a bad signature, and expired",
            &["order.signature"],
        )
        .ask(
            token().claim("exp", 0).signed_by(&B),
            Code::SignatureInvalid,
        ),
        vector(
            "order-signature-audience",
            "a bad signature, and another audience",
            &["order.signature"],
        )
        .ask(
            token().claim("aud", "x").signed_by(&B),
            Code::SignatureInvalid,
        ),
        vector("order-keys-claims", "no keys, and expired", &["order.key"])
            .policy(fetching())
            .due(&["jwks"])
            .fail("jwks")
            .ask(token().claim("exp", 0), Code::KeysUnavailable),
    ]
}

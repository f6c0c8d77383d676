//! Refused policies, and lowered limits.

use super::{form::raw, prelude::*};

pub(super) fn vectors() -> Topic {
    let drafts = [
        texts(),
        problems(),
        symmetric(),
        references(),
        header_names(),
        limits(),
    ]
    .concat();
    topic(
        "policies",
        "Policies that are refused, and limits that they may lower",
        drafts,
    )
}

fn refused(
    id: &str,
    title: &str,
    rule: &str,
    policy: impl Into<Value>,
    problems: &[(&str, &str)],
) -> Draft {
    vector(id, title, &[rule]).policy(policy).refused(problems)
}

fn header_names() -> Vec<Draft> {
    let refused = |id: &str, title: &str, policy: Policy, place: &str| {
        refused(
            id,
            title,
            "policy.header-name",
            policy,
            &[("value_invalid", place)],
        )
    };
    vec![
        refused(
            "header-name-credential",
            "a token in a header with `_`",
            policy().top("credentials", json!([{ "header": "x_token" }])),
            "/credentials/0/header",
        ),
        refused(
            "header-name-compared",
            "a header with `_` is compared",
            policy()
                .issuer("claims", json!({ "tenant": "/t" }))
                .rules(json!([{ "path": "/", "require": { "tenant": { "header": "x_org" } } }])),
            "/rules/0/require/tenant/header",
        ),
        refused(
            "header-name-forwarded",
            "a header with `_` is forwarded",
            policy().top("forward", json!({ "x_user": "subject" })),
            "/forward/x_user",
        ),
    ]
}

fn texts() -> Vec<Draft> {
    let rule = "policy.strict";
    let text = policy().build().to_string();
    let twice = text.replacen("\"default\":", "\"realm\":\"x\",\"default\":", 1);
    vec![
        refused("policy-empty", "no text", rule, "", &[("syntax", "")]),
        refused(
            "policy-truncated",
            "half of a policy",
            rule,
            &text[..text.len() / 2],
            &[("syntax", "")],
        ),
        refused(
            "policy-array",
            "an array",
            rule,
            "[]",
            &[("type_wrong", "")],
        ),
        refused(
            "policy-trailing",
            "something behind it",
            rule,
            format!("{text} x"),
            &[("syntax", "")],
        ),
        refused(
            "policy-comment",
            "a comment",
            rule,
            format!("// ours\n{text}"),
            &[("syntax", "")],
        ),
        refused(
            "policy-duplicate",
            "a member twice",
            rule,
            twice,
            &[("duplicate", "/realm")],
        ),
        refused(
            "policy-duplicate-deep",
            "deep inside, once by an escape",
            rule,
            text.replacen(
                "\"audiences\":",
                r#""\u0061udiences":["x"],"audiences":"#,
                1,
            ),
            &[("duplicate", "/issuers/0/audiences")],
        ),
        refused(
            "policy-unknown",
            "an unknown member",
            rule,
            policy().top("ruels", json!([])),
            &[("field_unknown", "/ruels")],
        ),
        refused(
            "policy-unknown-issuer",
            "one of an issuer",
            rule,
            policy().issuer("audience", "x"),
            &[("field_unknown", "/issuers/0/audience")],
        ),
        refused(
            "policy-unknown-rule",
            "one of a rule",
            rule,
            policy().rules(json!([{ "path": "/", "require": {}, "method": "GET" }])),
            &[("field_unknown", "/rules/0/method")],
        ),
        refused(
            "policy-unknown-requirement",
            "one of a requirement",
            rule,
            policy().requires(json!({ "scope": ["a"] })),
            &[("field_unknown", "/rules/0/require/scope")],
        ),
        refused(
            "policy-default-allow",
            "`default` is only ever `deny`",
            rule,
            policy().top("default", "allow"),
            &[("value_invalid", "/default")],
        ),
        refused(
            "policy-leeway-string",
            "a number as a string",
            rule,
            policy().top("leeway_s", "30"),
            &[("type_wrong", "/leeway_s")],
        ),
        refused(
            "policy-leeway-long",
            "a leeway of more than 300 s",
            rule,
            policy().top("leeway_s", 301),
            &[("value_out_of_range", "/leeway_s")],
        ),
    ]
}

fn problems() -> Vec<Draft> {
    let version = "policy.version";
    let aloud = |id: &str, member: &str| {
        refused(
            &format!("policy-no-{id}"),
            &format!("an issuer without `{member}`"),
            "policy.said-aloud",
            policy().without_issuer(member),
            &[("field_missing", "/issuers/0")],
        )
    };
    vec![
        refused(
            "policy-version",
            "another version",
            version,
            policy().top("contract", "2"),
            &[("value_invalid", "/contract")],
        ),
        refused(
            "policy-version-number",
            "a number",
            version,
            policy().top("contract", 1),
            &[("type_wrong", "/contract")],
        ),
        refused(
            "policy-version-absent",
            "none",
            version,
            policy().without("contract"),
            &[("field_missing", "")],
        ),
        aloud("issuer", "issuer"),
        aloud("audiences", "audiences"),
        aloud("algorithms", "algorithms"),
        aloud("keys", "keys"),
        refused(
            "policy-algorithm-none",
            "`none` as an algorithm",
            "policy.said-aloud",
            policy().issuer("algorithms", json!(["none"])),
            &[("value_invalid", "/issuers/0/algorithms/0")],
        )
        .attack("alg-none"),
        refused(
            "policy-algorithm-unknown",
            "an unknown algorithm",
            "policy.said-aloud",
            policy().issuer("algorithms", json!(["RS256", "RS1"])),
            &[("value_invalid", "/issuers/0/algorithms/1")],
        ),
        refused(
            "policy-same-issuer",
            "two issuers of one `issuer`",
            "policy.strict",
            policy().and_issuer("other", ISS, &B),
            &[("duplicate", "/issuers/1/issuer")],
        ),
        refused(
            "policy-five-mistakes",
            "five mistakes at once",
            "policy.all-problems",
            policy()
                .top("leeway_s", 9_999)
                .top("ruels", json!([]))
                .issuer("audience", "platform")
                .issuer("algorithms", json!(["RS265"]))
                .requires(json!({ "tenant": "{org}" })),
            &[
                ("value_out_of_range", "/leeway_s"),
                ("field_unknown", "/ruels"),
                ("field_unknown", "/issuers/0/audience"),
                ("value_invalid", "/issuers/0/algorithms/0"),
                ("unknown_name", "/rules/0/require/tenant"),
            ],
        ),
    ]
}

fn symmetric() -> Vec<Draft> {
    let rule = "policy.symmetric";
    let secrets = || json!({ "secrets": [SECRET.secret()] });
    vec![
        refused(
            "policy-hs-published",
            "HS256 with keys at a URI",
            rule,
            fetching().issuer("algorithms", json!(["HS256"])),
            &[("conflict", "/issuers/0/keys/jwks_uri")],
        )
        .attack("rs-to-hs"),
        refused(
            "policy-hs-inline",
            "HS256 with an inline set",
            rule,
            policy().issuer("algorithms", json!(["HS256"])),
            &[("conflict", "/issuers/0/keys/jwks")],
        )
        .attack("rs-to-hs"),
        refused(
            "policy-rs-secrets",
            "RS256 with secrets",
            rule,
            policy().issuer("keys", secrets()),
            &[("conflict", "/issuers/0/keys/secrets")],
        ),
        refused(
            "policy-hs-rs",
            "HS256 and RS256",
            rule,
            policy().issuer("algorithms", json!(["RS256", "HS256"])),
            &[("conflict", "/issuers/0/keys/jwks")],
        )
        .attack("rs-to-hs"),
    ]
}

fn references() -> Vec<Draft> {
    let rule = "policy.references";
    let requiring = |requirement: Value| policy().requires(requirement);
    vec![
        refused(
            "policy-unknown-issuer-name",
            "an issuer that does not exist",
            rule,
            requiring(json!({ "issuers": ["platfrom"] })),
            &[("unknown_name", "/rules/0/require/issuers/0")],
        ),
        refused(
            "policy-unknown-type",
            "a token type that does not exist",
            rule,
            requiring(json!({ "types": ["pat"] })),
            &[("unknown_name", "/rules/0/require/types/0")],
        ),
        refused(
            "policy-unknown-segment",
            "a segment that does not exist",
            rule,
            policy().rules(json!([{ "path": "/orgs/{org}", "require": { "tenant": "{tenant}" } }])),
            &[("unknown_name", "/rules/0/require/tenant")],
        ),
        refused(
            "policy-segment-of-one-path",
            "a segment of only one of two paths",
            rule,
            policy().rules(
                json!([{ "path": ["/orgs/{org}", "/x"], "require": { "tenant": "{org}" } }]),
            ),
            &[("unknown_name", "/rules/0/require/tenant")],
        ),
    ]
}

fn limits() -> Vec<Draft> {
    let rule = "limits.lower";
    let limited = |id: &str, title: &str, name: &str, value: u32| {
        vector(id, title, &[rule]).policy(policy().top("limits", member(name, value)))
    };
    let raised = |name: &str, value: u32| {
        refused(
            &format!("limit-raised-{}", name.replace('_', "-")),
            &format!("`{name}` above its maximum"),
            rule,
            policy().top("limits", member(name, value)),
            &[("value_out_of_range", &format!("/limits/{name}"))],
        )
    };
    let compact = token().compact();
    let length = u32::try_from(compact.len()).expect("a length");
    let fetched = |id: &str, title: &str, name: &str, value: u32| {
        vector(id, title, &[rule])
            .policy(fetching().top("limits", member(name, value)))
            .due(&["jwks"])
            .refuse("jwks", ok(&jwks([A.public(), B.public()])))
    };
    vec![
        limited("limit-token", "shorter tokens", "token_bytes", length)
            .ask(raw(&compact), allow())
            .ask(token().claim("x", ""), Code::TokenTooLarge),
        limited("limit-header", "shorter headers", "header_bytes", 60)
            .ask(token(), allow())
            .ask(
                token().header("x", "a header that is longer"),
                Code::TokenTooLarge,
            ),
        limited("limit-depth", "flatter claims", "json_depth", 2)
            .ask(token().claim("x", json!([])), allow())
            .ask(token().claim("x", json!([[]])), Code::ClaimsInvalid),
        limited("limit-members", "fewer claims", "json_members", 8)
            .ask(token().claim("x", 1), allow())
            .ask(token().claim("x", 1).claim("y", 1), Code::ClaimsInvalid),
        fetched("limit-document", "shorter documents", "document_bytes", 500),
        fetched("limit-keys", "fewer keys", "document_keys", 1),
        raised("token_bytes", 16_385),
        raised("header_bytes", 4_097),
        raised("json_depth", 17),
        raised("json_members", 257),
        raised("document_bytes", 1_048_577),
        raised("document_keys", 1_001),
        raised("revocation_bytes", 33_554_433),
        raised("revocation_entries", 500_001),
        raised("remembered_tokens", 1_001),
        refused(
            "limit-zero",
            "a limit of nothing",
            rule,
            policy().top("limits", json!({ "token_bytes": 0 })),
            &[("value_out_of_range", "/limits/token_bytes")],
        ),
    ]
}

//! The issuer of a token.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [exact(), absent(), lenient(), isolated()].concat();
    topic("issuers", "Which issuer judges a token", drafts)
}

fn exact() -> Vec<Draft> {
    let other = |id, title, iss: &str| {
        vector(id, title, &["issuer.exact"])
            .attack("iss-partial-match")
            .ask(token().claim("iss", iss), Code::IssuerUnknown)
    };
    vec![
        other("issuer-other", "another issuer", "https://evil.example"),
        other(
            "issuer-prefix",
            "only the start of the name",
            "https://auth.example",
        ),
        other(
            "issuer-longer",
            "the name and more",
            "https://auth.example.com.evil.example",
        ),
        other(
            "issuer-slash",
            "a slash at the end",
            "https://auth.example.com/",
        ),
        other("issuer-case", "another case", "https://AUTH.example.com"),
        other("issuer-scheme", "another scheme", "http://auth.example.com"),
        other(
            "issuer-space",
            "a space at the end",
            "https://auth.example.com ",
        ),
        other(
            "issuer-port",
            "the default port said",
            "https://auth.example.com:443",
        ),
        other("issuer-name", "the issuer's name in the policy", "platform"),
        other("issuer-empty", "an empty name", ""),
        vector(
            "issuer-word",
            "an issuer may be any string",
            &["issuer.exact"],
        )
        .policy(policy().issuer("issuer", "supabase"))
        .ask(
            token().claim("iss", "supabase"),
            principal(json!({ "iss": "supabase" })),
        ),
        vector(
            "issuer-escaped",
            "escapes in the token do not matter",
            &["issuer.exact"],
        )
        .ask(
            token().claims_text(token().claims_json().replace("https:", r"\u0068ttps:")),
            principal(json!({ "iss": ISS })),
        ),
    ]
}

fn absent() -> Vec<Draft> {
    let bad = |id, title, token: Token| {
        vector(id, title, &["issuer.absent"]).ask(token, Code::IssuerUnknown)
    };
    vec![
        bad("issuer-absent", "no `iss`", token().without("iss")),
        bad("issuer-null", "`null`", token().claim("iss", json!(null)))
            .attack("claim-type-confusion"),
        bad(
            "issuer-array",
            "an array with the issuer",
            token().claim("iss", json!([ISS])),
        )
        .attack("iss-partial-match"),
        bad("issuer-number", "a number", token().claim("iss", 1)).attack("claim-type-confusion"),
        bad(
            "issuer-deep",
            "an `iss` deeper inside",
            token().without("iss").claim("x", json!({ "iss": ISS })),
        ),
        bad(
            "issuer-payload-array",
            "a payload that is an array",
            token().claims_text(format!(r#"["iss","{ISS}"]"#)),
        ),
        bad(
            "issuer-payload-text",
            "a payload that is no JSON",
            token().claims_text("hello"),
        ),
        bad(
            "issuer-payload-not-utf8",
            "a payload that is no text",
            token().claims_text(b"\xff\xfe\x00"),
        ),
    ]
}

fn lenient() -> Vec<Draft> {
    let broken = format!(r#"{{"iss":"{ISS}","aud":"platform","aud":"other"}}"#);
    let late = format!(r#"{{"aud":"platform","aud":"other","iss":"{ISS}"}}"#);
    let twice = format!(
        r#"{{"iss":"{ISS}","iss":"https://evil.example","exp":{}}}"#,
        NOW_S + 60
    );
    vec![
        vector(
            "issuer-broken-signed",
            "not strict, but signed: the claims are at fault",
            &["issuer.routing"],
        )
        .ask(token().claims_text(&broken), Code::ClaimsInvalid),
        vector(
            "issuer-broken-forged",
            "not strict and forged: the signature is at fault",
            &["issuer.routing", "order.signature"],
        )
        .ask(
            token().claims_text(&broken).signed_by(&B),
            Code::SignatureInvalid,
        ),
        vector(
            "issuer-broken-before",
            "an `iss` after the fault is not read",
            &["issuer.routing", "issuer.absent"],
        )
        .ask(token().claims_text(late), Code::IssuerUnknown),
        vector(
            "issuer-twice",
            "`iss` twice: routed by the first, and then refused",
            &["issuer.routing", "claims.json"],
        )
        .attack("duplicate-members")
        .ask(token().claims_text(twice), Code::ClaimsInvalid),
    ]
}

const PARTNER: &str = "https://partner.example";

/// The platform with key A, a partner with key B.
fn two() -> Policy {
    policy().and_issuer("partner", PARTNER, &B)
}

fn isolated() -> Vec<Draft> {
    let partner = || token().claim("iss", PARTNER).key(&B);
    vec![
        vector(
            "issuer-two",
            "each token by its own issuer",
            &["issuer.isolated"],
        )
        .policy(two())
        .ask(token(), principal(json!({ "issuer": "platform" })))
        .ask(
            partner(),
            principal(json!({ "issuer": "partner", "iss": PARTNER })),
        ),
        vector(
            "issuer-foreign-key",
            "the partner's key does not sign for the platform",
            &["issuer.isolated"],
        )
        .policy(two())
        .ask(partner().claim("iss", ISS), Code::KeyUnknown),
        vector(
            "issuer-foreign-key-same-kid",
            "not even under the same `kid`",
            &["issuer.isolated"],
        )
        .policy(two().issuer_at(
            1,
            "keys",
            json!({ "jwks": jwks([B.with(json!({ "kid": A.kid() }))]) }),
        ))
        .ask(token().signed_by(&B), Code::SignatureInvalid)
        .ask(token().signed_by(&B).claim("iss", PARTNER), allow()),
        vector(
            "issuer-own-audience",
            "audiences are the issuer's own",
            &["issuer.isolated"],
        )
        .policy(two().issuer_at(1, "audiences", json!(["partners"])))
        .ask(partner(), Code::AudienceMismatch)
        .ask(partner().claim("aud", "partners"), allow())
        .ask(token().claim("aud", "partners"), Code::AudienceMismatch),
        vector(
            "issuer-own-algorithms",
            "algorithms are the issuer's own",
            &["issuer.isolated", "algorithm.allowed"],
        )
        .policy(two().issuer_at(1, "algorithms", json!(["RS384"])))
        .ask(partner(), Code::AlgorithmNotAllowed)
        .ask(partner().alg("RS384"), allow())
        .ask(token().alg("RS384"), Code::AlgorithmNotAllowed),
        vector(
            "issuer-own-tenant",
            "a fixed tenant is the issuer's own",
            &["issuer.isolated", "principal.tenant-fixed"],
        )
        .policy(two().issuer_at(1, "claims", json!({ "tenant": { "fixed": "acme" } })))
        .ask(
            partner().claim("tenant_id", "other"),
            principal(json!({ "tenant": "acme" })),
        )
        .ask(
            token().claim("tenant_id", "other"),
            principal(json!({ "tenant": null })),
        ),
    ]
}

//! Tokens that are bound to their sender: `cnf`, and what rules ask for.

use super::prelude::*;
use crate::vector::Signatures;

pub(super) fn vectors() -> Topic {
    let drafts = [confirmations(), issuers(), rules(), token_only(), refused()].concat();
    topic(
        "sender",
        "Tokens that are bound to their sender, by a key or by a certificate",
        drafts,
    )
}

/// Tokens come by both schemes.
pub(super) fn both() -> Policy {
    policy().top(
        "credentials",
        json!([
            { "header": "authorization", "scheme": "Bearer" },
            { "header": "authorization", "scheme": "DPoP" },
            { "cookie": "session" },
        ]),
    )
}

/// The SHA-256 of the certificate of RFC 8705, Appendix A, as the `cnf` there and
/// in hexadecimal.
pub(super) const RFC_X5T: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
pub(super) const RFC_X5T_HEX: &str =
    "0380ed2f626650c840b2f263e6d2b29fae12ab39ae5db32b25ad27efad72e6fd";

pub(super) fn with_cnf(cnf: Value) -> Token {
    token().claim("cnf", cnf)
}

fn by_certificate() -> Token {
    with_cnf(json!({ "x5t#S256": RFC_X5T }))
}

fn confirmations() -> Vec<Draft> {
    let key = P256.thumbprint();
    let unusable = |id, title, cnf: Value| {
        let token = with_cnf(cnf);
        let invalid = deny(Code::ProofInvalid).naming("cnf");
        vector(id, title, &["sender.cnf"])
            .policy(both())
            .ask(
                get("/").bearer(&token).certificate(RFC_X5T_HEX),
                invalid.clone(),
            )
            .ask(get("/").dpop(&token, &proof("1", &token)), invalid)
    };
    let two = with_cnf(json!({ "jkt": key, "x5t#S256": RFC_X5T }));
    vec![
        vector("sender-free", "a token without `cnf` is good for whoever holds it", &["sender.bound"])
            .policy(both())
            .ask(token(), allow())
            .ask(get("/").bearer(&token()).header("dpop", "nonsense"), allow()),
        vector("sender-bearer", "a bound token as a plain one", &["sender.bound"])
            .attack("dpop-downgrade")
            .ask(bound(&P256), deny(Code::ProofMissing).naming("cnf"))
            .ask(by_certificate(), deny(Code::ProofMissing).naming("cnf"))
            .ask(by_certificate(), deny(Code::ProofMissing).challenging(
                "Bearer realm=\"platform\", error=\"invalid_token\", error_description=\"a proof of possession is required\"",
            )),
        vector("sender-both", "a key and a certificate: each must be proven", &["sender.bound"])
            .attack("dpop-both-members")
            .policy(both())
            .ask(get("/").dpop(&two, &proof("1", &two)).certificate(RFC_X5T_HEX), allow())
            .ask(get("/").dpop(&two, &proof("2", &two)), Code::ProofMissing)
            .ask(get("/").by_dpop(&two).certificate(RFC_X5T_HEX), Code::ProofMissing)
            .ask(get("/").bearer(&two).certificate(RFC_X5T_HEX), Code::ProofMissing)
            .ask(get("/").dpop(&two, &proof("3", &two)).certificate(&RFC_X5T_HEX.replace("03", "04")), Code::ProofInvalid)
            .ask(get("/").dpop(&two, &proof("4", &two).key(&ED)).certificate(RFC_X5T_HEX), Code::ProofInvalid),
        unusable("cnf-empty", "it is empty", json!({})),
        unusable("cnf-null", "it is `null`", Value::Null),
        unusable("cnf-text", "it is a text", json!(key)),
        unusable("cnf-array", "it is an array", json!([{ "jkt": key }])),
        unusable("cnf-unknown", "it has another member", json!({ "jwk": P256.public() })),
        unusable("cnf-unknown-beside", "it has another member too", json!({ "jkt": key, "x5t#S256": RFC_X5T, "kid": "a" }))
            .attack("dpop-unknown-member"),
        unusable("cnf-short", "31 bytes", json!({ "jkt": encode([7; 31]) })),
        unusable("cnf-long", "33 bytes", json!({ "x5t#S256": encode([7; 33]) })),
        unusable("cnf-padded", "with padding", json!({ "jkt": format!("{key}=") })),
        unusable("cnf-number", "a number", json!({ "jkt": 7 })),
        unusable("cnf-hex", "hexadecimal", json!({ "x5t#S256": RFC_X5T_HEX })),
        // The example of RFC 8705 §3.1 has bits left over that are not zero.
        unusable("cnf-stray-bits", "not canonical", json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" })),
    ]
}

fn issuers() -> Vec<Draft> {
    let (jkt, plain) = (bound(&P256), token());
    let ignoring = both().issuer("sender_constrained", "ignore");
    let required = both().issuer("dpop", "required");
    vec![
        vector(
            "sender-ignored",
            "an issuer whose `cnf` nobody looks at",
            &["sender.ignore"],
        )
        .policy(ignoring.clone())
        .ask(jkt.clone(), allow())
        .ask(get("/").by_dpop(&jkt), allow())
        .ask(get("/").by_dpop(&plain), allow())
        .ask(by_certificate(), allow())
        .ask(with_cnf(json!({})), allow()),
        vector(
            "sender-ignored-unproven",
            "it proves nothing",
            &["sender.ignore", "rule.proof"],
        )
        .policy(ignoring.requires(json!({ "proof": "any" })))
        .ask(get("/").dpop(&jkt, &proof("1", &jkt)), Code::ProofMissing),
        vector(
            "sender-ignored-one",
            "another issuer's is looked at",
            &["sender.ignore"],
        )
        .policy(
            both()
                .and_issuer("other", "https://other.example", &B)
                .issuer_at(1, "sender_constrained", "ignore"),
        )
        .ask(
            jkt.clone().claim("iss", "https://other.example").key(&B),
            allow(),
        )
        .ask(jkt.clone(), Code::ProofMissing),
        vector(
            "sender-required",
            "every token of an issuer is bound to a key",
            &["sender.required"],
        )
        .policy(required)
        .ask(get("/").dpop(&jkt, &proof("1", &jkt)), allow())
        .ask(plain.clone(), deny(Code::ProofMissing).naming("cnf"))
        .ask(
            get("/").bearer(&by_certificate()).certificate(RFC_X5T_HEX),
            Code::ProofMissing,
        )
        .ask(with_cnf(json!({})), Code::ProofInvalid),
        vector(
            "sender-optional",
            "the default, said aloud",
            &["sender.required"],
        )
        .policy(both().issuer("dpop", "optional"))
        .ask(plain, allow())
        .ask(jkt, Code::ProofMissing),
    ]
}

fn rules() -> Vec<Draft> {
    let (key, certificate, plain) = (bound(&P256), by_certificate(), token());
    let two = with_cnf(json!({ "jkt": P256.thumbprint(), "x5t#S256": RFC_X5T }));
    let asking = |id, title, proof: &str| {
        vector(id, title, &["rule.proof"]).policy(both().requires(json!({ "proof": proof })))
    };
    let missing = || deny(Code::ProofMissing).naming("cnf");
    let by_key = |jti: &str, token: &Token| get("/").dpop(token, &proof(jti, token));
    let tls = |request: Request| request.certificate(RFC_X5T_HEX);
    vec![
        asking("rule-proof-any", "a rule asks for any proof", "any")
            .ask(by_key("1", &key), allow())
            .ask(tls(get("/").bearer(&certificate)), allow())
            .ask(tls(by_key("2", &two)), allow())
            .ask(plain.clone(), missing())
            .ask(tls(get("/").bearer(&plain)), missing()),
        asking("rule-proof-mtls", "for a certificate", "mtls")
            .ask(tls(get("/").bearer(&certificate)), allow())
            .ask(tls(by_key("1", &two)), allow())
            .ask(tls(by_key("2", &key)), missing()),
        asking("rule-proof-dpop", "for a key", "dpop")
            .ask(by_key("1", &key), allow())
            .ask(tls(by_key("2", &two)), allow())
            .ask(tls(get("/").bearer(&certificate)), missing()),
        vector(
            "rule-proof-any-of",
            "for one of both, in alternatives",
            &["rule.proof", "rule.any-of"],
        )
        .policy(both().requires(json!({ "any_of": [{ "proof": "mtls" }, { "roles": ["robot"] }] })))
        .ask(plain.clone(), missing())
        .ask(plain.clone().claim("roles", json!(["robot"])), allow())
        .ask(tls(get("/").bearer(&certificate)), allow()),
        vector(
            "order-age-proof",
            "too old, and no proof",
            &["order.rule-age"],
        )
        .policy(both().requires(json!({ "max_token_age_s": 5, "proof": "any" })))
        .ask(plain.clone(), Code::TokenTooOld),
        vector(
            "order-any-of-proof",
            "no role, and no proof",
            &["order.rule-any-of", "order.rule-proof"],
        )
        .policy(both().requires(json!({ "any_of": [{ "roles": ["a"] }], "proof": "any" })))
        .ask(plain.clone(), Code::RoleDenied),
        vector(
            "order-proof-authentication",
            "no proof, and an old sign-in",
            &["order.rule-proof"],
        )
        .policy(both().requires(json!({ "acr_values": ["phr"], "proof": "any" })))
        .ask(plain.clone(), Code::ProofMissing),
        vector(
            "order-revocation-sender",
            "revoked, and without a proof",
            &["order.revocation", "order.sender"],
        )
        .policy(both().issuer(
            "revocations",
            json!({ "uri": "https://auth.example.com/revoked.json" }),
        ))
        .due(&["revocations"])
        .accept("revocations", ok(&json!({ "jti": ["token-0815"] })))
        .ask(key.clone(), Code::TokenRevoked),
        vector(
            "order-sender-rule",
            "without a proof, and without a role",
            &["order.sender"],
        )
        .policy(both().requires(json!({ "roles": ["admin"] })))
        .ask(key.clone(), Code::ProofMissing)
        .ask(by_key("1", &key), Code::RoleDenied),
        vector(
            "sender-bad-token",
            "a bad proof counts as a bad token",
            &["rule.ignore-bad"],
        )
        .policy(both().rules(json!([{ "path": "/**", "optional": { "bad_token": "ignore" } }])))
        .ask(key.clone(), anonymous())
        .ask(get("/").by_dpop(&plain), anonymous())
        .ask(
            by_key("1", &key),
            principal(json!({ "subject": "user-4711" })),
        ),
    ]
}

fn token_only() -> Vec<Draft> {
    let (key, certificate) = (bound(&P256), by_certificate());
    let asked = |proof: &str| Some(json!({ "proof": proof }));
    vec![
        vector(
            "token-only-bound",
            "a bound token without a request",
            &["sender.token-only"],
        )
        .policy(both())
        .token(key.compact(), None, deny(Code::ProofMissing).naming("cnf"))
        .token(certificate.compact(), None, Code::ProofMissing)
        .token(with_cnf(json!({})).compact(), None, Code::ProofInvalid)
        .token(token().compact(), None, allow()),
        vector(
            "token-only-proven",
            "after a request with it",
            &["sender.token-only", "rule.proof"],
        )
        .policy(both())
        .proven(key.compact(), None, allow())
        .proven(key.compact(), asked("any"), allow())
        .proven(key.compact(), asked("dpop"), allow())
        .proven(key.compact(), asked("mtls"), Code::ProofMissing)
        .proven(certificate.compact(), asked("mtls"), allow())
        .proven(certificate.compact(), asked("dpop"), Code::ProofMissing)
        .proven(with_cnf(json!({})).compact(), None, Code::ProofInvalid)
        .proven(token().compact(), asked("any"), Code::ProofMissing),
        vector(
            "token-only-required",
            "of an issuer whose tokens are bound",
            &["sender.token-only", "sender.required"],
        )
        .policy(both().issuer("dpop", "required"))
        .token(token().compact(), None, Code::ProofMissing)
        .proven(token().compact(), None, Code::ProofMissing)
        .proven(key.compact(), None, allow()),
    ]
}

fn refused() -> Vec<Draft> {
    let refused = |id, title, policy: Policy, problems: &[(&str, &str)]| {
        vector(id, title, &["sender.policy"])
            .policy(policy)
            .refused(problems)
    };
    let header = json!({ "header": "x-a", "format": "xfcc", "trusted_proxies": ["10.0.0.0/8"] });
    vec![
        refused(
            "policy-sender-ignored",
            "ignored and required",
            both().issuer("dpop", "required").issuer("sender_constrained", "ignore"),
            &[("conflict", "/issuers/0/dpop")],
        ),
        refused(
            "policy-proof-secret",
            "a proof with a shared secret",
            both().top("dpop", json!({ "algorithms": ["ES256", "HS256"] })),
            &[("value_invalid", "/dpop/algorithms")],
        ),
        refused(
            "policy-nonce-secret",
            "the host has no such secret, or a short one",
            both().top("dpop", json!({ "nonce": { "secret_from": ["none", "short"] } })),
            &[
                ("secret_missing", "/dpop/nonce/secret_from/0"),
                ("key_unusable", "/dpop/nonce/secret_from/1"),
            ],
        )
        .secret("short", &"k".repeat(31)),
        refused(
            "policy-certificate-header",
            "the header is one that the gate sets",
            both().top("client_certificate", header).top("forward", json!({ "X-A": "subject" })),
            &[("conflict", "/client_certificate/header")],
        ),
        refused(
            "policy-proxies",
            "networks that are none",
            both().top(
                "client_certificate",
                json!({ "header": "x-a", "format": "pem", "trusted_proxies": ["10.0.0.0/33", "a.example", "10.0.0.0/-1", "::1"] }),
            ),
            &[
                ("value_invalid", "/client_certificate/trusted_proxies/0"),
                ("value_invalid", "/client_certificate/trusted_proxies/1"),
                ("value_invalid", "/client_certificate/trusted_proxies/2"),
            ],
        ),
        refused(
            "policy-proof-fips",
            "validated cryptography, and proofs",
            both().top("fips", true).top("signatures", "native"),
            &[("conflict", "/fips")],
        )
        .only_if(Signatures::Module),
    ]
}

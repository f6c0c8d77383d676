//! Key documents: which are accepted and which are refused.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [forms(), sets(), duplicates(), secrets()].concat();
    topic(
        "documents",
        "Key documents: what is used and what is refused",
        drafts,
    )
}

/// A valid set, and then this one, which is refused: the old keys stay.
fn refused(id: &str, title: &str, rule: &str, body: impl Into<crate::vector::Bytes>) -> Draft {
    vector(id, title, &[rule])
        .policy(fetching())
        .due(&["jwks"])
        .accept("jwks", ok(&jwks([A.public()])))
        .refuse("jwks", response(200, "", body))
        .ask(token(), allow())
}

/// A set that is accepted as a whole.
pub(super) fn used(id: &str, title: &str, rule: &str, keys: impl Into<Vec<Value>>) -> Draft {
    vector(id, title, &[rule])
        .policy(fetching())
        .due(&["jwks"])
        .accept("jwks", ok(&jwks(keys)))
}

/// The same for a policy that limits the number of keys.
fn used_within(id: &str, title: &str, most: usize, keys: impl Into<Vec<Value>>) -> Draft {
    used(id, title, "jwks.form", keys)
        .policy(fetching().top("limits", json!({ "document_keys": most })))
}

fn forms() -> Vec<Draft> {
    let rule = "jwks.form";
    let good = jwks([A.public()]).to_string();
    let full = |keys: usize| -> Vec<Value> {
        let more = (1..keys).map(|n| B.with(json!({ "kid": format!("k{n}") })));
        std::iter::once(A.public()).chain(more).collect()
    };
    vec![
        refused(
            "jwks-html",
            "HTML",
            rule,
            "<!doctype html><title>Sign in</title>",
        ),
        refused("jwks-empty-body", "nothing", rule, ""),
        refused(
            "jwks-truncated",
            "half of a document",
            rule,
            &good.as_bytes()[..good.len() / 2],
        ),
        refused(
            "jwks-array",
            "an array of keys",
            rule,
            json!([A.public()]).to_string(),
        ),
        refused(
            "jwks-single-key",
            "a key that is not in a set",
            rule,
            A.public().to_string(),
        ),
        refused(
            "jwks-keys-object",
            "`keys` is an object",
            rule,
            json!({ "keys": { "a": A.public() } }).to_string(),
        ),
        refused(
            "jwks-keys-null",
            "`keys` is `null`",
            rule,
            r#"{"keys":null}"#,
        ),
        refused(
            "jwks-duplicate",
            "`keys` twice",
            rule,
            format!(r#"{{"keys":[],"keys":[{}]}}"#, A.public()),
        )
        .attack("duplicate-members"),
        refused(
            "jwks-duplicate-deep",
            "`kid` twice in a key",
            rule,
            good.replace("{\"kty\"", "{\"kid\":\"x\",\"kty\""),
        )
        .attack("duplicate-members"),
        refused(
            "jwks-not-utf8",
            "a byte that is no UTF-8",
            rule,
            b"{\"keys\":[],\"x\":\"\xff\"}",
        ),
        refused(
            "jwks-too-deep",
            "17 levels",
            rule,
            format!(r#"{{"keys":[],"x":{}{}}}"#, "[".repeat(16), "]".repeat(16)),
        )
        .attack("json-bombs"),
        used("jwks-101-keys", "101 keys", rule, full(101)).ask(token(), allow()),
        used_within(
            "jwks-keys-most",
            "as many keys as the policy reads",
            3,
            full(3),
        )
        .ask(token(), allow()),
        used_within("jwks-keys-over", "a key more", 3, full(2))
            .refuse("jwks", ok(&jwks(full(4))))
            .ask(token().key(&B), Code::KeyUnknown)
            .ask(token(), allow()),
        used_within(
            "jwks-keys-others",
            "keys that fit no algorithm of the issuer do not count",
            3,
            full(3),
        )
        .accept_but(
            "jwks",
            ok(&jwks(
                [A.public()]
                    .into_iter()
                    .chain((0..4).map(|n| P384.with(json!({ "kid": format!("p{n}") }))))
                    .collect::<Vec<_>>(),
            )),
            &["/keys/1", "/keys/2", "/keys/3", "/keys/4"],
        )
        .ask(token(), allow()),
        refused(
            "jwks-two-documents",
            "something behind the document",
            rule,
            format!("{good} {good}"),
        ),
        refused(
            "jwks-comma",
            "a comma behind the last key",
            rule,
            good.replace("}]", "},]"),
        ),
        refused(
            "jwks-no-comma",
            "no comma between two keys",
            rule,
            format!("{{\"keys\":[{} {}]}}", A.public(), B.public()),
        ),
        refused(
            "jwks-name-number",
            "a member whose name is a number",
            rule,
            good.replace("{\"keys\"", "{1:2,\"keys\""),
        ),
        refused(
            "jwks-duplicate-escaped",
            "`keys` twice, once with an escape",
            rule,
            format!(r#"{{"keys":[],"\u006beys":[{}]}}"#, A.public()),
        )
        .attack("duplicate-members"),
        used_within(
            "jwks-bytes-over",
            "a byte more than the policy reads",
            3,
            full(1),
        )
        .policy(fetching().top("limits", json!({ "document_bytes": 2_000 })))
        .refuse(
            "jwks",
            response(200, "", format!("{good}{}", " ".repeat(2_001 - good.len()))),
        )
        .accept(
            "jwks",
            response(200, "", format!("{good}{}", " ".repeat(2_000 - good.len()))),
        ),
        used(
            "jwks-more-members",
            "members of nobody's interest",
            rule,
            [A.with(json!({ "x5t": "AAAA", "ext": true }))],
        )
        .ask(token(), allow()),
    ]
}

fn sets() -> Vec<Draft> {
    let oct = || json!({ "kty": "oct", "kid": "s", "k": encode([7; 64]) });
    vec![
        used("jwks-empty", "an empty set", "jwks.empty", []).ask(token(), Code::KeyUnknown),
        used(
            "jwks-emptied",
            "an empty set after a full one",
            "jwks.empty",
            [A.public()],
        )
        .ask(token(), allow())
        .accept("jwks", ok(&jwks([])))
        .ask(token(), Code::KeyUnknown),
        refused(
            "jwks-none-usable",
            "only unusable keys",
            "jwks.none-usable",
            jwks([WEAK.public(), json!({})]).to_string(),
        ),
        refused(
            "jwks-symmetric",
            "a secret",
            "jwks.symmetric",
            jwks([oct()]).to_string(),
        )
        .attack("key-misuse"),
        refused(
            "jwks-mixed",
            "a secret among public keys",
            "jwks.symmetric",
            jwks([A.public(), oct()]).to_string(),
        )
        .attack("key-misuse"),
        refused(
            "jwks-mixed-unusable",
            "even one that could not be used",
            "jwks.symmetric",
            jwks([A.public(), json!({ "kty": "oct" })]).to_string(),
        ),
        vector(
            "jwks-symmetric-first",
            "a secret in the first set: there are no keys",
            &["jwks.symmetric", "keys.unavailable"],
        )
        .attack("blank-or-weak-hmac")
        .policy(fetching())
        .due(&["jwks"])
        .refuse("jwks", ok(&jwks([A.public(), oct()])))
        .ask(token(), Code::KeysUnavailable),
        vector(
            "jwks-inline-symmetric",
            "a secret in an inline set",
            &["jwks.symmetric"],
        )
        .policy(policy().keys([A.public(), oct()]))
        .refused(&[("jwks_symmetric", "/issuers/0/keys/jwks/keys")]),
    ]
}

fn duplicates() -> Vec<Draft> {
    let rule = "jwks.duplicate";
    vec![
        used(
            "jwks-duplicate-kid",
            "two keys of one `kid` are no duplicates",
            rule,
            [A.public(), B.with(json!({ "kid": A.kid() }))],
        )
        .attack("key-misuse")
        .ask(token(), allow())
        .ask(token().signed_by(&B), allow()),
        vector("jwks-same-key-twice", "the same key", &[rule, "jwks.skip"])
            .policy(fetching())
            .due(&["jwks"])
            .accept_but("jwks", ok(&jwks([A.public(), A.public()])), &["/keys/1"])
            .ask(token(), allow()),
        used(
            "jwks-nameless-twice",
            "keys without `kid` are no duplicates",
            rule,
            [A.nameless(json!({})), B.nameless(json!({}))],
        )
        .ask(token().without_header("kid").signed_by(&B), allow()),
    ]
}

fn secrets() -> Vec<Draft> {
    let of = |alg: &str, bytes: usize| {
        policy().issuer("algorithms", json!([alg])).issuer(
            "keys",
            json!({ "secrets": [{ "kid": "s", "k": encode(vec![b'k'; bytes]) }] }),
        )
    };
    let short = |id, title, alg: &str, bytes| {
        vector(id, title, &["secrets.length"])
            .attack("blank-or-weak-hmac")
            .policy(of(alg, bytes))
            .refused(&[("key_unusable", "/issuers/0/keys/secrets/0")])
    };
    vec![
        short("secret-empty", "an empty secret", "HS256", 0),
        short("secret-short-256", "31 bytes for HS256", "HS256", 31),
        short("secret-short-384", "47 bytes for HS384", "HS384", 47),
        short("secret-short-512", "63 bytes for HS512", "HS512", 63),
        vector("secret-exact", "32 bytes for HS256", &["secrets.length"])
            .policy(of("HS256", 32))
            .ask(
                {
                    let token = token().header("alg", "HS256").header("kid", "s");
                    let tag = hmac::<::hmac::Hmac<sha2::Sha256>>(
                        &[b'k'; 32],
                        token.signing_input().as_bytes(),
                    );
                    token.signature(tag)
                },
                allow(),
            ),
    ]
}

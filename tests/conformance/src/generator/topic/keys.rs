//! The key that verifies a token.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [choice(), several(), injection()].concat();
    topic("keys", "Which key verifies a token", drafts)
}

fn choice() -> Vec<Draft> {
    let both = || policy().keys([A.public(), B.public()]);
    vec![
        vector("key-first", "the key of the token's `kid`", &["key.by-kid"])
            .policy(both())
            .ask(token(), allow()),
        vector(
            "key-second",
            "also where it is not the first",
            &["key.by-kid"],
        )
        .policy(both())
        .ask(token().key(&B), allow()),
        vector("key-unknown", "no key of that `kid`", &["key.by-kid"])
            .policy(both())
            .ask(token().header("kid", "gone"), Code::KeyUnknown),
        vector("key-kid-case", "`kid` compares with case", &["key.by-kid"])
            .ask(token().header("kid", "RSA-2048-A"), Code::KeyUnknown),
        vector(
            "key-kid-empty",
            "an empty `kid` is a `kid`",
            &["key.by-kid"],
        )
        .ask(token().header("kid", ""), Code::KeyUnknown),
        vector(
            "key-other-named",
            "signed with one key, named another",
            &["key.one-try"],
        )
        .policy(both())
        .ask(token().signed_by(&B), Code::SignatureInvalid),
        vector(
            "key-no-kid-one",
            "no `kid`, one key that fits",
            &["key.without-kid"],
        )
        .ask(token().without_header("kid"), allow()),
        vector(
            "key-no-kid-one-nameless",
            "no `kid`, one key without one",
            &["key.without-kid"],
        )
        .policy(
            policy()
                .keys([
                    A.with(json!({ "alg": "RS256" })),
                    B.nameless(json!({ "alg": "RS384" })),
                ])
                .issuer("algorithms", json!(["RS256", "RS384"])),
        )
        .ask(
            token().without_header("kid").signed_by(&B).alg("RS384"),
            allow(),
        ),
        vector(
            "key-no-kid-two",
            "no `kid`, two keys that fit",
            &["key.without-kid"],
        )
        .policy(both())
        .ask(token().without_header("kid"), allow())
        .ask(token().without_header("kid").signed_by(&B), allow())
        .ask(
            token().without_header("kid").signed_by(&LONG),
            Code::SignatureInvalid,
        ),
        vector(
            "key-no-kid-by-alg",
            "no `kid`, two keys, one for the algorithm",
            &["key.without-kid"],
        )
        .policy(
            policy()
                .keys([
                    A.with(json!({ "alg": "RS256" })),
                    B.with(json!({ "alg": "RS512" })),
                ])
                .issuer("algorithms", json!(["RS256", "RS512"])),
        )
        .ask(token().without_header("kid"), allow())
        .ask(
            token().without_header("kid").signed_by(&B).alg("RS512"),
            allow(),
        ),
        vector(
            "key-no-kid-none",
            "no `kid`, no key that fits",
            &["key.without-kid"],
        )
        .policy(
            policy()
                .keys([A.with(json!({ "alg": "RS256" }))])
                .issuer("algorithms", json!(["RS256", "RS512"])),
        )
        .ask(token().without_header("kid").alg("RS512"), Code::KeyUnknown),
        vector(
            "key-nameless-not-by-kid",
            "a key without `kid` is not the one of a `kid`",
            &["key.by-kid"],
        )
        .policy(policy().keys([A.nameless(json!({ "alg": "RS256" }))]))
        .ask(token(), Code::KeyUnknown)
        .ask(token().without_header("kid"), allow()),
        vector(
            "key-other-algorithm",
            "the key is for another algorithm",
            &["key.fits"],
        )
        .attack("key-misuse")
        .policy(
            policy()
                .keys([A.with(json!({ "alg": "RS256" }))])
                .issuer("algorithms", json!(["RS256", "RS512"])),
        )
        .ask(token().alg("RS512"), Code::KeyUnsuitable),
        vector(
            "key-same-kid-two-algorithms",
            "one `kid` for two algorithms: the algorithm decides",
            &["key.fits", "key.by-kid"],
        )
        .policy(
            policy()
                .keys([
                    A.with(json!({ "kid": "k", "alg": "RS256" })),
                    B.with(json!({ "kid": "k", "alg": "RS512" })),
                ])
                .issuer("algorithms", json!(["RS256", "RS512"])),
        )
        .ask(token().header("kid", "k"), allow())
        .ask(
            token().header("kid", "k").signed_by(&B).alg("RS512"),
            allow(),
        )
        .ask(
            token().header("kid", "k").signed_by(&B),
            Code::SignatureInvalid,
        ),
    ]
}

/// Keys for RS256 without a `kid`; the last ones verify no token here.
fn nameless(count: usize) -> Vec<Value> {
    let keys = [&A, &B, &E3, &LONG].map(|key| key.nameless(json!({})));
    let more = ["AQAD", "AQAF"].map(|e| A.nameless(json!({ "e": e })));
    keys.into_iter().chain(more).take(count).collect()
}

fn several() -> Vec<Draft> {
    let unnamed = || token().without_header("kid");
    let last_first = |count| {
        let mut keys = nameless(count);
        keys.reverse();
        policy().keys(keys)
    };
    let named = |key: &Key| key.with(json!({ "kid": "k" }));
    let kid = || token().header("kid", "k");
    vec![
        vector("key-four", "no `kid`, the fourth key", &["key.four"])
            .policy(last_first(4))
            .ask(unnamed(), allow())
            .ask(unnamed().signed_by(&LONG), allow()),
        vector("key-fifth", "no `kid`, the fifth key", &["key.four"])
            .policy(last_first(5))
            .ask(unnamed(), Code::KeyUnknown)
            .ask(unnamed().signed_by(&B), allow()),
        vector(
            "key-fifth-named",
            "keys of any `kid` count",
            &["key.four", "key.without-kid"],
        )
        .policy({
            let mut keys = nameless(6).split_off(2);
            keys.extend([A.public(), B.nameless(json!({}))]);
            policy().keys(keys)
        })
        .ask(unnamed(), Code::KeyUnknown)
        .ask(unnamed().signed_by(&E3), allow())
        .ask(token(), allow()),
        vector(
            "key-four-other-algorithm",
            "keys for other algorithms do not count",
            &["key.four"],
        )
        .policy({
            let mut keys: Vec<Value> = nameless(6).split_off(2);
            keys.iter_mut().for_each(|key| key["alg"] = "RS512".into());
            keys.push(A.nameless(json!({ "alg": "RS256" })));
            policy()
                .keys(keys)
                .issuer("algorithms", json!(["RS256", "RS512"]))
        })
        .ask(unnamed(), allow()),
        vector(
            "key-one-kid-several",
            "several keys of one `kid`",
            &["key.one-kid"],
        )
        .policy(policy().keys([named(&A), named(&B), E3.public()]))
        .ask(kid(), allow())
        .ask(kid().signed_by(&B), allow())
        .ask(kid().signed_by(&E3), Code::SignatureInvalid),
        vector(
            "key-one-kid-five",
            "five keys of one `kid`",
            &["key.one-kid", "key.four"],
        )
        .policy({
            let mut keys = nameless(5);
            keys.reverse();
            keys.iter_mut().for_each(|key| key["kid"] = "k".into());
            policy().keys(keys)
        })
        .ask(kid(), Code::KeyUnknown)
        .ask(kid().signed_by(&B), allow()),
        vector(
            "key-is-its-own",
            "the key that verifies is the token's, for revocation too",
            &["key.its-own"],
        )
        .policy(policy().keys([A.public(), B.public()]).issuer(
            "revocations",
            json!({ "uri": "https://auth.example.com/revoked" }),
        ))
        .due(&["revocations"])
        .ask(unnamed().signed_by(&B), allow())
        .accept("revocations", ok(&json!({ "kid": [B.kid()] })))
        .ask(unnamed(), allow())
        .ask(unnamed().signed_by(&B), Code::TokenRevoked),
        vector(
            "key-issuer-ignored",
            "a key's member `issuer`, where the policy names the issuer exactly",
            &["key.issuer-exact"],
        )
        .policy(policy().keys([A.with(json!({ "issuer": "https://other.example/{tenantid}" }))]))
        .ask(token(), allow()),
        vector(
            "rotate-secrets",
            "an old and a new secret without `kid`",
            &["key.without-kid", "signature.hmac"],
        )
        .policy({
            let secret = |byte: u8| json!({ "k": encode([byte; 32]) });
            policy()
                .issuer("algorithms", json!(["HS256"]))
                .issuer("keys", json!({ "secrets": [secret(1), secret(2)] }))
        })
        .ask(by_secret(1), allow())
        .ask(by_secret(2), allow())
        .ask(by_secret(3), Code::SignatureInvalid),
    ]
}

/// A token without `kid`, signed with a secret of this byte.
pub(super) fn by_secret(byte: u8) -> Token {
    let token = token().without_header("kid").header("alg", "HS256");
    let tag = hmac::<::hmac::Hmac<sha2::Sha256>>(&[byte; 32], token.signing_input().as_bytes());
    token.signature(tag)
}

fn injection() -> Vec<Draft> {
    let strings = [
        ("path", "a path", "../../../../dev/null"),
        ("sql", "SQL", "x' UNION SELECT '1';--"),
        ("shell", "a shell command", "rsa-2048-a|sleep 10"),
        ("url", "a URL", "https://evil.example/key"),
        ("nul", "a NUL after the name", "rsa-2048-a\0.pem"),
        ("pointer", "a JSON Pointer", "/keys/0"),
        (
            "long",
            "a long one",
            "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
        ),
    ];
    strings
        .iter()
        .map(|(id, title, kid)| {
            vector(
                &format!("key-kid-{id}"),
                &format!("`kid` is {title}"),
                &["key.by-kid"],
            )
            .attack("kid-injection")
            .ask(token().header("kid", *kid), Code::KeyUnknown)
        })
        .collect()
}

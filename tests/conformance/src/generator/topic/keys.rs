//! The key that verifies a token.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [choice(), injection()].concat();
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
        .ask(token().without_header("kid"), Code::KeyUnknown),
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

//! Several sources of keys of one issuer.

use super::{
    keys::by_secret,
    lifecycle::{a_set, long_lived},
    prelude::*,
};
use crate::vector::{Document, Expect};

pub(super) fn vectors() -> Topic {
    let drafts = [algorithms(), candidates(), failures(), policies()].concat();
    topic(
        "key-sources",
        "Several sources of keys of one issuer",
        drafts,
    )
}

const ONE: &str = "https://one.example/jwks";
const TWO: &str = "https://two.example/jwks";

fn secret(byte: u8) -> Value {
    json!({ "secrets": [{ "k": encode([byte; 32]) }], "algorithms": ["HS256"] })
}

fn at(uri: &str) -> Document {
    Document {
        uri: Some(uri.into()),
        ..document("platform", "jwks")
    }
}

fn waits(uris: &[&str]) -> Expect {
    Expect::Wait(uris.iter().map(|uri| at(uri)).collect())
}

fn of(algorithms: Value, keys: Value) -> Policy {
    policy()
        .issuer("algorithms", algorithms)
        .issuer("keys", keys)
}

/// Two documents for RS256.
fn two(id: &str, title: &str, rules: &[&str]) -> Draft {
    vector(id, title, rules)
        .policy(of(
            json!(["RS256"]),
            json!([
                { "jwks_uri": ONE, "algorithms": ["RS256"] },
                { "jwks_uri": TWO, "algorithms": ["RS256"], "stale_s": 0 },
            ]),
        ))
        .due_of([at(ONE), at(TWO)])
}

fn algorithms() -> Vec<Draft> {
    let rule = "key.sources";
    let moving = || {
        of(
            json!(["RS256", "HS256"]),
            json!([{ "jwks_uri": ONE, "algorithms": ["RS256"] }, secret(1)]),
        )
    };
    vec![
        vector(
            "sources-move",
            "from a secret to a published key",
            &[rule, "key.without-kid"],
        )
        .policy(moving())
        .due_of([at(ONE)])
        .ask(by_secret(1), allow())
        .accept("jwks", a_set())
        .ask(by_secret(1), allow())
        .ask(token(), allow())
        .ask(by_secret(2), Code::SignatureInvalid),
        vector(
            "sources-key-as-secret",
            "the bytes of a published key as a secret",
            &[rule, "signature.hmac"],
        )
        .attack("rs-to-hs")
        .policy(moving())
        .due_of([at(ONE)])
        .accept("jwks", a_set())
        .ask_all(
            [A.pem().into_bytes(), A.spki(), A.bytes("n")].map(|secret| {
                let token = token().without_header("kid").header("alg", "HS256");
                let input = token.signing_input();
                let tag = hmac::<::hmac::Hmac<sha2::Sha256>>(&secret, input.as_bytes());
                token.signature(tag)
            }),
            Code::SignatureInvalid,
        ),
        vector(
            "sources-other-algorithm",
            "a key of a source that does not list the algorithm",
            &[rule],
        )
        .attack("key-misuse")
        .policy(of(
            json!(["RS256", "RS512"]),
            json!([
                { "jwks": jwks([A.with(json!({ "alg": "RS256" })), B.with(json!({ "alg": "RS512" }))]), "algorithms": ["RS256"] },
                { "jwks": jwks([E3.with(json!({ "alg": "RS512" }))]), "algorithms": ["RS512"] },
            ]),
        ))
        .ask(token(), allow())
        .ask(token().key(&E3).alg("RS512"), allow())
        .ask(token().key(&B).alg("RS512"), Code::KeyUnknown)
        .ask(
            token().signed_by(&B).without_header("kid").alg("RS512"),
            Code::SignatureInvalid,
        ),
        vector(
            "sources-one-algorithm",
            "a key without `alg` is for the only algorithm of its source",
            &["jwks.one-algorithm", rule],
        )
        .policy(of(
            json!(["RS256", "RS512"]),
            json!([
                { "jwks": jwks([A.public()]), "algorithms": ["RS256"] },
                { "jwks": jwks([B.public()]), "algorithms": ["RS512"] },
            ]),
        ))
        .ask(token(), allow())
        .ask(token().key(&B).alg("RS512"), allow())
        .ask(token().key(&B), Code::KeyUnknown),
    ]
}

fn candidates() -> Vec<Draft> {
    let unnamed = || token().without_header("kid");
    let same = |key: &Key| key.with(json!({ "kid": "k" }));
    vec![
        two(
            "sources-same-kid",
            "one `kid` in two documents",
            &["key.one-kid", "key.sources"],
        )
        .accept_at(ONE, ok(&jwks([same(&A)])))
        .accept_at(TWO, ok(&jwks([same(&B)])))
        .ask(token().header("kid", "k"), allow())
        .ask(token().header("kid", "k").signed_by(&B), allow())
        .ask(
            token().header("kid", "k").signed_by(&E3),
            Code::SignatureInvalid,
        ),
        two(
            "sources-four",
            "four keys of all sources together",
            &["key.four", "key.sources"],
        )
        .accept_at(ONE, ok(&jwks([&A, &B, &E3].map(Key::public))))
        .accept_at(
            TWO,
            ok(&jwks([
                LONG.public(),
                A.with(json!({ "e": "Aw", "kid": "x" })),
            ])),
        )
        .ask(unnamed().signed_by(&LONG), allow())
        .ask(unnamed(), allow())
        .accept_at(
            TWO,
            ok(&jwks([
                A.with(json!({ "e": "Aw", "kid": "x" })),
                LONG.public(),
            ])),
        )
        .ask(unnamed().signed_by(&LONG), Code::KeyUnknown)
        .ask(unnamed(), allow()),
        two(
            "sources-withdrawn",
            "a key that one document has no longer",
            &["keys.withdrawn", "memory.same"],
        )
        .attack("cache-identity")
        .accept_at(ONE, ok(&jwks([A.public()])))
        .accept_at(TWO, ok(&jwks([B.public()])))
        .ask(token(), allow())
        .ask(token().key(&B), allow())
        .accept_at(TWO, ok(&jwks([])))
        .ask(token(), allow())
        .ask(token().key(&B), Code::KeyUnknown),
    ]
}

fn failures() -> Vec<Draft> {
    let rule = "keys.failed-source";
    let unavailable = |seconds| deny(Code::KeysUnavailable).retry_after(Some(seconds));
    vec![
        two(
            "sources-failed",
            "one source fails, the other's key verifies",
            &[rule],
        )
        .fail_at(ONE)
        .accept_at(TWO, ok(&jwks([B.public()])))
        .ask(token().key(&B), allow())
        .ask(token().key(&B).without_header("kid"), allow())
        .ask(token(), unavailable(1))
        .ask(token().key(&B).signed_by(&A), unavailable(1))
        .at(1_000)
        .ask(token(), waits(&[ONE]))
        .accept_at(ONE, a_set())
        .ask(token(), allow())
        .ask(token().key(&B).signed_by(&A), Code::SignatureInvalid),
        two(
            "sources-slow",
            "one source is slow, the other's key verifies",
            &[rule],
        )
        .accept_at(TWO, ok(&jwks([B.public()])))
        .ask(token().key(&B), allow())
        .ask(token(), waits(&[ONE])),
        two(
            "sources-refetch",
            "an unknown `kid` waits for every source",
            &["keys.unknown-kid", rule],
        )
        .accept_at(ONE, a_set())
        .accept_at(TWO, ok(&jwks([])))
        .ask(long_lived().key(&B), Code::KeyUnknown)
        .at(30_000)
        .ask(long_lived().key(&B), waits(&[ONE, TWO]))
        .accept_at(ONE, a_set())
        .ask(long_lived().key(&B), waits(&[TWO]))
        .accept_at(TWO, ok(&jwks([B.public()])))
        .ask(long_lived().key(&B), allow()),
        two(
            "sources-unsuitable",
            "a known `kid` that does not fit, while a source fails",
            &[rule, "key.fits"],
        )
        .accept_at(ONE, ok(&jwks([A.with(json!({ "alg": "RS512" }))])))
        .fail_at(TWO)
        .ask(token(), unavailable(1))
        .at(1_000)
        .ask(token(), waits(&[TWO]))
        .accept_at(TWO, ok(&jwks([])))
        .ask(token(), Code::KeyUnsuitable),
        two(
            "sources-stale",
            "keys of a source that are too old, also for remembered tokens",
            &["keys.stale", rule, "memory.same"],
        )
        .accept_at(
            ONE,
            response(200, "max-age=3600", jwks([A.public()]).to_string()),
        )
        .accept_at(
            TWO,
            response(200, "max-age=60", jwks([B.public()]).to_string()),
        )
        .ask(long_lived(), allow())
        .ask(long_lived().key(&B), allow())
        .at(59_999)
        .ask(long_lived().key(&B), allow())
        .at(60_000)
        .ask(long_lived(), allow())
        .ask(long_lived().key(&B), waits(&[ONE, TWO]))
        .accept_at(ONE, a_set())
        .fail_at(TWO)
        .ask(long_lived().key(&B), unavailable(1))
        .ask(long_lived(), allow()),
        vector(
            "sources-discovery",
            "metadata beside a secret",
            &["discovery.keys", "key.sources"],
        )
        .policy(of(
            json!(["RS256", "HS256"]),
            json!([secret(1), { "discovery": true, "algorithms": ["RS256"] }]),
        ))
        .due(&["discovery"])
        .ask(by_secret(1), allow())
        .ask(token(), wait(&["discovery"]))
        .accept(
            "discovery",
            ok(&json!({ "issuer": ISS, "jwks_uri": JWKS_URI })),
        )
        .due_of([at(JWKS_URI)])
        .accept("jwks", a_set())
        .ask(token(), allow()),
    ]
}

fn policies() -> Vec<Draft> {
    let rule = "policy.sources";
    let refused = |id, title, algorithms, keys, problem| {
        vector(id, title, &[rule])
            .policy(of(algorithms, keys))
            .refused(&[problem])
    };
    let five: Vec<Value> = (1..=5).map(|n| json!({ "k": encode([n; 32]) })).collect();
    let nine: Vec<Value> = vec![json!({ "jwks_uri": ONE, "algorithms": ["RS256"] }); 9];
    vec![
        refused(
            "sources-without-algorithms",
            "one of two sources says no algorithms",
            json!(["RS256", "HS256"]),
            json!([{ "jwks_uri": ONE }, secret(1)]),
            ("field_missing", "/issuers/0/keys/0"),
        ),
        refused(
            "sources-unserved",
            "an algorithm that no source has",
            json!(["RS256", "RS512", "HS256"]),
            json!([{ "jwks_uri": ONE, "algorithms": ["RS256"] }, secret(1)]),
            ("conflict", "/issuers/0/keys"),
        ),
        refused(
            "sources-unlisted",
            "an algorithm that the issuer does not list",
            json!(["RS256", "HS256"]),
            json!([{ "jwks_uri": ONE, "algorithms": ["RS256", "RS512"] }, secret(1)]),
            ("conflict", "/issuers/0/keys/0/algorithms"),
        ),
        refused(
            "sources-nine",
            "nine sources",
            json!(["RS256"]),
            json!(nine),
            ("too_many", "/issuers/0/keys"),
        ),
        refused(
            "sources-discovery-twice",
            "discovery twice",
            json!(["RS256"]),
            json!([
                { "discovery": true, "algorithms": ["RS256"] },
                { "discovery": true, "algorithms": ["RS256"] },
            ]),
            ("conflict", "/issuers/0/keys"),
        ),
        refused(
            "secrets-five",
            "five secrets of one algorithm without `kid`",
            json!(["HS256"]),
            json!({ "secrets": five }),
            ("conflict", "/issuers/0/keys"),
        ),
        refused(
            "secrets-five-sources",
            "also of two sources",
            json!(["HS256"]),
            json!([
                { "secrets": five[..3], "algorithms": ["HS256"] },
                { "secrets": five[3..], "algorithms": ["HS256"] },
            ]),
            ("conflict", "/issuers/0/keys"),
        ),
    ]
}

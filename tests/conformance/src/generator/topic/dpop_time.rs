//! Proofs of a key (RFC 9449) in time: their age, nonces, and their first use.

use ::hmac::Hmac;
use sha2::Sha256;

use super::{prelude::*, sender::both};

pub(super) fn vectors() -> Topic {
    let drafts = [age(), nonces(), first_use()].concat();
    topic(
        "dpop-time",
        "Proofs of a key: age, nonces, first use",
        drafts,
    )
}

fn access() -> Token {
    bound(&P256).claim("exp", NOW_S + 3_600)
}

fn shown(proof: &Token) -> Request {
    get("/").dpop(&access(), proof)
}

fn old(jti: &str, seconds: i64) -> Request {
    shown(&proof(jti, &access()).claim("iat", NOW_S - seconds))
}

fn age() -> Vec<Draft> {
    let iat = || deny(Code::ProofInvalid).naming("iat");
    let timed = |members: Value| both().top("dpop", members);
    vec![
        vector(
            "dpop-age",
            "at most a minute old, and not in the future",
            &["dpop.iat"],
        )
        .policy(both())
        .ask(old("1", 60), allow())
        .ask(old("2", 61), iat())
        .ask(old("3", 0), allow())
        .ask(old("4", -1), iat())
        .ask(shown(&proof("5", &access()).without("iat")), iat())
        .ask(
            shown(&proof("6", &access()).claim("iat", "1767225600")),
            iat(),
        )
        .ask(shown(&proof("7", &access()).claim("iat", 1e300)), iat()),
        vector(
            "dpop-age-leeway",
            "with leeway on both sides",
            &["dpop.iat"],
        )
        .policy(timed(json!({ "max_age_s": 10 })).top("leeway_s", 5))
        .ask(old("1", 15), allow())
        .ask(old("2", 16), iat())
        .ask(old("3", -5), allow())
        .ask(old("4", -6), iat()),
        vector(
            "dpop-age-issuer",
            "the leeway is the policy's, not that of an issuer",
            &["dpop.iat"],
        )
        .policy(both().issuer("leeway_s", 300))
        .ask(old("1", 61), iat())
        .ask(old("2", -1), iat()),
        vector("dpop-age-clock", "as time goes on", &["dpop.iat"])
            .policy(both())
            .at(60_000)
            .ask(old("1", 0), allow())
            .at(60_001)
            .ask(old("2", 0), iat())
            .at(-1)
            .ask(old("3", 0), iat()),
    ]
}

const OLD: &str = "old-secret-old-secret-old-secret-";
const NEW: &str = "new-secret-new-secret-new-secret-";

/// The nonce that this secret makes in a period of five minutes; 0 is the one of
/// [`NOW_S`].
fn nonce(secret: &str, period: i64) -> String {
    let number = u64::try_from(NOW_S / 300 + period).expect("a period");
    let message = [&b"countersign dpop nonce\0"[..], &number.to_be_bytes()].concat();
    encode(hmac::<Hmac<Sha256>>(secret.as_bytes(), &message))
}

fn nonces() -> Vec<Draft> {
    let policy = |from: Value| {
        let nonce = json!({ "secret_from": from });
        both().top("dpop", json!({ "algorithms": ["ES256"], "nonce": nonce }))
    };
    let draft = |id, title, rules: &[&str], from: Value| {
        vector(id, title, rules)
            .policy(policy(from))
            .secret("old", OLD)
            .secret("new", NEW)
    };
    let with = |jti: &str, nonce: &str, seconds: i64| {
        let proof = proof(jti, &access()).claims(json!({ "nonce": nonce, "iat": NOW_S + seconds }));
        shown(&proof)
    };
    let asked = |next: &str| {
        deny(Code::NonceRequired)
            .naming("nonce")
            .with_nonce(Some(next))
    };
    let (first, second, third) = (nonce(OLD, 0), nonce(OLD, 1), nonce(OLD, 2));
    let challenge = "Bearer realm=\"platform\", DPoP realm=\"platform\", error=\"use_dpop_nonce\", \
                     error_description=\"the proof of possession needs a new nonce\", algs=\"ES256\"";
    vec![
        draft(
            "nonce-asked",
            "a proof without the gate's nonce",
            &["dpop.nonce", "challenge.nonce"],
            json!("old"),
        )
        .ask(
            shown(&proof("1", &access())),
            asked(&first).challenging(challenge),
        )
        .ask(with("2", "", 0), asked(&first))
        .ask(with("3", &first[1..], 0), asked(&first))
        .ask(with("4", &nonce(NEW, 0), 0), asked(&first))
        .ask(
            shown(&proof("5", &access()).claim("nonce", 7)),
            asked(&first),
        )
        .ask(with("6", &first, 0), allow()),
        draft(
            "nonce-periods",
            "it is good in its period and the next one",
            &["dpop.nonce"],
            json!("old"),
        )
        .attack("dpop-old-nonce")
        .ask(with("1", &nonce(OLD, -1), 0), allow())
        .ask(with("2", &nonce(OLD, -2), 0), asked(&first))
        .ask(with("3", &second, 0), asked(&first))
        .at(299_999)
        .ask(with("4", &first, 299), allow())
        .at(300_000)
        .ask(with("5", &first, 300), allow())
        .ask(with("6", &second, 300), allow())
        .at(599_999)
        .ask(with("7", &first, 599), allow())
        .at(600_000)
        .ask(with("8", &first, 600), asked(&third)),
        draft(
            "nonce-secrets",
            "an old secret beside the new one",
            &["dpop.nonce"],
            json!(["new", "old"]),
        )
        .ask(with("1", &first, 0), allow())
        .ask(with("2", &nonce(NEW, 0), 0), allow())
        .ask(with("3", "x", 0), asked(&nonce(NEW, 0))),
        draft(
            "nonce-every-401",
            "every 401 of such a rule has a new one, and nothing else",
            &["challenge.nonce"],
            json!("old"),
        )
        .ask(get("/"), deny(Code::TokenMissing).with_nonce(Some(&first)))
        .ask(
            token().claim("exp", 0),
            deny(Code::TokenExpired).with_nonce(Some(&first)),
        )
        .ask(access(), deny(Code::ProofMissing).with_nonce(Some(&first)))
        .ask(with("1", &first, 0), allow())
        .ask(
            with("1", &first, 0),
            deny(Code::ProofReplayed).with_nonce(Some(&first)),
        )
        .ask(get("//"), deny(Code::RequestAmbiguous).with_nonce(None)),
        draft(
            "nonce-not-403",
            "a 403, and a rule that reads no proofs",
            &["challenge.nonce"],
            json!("old"),
        )
        .policy(policy(json!("old")).rules(json!([
            { "path": "/bearer", "require": {}, "credentials": [{ "header": "x-token" }] },
            { "path": "/**", "require": { "roles": ["admin"], "scopes": ["read"] } },
        ])))
        .ask(get("/bearer"), deny(Code::TokenMissing).with_nonce(None))
        .ask(token(), deny(Code::ScopeInsufficient).with_nonce(None)),
        draft(
            "nonce-ignored-token",
            "an optional rule asks for it too",
            &["rule.ignore-bad", "dpop.nonce"],
            json!("old"),
        )
        .policy(
            policy(json!("old"))
                .rules(json!([{ "path": "/**", "optional": { "bad_token": "ignore" } }])),
        )
        .ask(shown(&proof("1", &access())), asked(&first))
        .ask(
            with("2", &first, 0),
            principal(json!({ "subject": "user-4711" })),
        ),
        vector(
            "nonce-unasked",
            "a nonce for which nobody asks",
            &["dpop.nonce"],
        )
        .policy(both())
        .ask(with("1", "anything", 0), allow()),
    ]
}

fn first_use() -> Vec<Draft> {
    let replayed = || deny(Code::ProofReplayed).naming_none();
    let draft = |id, title, rules: &[&str]| vector(id, title, rules).policy(both());
    let (one, other) = (access(), access().claim("jti", "another"));
    let post = |token: &Token, jti: &str| {
        let proof = proof(jti, token).claim("htm", "POST");
        request("POST", "/").dpop(token, &proof)
    };
    vec![
        draft("dpop-replay", "a proof is used once", &["dpop.first-use"])
            .attack("dpop-replay")
            .ask(shown(&proof("1", &one)), allow())
            .ask(shown(&proof("1", &one)), replayed())
            .ask(shown(&proof("2", &one)), allow())
            .ask(shown(&proof("1", &one)), replayed()),
        draft("dpop-replay-jti", "so is a `jti`, whatever else the proof says", &["dpop.first-use"])
            .ask(shown(&proof("1", &one)), allow())
            .ask(shown(&proof("1", &one).claim("iat", NOW_S - 1)), replayed())
            .ask(get("/").dpop(&other, &proof("1", &other)), replayed())
            .ask(post(&one, "1"), replayed())
            .ask(post(&one, "2"), allow()),
        draft("dpop-replay-key", "the `jti` of another key is another one", &["dpop.first-use"])
            .ask(shown(&proof("1", &one)), allow())
            .ask(
                {
                    let access = bound(&ED);
                    let proof = proof("1", &access).signed_by(&ED).alg("EdDSA").header("jwk", ED.nameless(json!({})));
                    get("/").dpop(&access, &proof)
                },
                allow(),
            ),
        draft("dpop-replay-denied", "a request that is denied uses nothing up", &["dpop.first-use"])
            .policy(both().rules(json!([{ "path": "/", "methods": ["GET"], "require": { "scopes": ["read"] } }])))
            .ask(shown(&proof("1", &one)), Code::ScopeInsufficient)
            .ask(
                {
                    let access = one.clone().claim("scope", "read");
                    get("/").dpop(&access, &proof("1", &access))
                },
                allow(),
            ),
        draft("dpop-replay-late", "it is held until the proof is too old", &["dpop.first-use", "dpop.iat"])
            .ask(shown(&proof("1", &one)), allow())
            .at(60_000)
            .ask(shown(&proof("1", &one)), replayed())
            .at(60_001)
            .ask(shown(&proof("1", &one)), deny(Code::ProofInvalid).naming("iat")),
        draft("dpop-replay-future", "also one from the future", &["dpop.first-use", "dpop.iat"])
            .policy(both().top("leeway_s", 30))
            .ask(old("1", -30), allow())
            .at(120_000)
            .ask(old("1", -30), replayed())
            .at(120_001)
            .ask(old("1", -30), deny(Code::ProofInvalid).naming("iat")),
        draft("dpop-replay-one-token", "one token of two principals has one proof", &["dpop.first-use", "principals.required"])
            .policy(
                both()
                    .top("credentials", json!([
                        { "header": "authorization", "scheme": "DPoP", "issuers": ["platform"] },
                        { "header": "x-service", "scheme": "DPoP", "issuers": ["platform"], "principal": "service" },
                    ]))
                    .rules(json!([{ "path": "/**", "require": {}, "principals": { "service": {} } }])),
            )
            .ask(
                shown(&proof("1", &access())).header("x-service", format!("DPoP {}", access().compact())),
                allow(),
            )
            .ask(
                shown(&proof("1", &access())).header("x-service", format!("DPoP {}", access().compact())),
                replayed(),
            ),
    ]
}

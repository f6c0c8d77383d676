//! Proofs of a key (RFC 9449): their form, their key and their signature.

use super::{prelude::*, sender::both};

pub(super) fn vectors() -> Topic {
    let drafts = [good(), scheme(), form(), header(), keys(), order()].concat();
    topic(
        "dpop",
        "Proofs of a key: form, header, key and signature",
        drafts,
    )
}

/// The token of the proofs, bound to [`P256`].
fn access() -> Token {
    bound(&P256)
}

fn fresh() -> Token {
    proof("1", &access())
}

fn shown(proof: &Token) -> Request {
    get("/").dpop(&access(), proof)
}

/// A proof as this text.
fn as_text(text: impl Into<String>) -> Request {
    get("/").by_dpop(&access()).header("dpop", text.into())
}

fn invalid(claim: &str) -> Expect {
    deny(Code::ProofInvalid).naming(claim)
}

fn bad(id: &str, title: &str, rule: &str, proofs: Vec<Token>) -> Draft {
    vector(id, title, &[rule])
        .policy(both())
        .ask_all(proofs.iter().map(shown), invalid("dpop"))
}

/// A proof of this key with this algorithm, and its token.
fn by(key: &'static Key, alg: &'static str, jti: &str) -> (Token, Token) {
    let access = bound(key);
    let proof = proof(jti, &access)
        .signed_by(key)
        .alg(alg)
        .header("jwk", key.nameless(json!({})));
    (access, proof)
}

fn good() -> Vec<Draft> {
    let accept = |draft: Draft, key: &'static Key, alg: &'static str, expect: Expect| {
        let (access, proof) = by(key, alg, alg);
        draft.ask(get("/").dpop(&access, &proof), expect)
    };
    let defaults = [
        (&P256, "ES256"),
        (&ED, "EdDSA"),
        (&ED, "Ed25519"),
        (&A, "PS256"),
        (&A, "RS256"),
    ];
    let others = [
        (&P384, "ES384"),
        (&P521, "ES512"),
        (&A, "RS512"),
        (&A, "PS384"),
    ];
    let plain = || {
        vector(
            "dpop-algorithms",
            "the default algorithms, and no others",
            &["dpop.header", "dpop.signature"],
        )
        .policy(both())
    };
    let named = both().top(
        "dpop",
        json!({ "algorithms": ["ES384", "ES512", "RS512", "PS384"] }),
    );
    let draft = defaults.iter().fold(plain(), |draft, (key, alg)| {
        accept(draft, key, alg, allow())
    });
    let draft = others.iter().fold(draft, |draft, (key, alg)| {
        accept(draft, key, alg, invalid("dpop"))
    });
    let other = vector(
        "dpop-algorithms-named",
        "those of the policy, and no others",
        &["dpop.header"],
    )
    .policy(named);
    let other = others
        .iter()
        .fold(other, |draft, (key, alg)| accept(draft, key, alg, allow()));
    let other = defaults.iter().fold(other, |draft, (key, alg)| {
        accept(draft, key, alg, invalid("dpop"))
    });
    vec![
        vector(
            "dpop-good",
            "a proof of the token's key, for this request",
            &["dpop.scheme", "dpop.thumbprint", "dpop.signature"],
        )
        .policy(both())
        .ask(
            shown(&fresh()),
            principal(json!({ "subject": "user-4711" })),
        ),
        vector(
            "dpop-case",
            "the scheme without regard to case",
            &["dpop.scheme"],
        )
        .policy(both())
        .ask(
            get("/")
                .header("authorization", format!("dpop {}", access().compact()))
                .header("dpop", fresh().compact()),
            allow(),
        ),
        draft,
        other,
        vector(
            "dpop-remembered-key",
            "the same key again, and another",
            &["dpop.signature"],
        )
        .policy(both())
        .ask(shown(&fresh()), allow())
        .ask(shown(&proof("2", &access())), allow())
        .ask(shown(&proof("3", &access()).key(&ED)), invalid("dpop"))
        .ask(
            shown(&proof("4", &access()).signature([7; 64])),
            invalid("dpop"),
        )
        .ask(shown(&proof("5", &access())), allow()),
    ]
}

fn scheme() -> Vec<Draft> {
    let with = |request: Request| request.header("dpop", fresh().compact());
    let cookie = format!("session={}", access().compact());
    vec![
        vector(
            "dpop-downgrade",
            "a bound token by another scheme or place, with its proof",
            &["dpop.scheme"],
        )
        .attack("dpop-downgrade")
        .policy(both())
        .ask(
            with(get("/").bearer(&access())),
            deny(Code::ProofMissing).naming("cnf"),
        )
        .ask(with(get("/").header("cookie", cookie)), Code::ProofMissing),
        vector(
            "dpop-unbound",
            "an unbound token by the scheme `DPoP`",
            &["dpop.scheme"],
        )
        .policy(both())
        .ask(
            get("/").dpop(&token(), &proof("1", &token())),
            invalid("cnf"),
        )
        .ask(get("/").by_dpop(&token()), invalid("cnf")),
        vector(
            "dpop-unread",
            "a list without the scheme",
            &["credential.scheme"],
        )
        .ask(shown(&fresh()), Code::TokenMissing),
        vector("dpop-none", "without a proof", &["dpop.one"])
            .policy(both())
            .ask(
                get("/").by_dpop(&access()),
                deny(Code::ProofMissing).naming("cnf"),
            ),
        vector("dpop-two", "two proofs, equal ones too", &["dpop.one"])
            .attack("dpop-second-header")
            .policy(both())
            .ask(
                shown(&fresh()).header("dpop", proof("2", &access()).compact()),
                invalid("dpop"),
            )
            .ask(
                shown(&fresh()).header("dpop", fresh().compact()),
                invalid("dpop"),
            )
            .ask(shown(&fresh()).header("dpop", ""), invalid("dpop"))
            .ask(
                as_text(format!("{}, {}", fresh().compact(), fresh().compact())),
                invalid("dpop"),
            ),
    ]
}

fn form() -> Vec<Draft> {
    let compact = fresh().compact();
    let parts: Vec<&str> = compact.split('.').collect();
    let texts = [
        String::new(),
        "nonsense".into(),
        parts[..2].join("."),
        format!("{compact}."),
        format!("{compact}="),
        format!("{}.{}.", parts[0], parts[1]),
        format!(" {}", compact.replace('.', " .")),
        format!("{{\"payload\":\"{}\"}}", parts[1]),
    ];
    let claim = |name: &str, value: Value| fresh().claim(name, value);
    let text = fresh().claims_json();
    vec![
        vector("dpop-form", "no compact JWS", &["dpop.form"])
            .policy(both())
            .ask_all(texts.into_iter().map(as_text), invalid("dpop")),
        bad(
            "dpop-size",
            "8,193 bytes or more",
            "dpop.form",
            vec![claim("a", "a".repeat(6_000).into())],
        ),
        vector("dpop-size-most", "nearly 8,192 bytes", &["dpop.form"])
            .policy(both())
            .ask(shown(&claim("a", "a".repeat(5_600).into())), allow()),
        bad(
            "dpop-json",
            "claims that are no strict JSON",
            "dpop.form",
            vec![
                fresh().claims_text("[]"),
                fresh().claims_text(format!("{text} x")),
                fresh().claims_text(text.replace("\"htm\":", "\"htm\":\"POST\",\"htm\":")),
                fresh().claims_text(text.replace("\"htm\":", "\"a\":\"\\ud800\",\"htm\":")),
            ],
        ),
        bad(
            "dpop-jti",
            "a `jti` that is no text of 1 to 256 bytes",
            "dpop.form",
            vec![
                fresh().without("jti"),
                claim("jti", json!("")),
                claim("jti", json!(7)),
                claim("jti", "j".repeat(257).into()),
            ],
        ),
        vector("dpop-jti-most", "256 bytes", &["dpop.form"])
            .policy(both())
            .ask(shown(&claim("jti", "j".repeat(256).into())), allow()),
    ]
}

fn header() -> Vec<Draft> {
    let typ = |value: Value| fresh().header("typ", value);
    let alg = |value: &str| fresh().header("alg", value);
    vec![
        bad(
            "dpop-typ",
            "another `typ`",
            "dpop.header",
            vec![
                fresh().without_header("typ"),
                typ(json!("JWT")),
                typ(json!("DPoP+JWT")),
                typ(json!("application/dpop+jwt")),
                typ(json!(["dpop+jwt"])),
            ],
        ),
        bad(
            "dpop-alg",
            "no signature, a shared secret, an unknown algorithm",
            "dpop.header",
            vec![
                fresh().without_header("alg"),
                alg("none").signature([]),
                alg("None"),
                alg("ES384"),
                alg("es256"),
                alg("HS256").header("jwk", json!({ "kty": "oct", "k": SECRET.private()["k"] })),
            ],
        )
        .attack("dpop-algorithm"),
        bad(
            "dpop-crit",
            "an extension",
            "dpop.header",
            vec![
                fresh().header("crit", json!([])),
                fresh().header("crit", json!(["b64"])).header("b64", true),
                fresh().header("b64", false),
            ],
        ),
        bad(
            "dpop-header-json",
            "a header that is no strict JSON, or is large",
            "dpop.header",
            vec![
                fresh().header_text("{"),
                fresh().header("a", "a".repeat(4_096)),
            ],
        ),
    ]
}

fn keys() -> Vec<Draft> {
    let jwk = |jwk: Value| fresh().header("jwk", jwk);
    let with = |members: Value| jwk(P256.nameless(members));
    let huge = json!({ "kty": "RSA", "e": "AQAB", "n": encode([0xff; 1_024]) });
    let large = json!({ "kty": "RSA", "e": "AQAB", "n": encode([0xff; 513]) });
    let of = |jwk: &Value, alg: &'static str| {
        let access = token().claim("cnf", json!({ "jkt": thumbprint(jwk) }));
        let proof = proof("1", &access)
            .header("jwk", jwk.clone())
            .header("alg", alg);
        get("/").dpop(&access, &proof.signature([1; 256]))
    };
    let private: Vec<Token> = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]
        .iter()
        .map(|name| with(member(name, "AQAB")))
        .collect();
    let x = P256.public()["x"].as_str().unwrap_or_default().to_owned();
    vec![
        bad("dpop-private", "a `jwk` with a private member", "dpop.jwk", private).attack("dpop-private-key"),
        bad(
            "dpop-jwk",
            "no key, another kind of key, or one that is not canonical",
            "dpop.jwk",
            vec![
                fresh().without_header("jwk"),
                jwk(json!(P256.thumbprint())),
                jwk(json!({})),
                jwk(ED.nameless(json!({}))),
                with(json!({ "crv": "P-384" })),
                with(json!({ "x": format!("{x}=") })),
                with(json!({ "x": 7 })),
                with(json!({ "alg": "ES384" })),
            ],
        ),
        vector("dpop-jwk-members", "members that say nothing against it", &["dpop.jwk"])
            .policy(both())
            .ask(shown(&with(json!({ "kid": "a", "alg": "ES256", "use": "sig", "ext": true }))), allow()),
        vector("dpop-jwk-curve", "no point of the curve", &["dpop.jwk"])
            .policy(both())
            .ask_all(
                [encode([1; 32]), encode([1; 31])].map(|x| of(&P256.nameless(json!({ "x": x })), "ES256")),
                invalid("jwk"),
            ),
        vector("dpop-rsa-size", "RSA keys above 4,096 bits and below 2,048", &["dpop.jwk"])
            .attack("dpop-huge-key")
            .policy(both())
            .ask_all([of(&huge, "RS256"), of(&large, "PS256")], invalid("dpop"))
            .ask(of(&WEAK.nameless(json!({})), "RS256"), invalid("jwk"))
            .ask(
                of(&json!({ "kty": "RSA", "e": "AQAB", "n": encode([&[0][..], &A.bytes("n")].concat()) }), "RS256"),
                invalid("dpop"),
            ),
        vector("dpop-rsa-long", "an RSA key of 3,072 bits", &["dpop.jwk"]).policy(both()).ask(
            {
                let (access, proof) = by(&LONG, "RS256", "1");
                get("/").dpop(&access, &proof)
            },
            allow(),
        ),
        vector("dpop-other-key", "a good proof of another key", &["dpop.thumbprint"])
            .attack("dpop-other-key")
            .policy(both())
            .ask_all(
                [(&ED, "EdDSA"), (&A, "RS256")].map(|(key, alg)| {
                    let proof = fresh().signed_by(key).alg(alg).header("jwk", key.nameless(json!({})));
                    shown(&proof)
                }),
                invalid("jwk"),
            ),
        bad(
            "dpop-signature",
            "a signature of another key, none, or over something else",
            "dpop.signature",
            vec![
                fresh().signed_by(&P384).signature([0; 64]),
                fresh().signature([]),
                fresh().signature(encode([1; 64])),
                fresh().signature(sign(&P256, "ES256", b"something else")),
            ],
        ),
    ]
}

/// Each proof has two faults; the earlier check gives the claim that is named.
fn order() -> Vec<Draft> {
    let other = |proof: Token| proof.signature([0; 64]);
    let nonce = both().top("dpop", json!({ "nonce": { "secret_from": "nonces" } }));
    let secret = "k".repeat(32);
    let all = |proof: Token| {
        other(proof.claims(json!({ "htm": "PUT", "htu": "a", "ath": "a", "iat": 0 })))
    };
    let case = |id, title, proof: Token, expect: Expect| {
        vector(id, title, &["order.sender"])
            .policy(nonce.clone())
            .secret("nonces", &secret)
            .ask(shown(&proof), expect)
    };
    vec![
        case(
            "order-proof-form",
            "another `typ`, another key",
            fresh()
                .header("typ", "JWT")
                .header("jwk", B.nameless(json!({}))),
            invalid("dpop"),
        ),
        case(
            "order-proof-key",
            "another key, and all else",
            all(fresh())
                .alg("RS256")
                .header("jwk", B.nameless(json!({}))),
            invalid("jwk"),
        ),
        case(
            "order-proof-htm",
            "another method, another address",
            all(fresh()),
            invalid("htm"),
        ),
        case(
            "order-proof-htu",
            "another address, another token",
            all(fresh()).claim("htm", "GET"),
            invalid("htu"),
        ),
        case(
            "order-proof-ath",
            "another token, too old",
            all(fresh()).claims(json!({ "htm": "GET", "htu": "https://api.example.com/" })),
            invalid("ath"),
        ),
        case(
            "order-proof-iat",
            "too old, without a nonce",
            other(fresh().claim("iat", 0)),
            invalid("iat"),
        ),
        case(
            "order-proof-nonce",
            "without a nonce, with a bad signature",
            other(fresh()),
            deny(Code::NonceRequired).naming("nonce"),
        ),
        vector(
            "order-token-proof",
            "an expired token, a bad proof",
            &["order.expiry", "order.sender"],
        )
        .policy(both())
        .ask(
            get("/").dpop(&access().claim("exp", NOW_S - 1), &all(fresh())),
            Code::TokenExpired,
        ),
        vector(
            "order-proof-rule",
            "a proof that was used, and no role",
            &["order.first-use"],
        )
        .policy(both().rules(json!([
            { "path": "/admin", "require": { "roles": ["admin"] } },
            { "path": "/**", "require": {} },
        ])))
        .ask(
            get("/admin").dpop(
                &access(),
                &fresh().claim("htu", "https://api.example.com/admin"),
            ),
            Code::RoleDenied,
        )
        .ask(shown(&fresh()), allow())
        .ask(
            get("/admin").dpop(
                &access(),
                &fresh().claim("htu", "https://api.example.com/admin"),
            ),
            Code::RoleDenied,
        )
        .ask(shown(&fresh()), Code::ProofReplayed),
    ]
}

//! Proofs of a key (RFC 9449): the request that they are for, and challenges.

use super::{
    opaque::{opaque, with},
    prelude::*,
    sender::both,
};

pub(super) fn vectors() -> Topic {
    let drafts = [requests(), origins(), tokens(), challenges(), published()].concat();
    topic(
        "dpop-requests",
        "Proofs of a key: the request and the token that they are for, and challenges",
        drafts,
    )
}

fn access() -> Token {
    bound(&P256)
}

/// A proof for this address.
fn of(jti: &str, htu: &str) -> Token {
    proof(jti, &access()).claim("htu", htu)
}

fn invalid(claim: &str) -> Expect {
    deny(Code::ProofInvalid).naming(claim)
}

fn requests() -> Vec<Draft> {
    let post = |target: &str| request("POST", target);
    let ask = |id, title, rule: &str, asked: &[(&str, &str)], expect: Expect| {
        let requests = asked.iter().enumerate().map(|(index, (target, htu))| {
            get(target).dpop(&access(), &of(&index.to_string(), htu))
        });
        vector(id, title, &[rule])
            .policy(both())
            .ask_all(requests, expect)
    };
    vec![
        vector("dpop-method", "a proof for another method", &["dpop.htm"])
            .attack("dpop-replay-elsewhere")
            .policy(both())
            .ask(
                post("/").dpop(&access(), &proof("1", &access())),
                invalid("htm"),
            )
            .ask(
                post("/").dpop(&access(), &proof("1", &access()).claim("htm", "post")),
                invalid("htm"),
            )
            .ask(
                get("/").dpop(&access(), &proof("1", &access()).without("htm")),
                invalid("htm"),
            )
            .ask(
                get("/").dpop(
                    &access(),
                    &proof("1", &access()).claim("htm", json!(["GET"])),
                ),
                invalid("htm"),
            )
            .ask(
                request("HEAD", "/").dpop(&access(), &proof("1", &access())),
                invalid("htm"),
            )
            .ask(
                post("/").dpop(&access(), &proof("1", &access()).claim("htm", "POST")),
                allow(),
            ),
        ask(
            "dpop-address",
            "a proof for another address",
            "dpop.htu",
            &[
                ("/a", "https://api.example.com/b"),
                ("/a", "https://api.example.com/a/"),
                ("/a", "https://api.example.com/A"),
                ("/a", "https://api.example.com/"),
                ("/a", "https://api.example.com"),
                ("/a", "https://www.example.com/a"),
                ("/a", "https://api.example.com.:443/a"),
                ("/a", "https://api.example.com:8443/a"),
                ("/a", "https://api.example.com:80/a"),
                ("/a", "http://api.example.com/a"),
                ("/a", "https://api.example.com@evil.example/a"),
                ("/a", "https://me@api.example.com/a"),
                ("/a", "/a"),
                ("/a", "api.example.com/a"),
                ("/a", ""),
                ("/a", "https://api.example.com/b/../a"),
                ("/a%25b", "https://api.example.com/a%b"),
                ("/a+b", "https://api.example.com/a%20b"),
            ],
            invalid("htu"),
        )
        .attack("dpop-replay-elsewhere"),
        vector(
            "dpop-address-type",
            "an address that is no text",
            &["dpop.htu"],
        )
        .policy(both())
        .ask(
            get("/").dpop(&access(), &proof("1", &access()).without("htu")),
            invalid("htu"),
        )
        .ask(
            get("/").dpop(&access(), &proof("1", &access()).claim("htu", 7)),
            invalid("htu"),
        ),
        ask(
            "dpop-address-normal",
            "the same address in another form",
            "dpop.htu",
            &[
                ("/a", "HTTPS://API.Example.COM/a"),
                ("/a", "https://api.example.com:443/a"),
                ("/a", "https://api.example.com:/a"),
                ("/a?b=c", "https://api.example.com/a"),
                ("/a?b=c", "https://api.example.com/a?d=e"),
                ("/a", "https://api.example.com/a#b"),
                ("/%61", "https://api.example.com/a"),
                ("/a~b", "https://api.example.com/%61%7Eb"),
                ("/caf%c3%a9", "https://api.example.com/caf%C3%A9"),
                ("/", "https://api.example.com"),
            ],
            allow(),
        ),
    ]
}

fn origins() -> Vec<Draft> {
    let named = |origin: Value| both().top("dpop", json!({ "origin": origin }));
    let ask = |jti: &str, htu: &str| get("/").dpop(&access(), &of(jti, htu));
    vec![
        vector(
            "dpop-scheme-http",
            "the scheme of the request",
            &["dpop.origin"],
        )
        .policy(both())
        .ask(ask("1", "http://api.example.com/").scheme("http"), allow())
        .ask(
            ask("2", "http://api.example.com:80/").scheme("http"),
            allow(),
        )
        .ask(
            ask("3", "https://api.example.com/").scheme("https"),
            allow(),
        )
        .ask(
            ask("4", "https://api.example.com/").scheme("http"),
            invalid("htu"),
        )
        .ask(
            ask("5", "http://api.example.com/").scheme("https"),
            invalid("htu"),
        ),
        vector(
            "dpop-authority",
            "the authority of the request",
            &["dpop.origin"],
        )
        .policy(both())
        .ask(
            ask("1", "https://api.example.com:8443/").to("API.example.com:8443"),
            allow(),
        )
        .ask(
            ask("2", "https://api.example.com/").to("api.example.com:443"),
            allow(),
        )
        .ask(
            ask("3", "https://api.example.com/").to("api.example.com:8443"),
            invalid("htu"),
        )
        .ask(ask("4", "https://api.example.com/").to(""), invalid("htu"))
        .ask(
            ask("5", "https://api.example.com/")
                .to("")
                .header("host", "api.example.com"),
            allow(),
        ),
        vector(
            "dpop-origin",
            "the origin of the policy, where a proxy rewrites",
            &["dpop.origin"],
        )
        .policy(named(json!("https://Public.example.com:443")))
        .ask(
            ask("1", "https://public.example.com/")
                .to("10.0.0.7:8080")
                .scheme("http"),
            allow(),
        )
        .ask(ask("2", "https://api.example.com/"), invalid("htu"))
        .ask(ask("3", "http://public.example.com/"), invalid("htu")),
        vector(
            "dpop-origins",
            "several origins: a request with the authority of one is for that one",
            &["dpop.origin"],
        )
        .attack("dpop-replay-elsewhere")
        .policy(named(json!([
            "https://a.example.com",
            "https://b.example.com:8443"
        ])))
        .ask(ask("1", "https://a.example.com/").to("inside"), allow())
        .ask(
            ask("2", "https://b.example.com:8443/").to("inside"),
            allow(),
        )
        .ask(
            ask("3", "https://a.example.com/")
                .to("a.example.com")
                .scheme("http"),
            allow(),
        )
        .ask(
            ask("4", "https://b.example.com:8443/")
                .to("a.example.com")
                .scheme("http"),
            invalid("htu"),
        )
        .ask(
            ask("5", "https://a.example.com/").to("b.example.com:8443"),
            invalid("htu"),
        )
        .ask(
            ask("6", "https://c.example.com/").to("c.example.com"),
            invalid("htu"),
        ),
    ]
}

fn tokens() -> Vec<Draft> {
    let other = access().claim("jti", "another");
    let with = |proof: Token| get("/").dpop(&access(), &proof);
    let fresh = || proof("1", &access());
    vec![
        vector("dpop-token", "a proof for another token", &["dpop.ath"])
            .attack("dpop-other-token")
            .policy(both())
            .ask(with(proof("1", &other)), invalid("ath"))
            .ask(with(fresh().without("ath")), invalid("ath"))
            .ask(with(fresh().claim("ath", "")), invalid("ath"))
            .ask(with(fresh().claim("ath", 7)), invalid("ath"))
            .ask(with(fresh().claim("ath", access().compact())), invalid("ath")),
        vector("dpop-two-principals", "one proof is for one token", &["dpop.ath", "principals.required"])
            .policy(policy().top("credentials", json!([
                { "header": "authorization", "scheme": "DPoP" },
                { "header": "x-service", "scheme": "DPoP", "issuers": ["platform"], "principal": "service" },
            ])).issuer("name", "platform").and_issuer("users", "https://users.example", &B).rules(json!([
                { "path": "/**", "require": {}, "principals": { "service": {} } },
            ])))
            .ask(
                {
                    let user = access().claim("iss", "https://users.example").key(&B);
                    get("/").dpop(&user, &proof("1", &user)).header("x-service", format!("DPoP {}", other.compact()))
                },
                invalid("ath").of("service"),
            ),
    ]
}

fn challenges() -> Vec<Draft> {
    let only = || {
        policy().top(
            "credentials",
            json!([{ "header": "authorization", "scheme": "DPoP" }]),
        )
    };
    let dpop =
        |error: &str| format!("DPoP realm=\"platform\"{error}, algs=\"ES256 EdDSA PS256 RS256\"");
    let of = |error: &str, code: Code| {
        format!(
            ", error=\"{error}\", error_description=\"{}\"",
            code.sentence()
        )
    };
    let ask = |id, title, rules: &[&str]| vector(id, title, rules);
    let bad = || get("/").dpop(&access(), &proof("1", &access()).claim("htm", "PUT"));
    let says = |code: Code, error: &str| deny(code).challenging(&dpop(&of(error, code)));
    vec![
        ask("challenge-dpop-only", "a list with the scheme `DPoP` alone", &["challenge.dpop", "challenge.proof"])
            .policy(only())
            .ask(get("/"), deny(Code::TokenMissing).challenging(&dpop("")))
            .ask(get("/").by_dpop(&access().claim("exp", 0)), says(Code::TokenExpired, "invalid_token"))
            .ask(get("/").by_dpop(&access()), says(Code::ProofMissing, "invalid_token"))
            .ask(get("/").by_dpop(&token()), says(Code::ProofInvalid, "invalid_token"))
            .ask(bad(), says(Code::ProofInvalid, "invalid_dpop_proof"))
            .ask(get("/").dpop(&access(), &proof("1", &access())), allow())
            .ask(get("/").dpop(&access(), &proof("1", &access())), says(Code::ProofReplayed, "invalid_dpop_proof")),
        ask("challenge-dpop-both", "a list with both schemes", &["challenge.dpop", "challenge.proof"])
            .policy(both())
            .ask(get("/"), deny(Code::TokenMissing).challenging(&format!("Bearer realm=\"platform\", {}", dpop(""))))
            .ask(access(), deny(Code::ProofMissing).challenging(&format!(
                "Bearer realm=\"platform\"{}, {}",
                of("invalid_token", Code::ProofMissing),
                dpop(&of("invalid_token", Code::ProofMissing)),
            )))
            .ask(bad(), deny(Code::ProofInvalid).challenging(&format!(
                "Bearer realm=\"platform\", {}",
                dpop(&of("invalid_dpop_proof", Code::ProofInvalid)),
            ))),
        ask("challenge-dpop-rule", "of a rule that reads no proofs", &["challenge.dpop"])
            .policy(both().rules(json!([{
                "path": "/**", "require": {}, "credentials": [{ "header": "authorization", "scheme": "Bearer" }],
            }])))
            .ask(get("/"), deny(Code::TokenMissing).challenging("Bearer realm=\"platform\"")),
        ask("challenge-dpop-scope", "with the scopes that are needed", &["challenge.dpop", "challenge.order"])
            .policy(only().top("dpop", json!({ "algorithms": ["ES256"] })).requires(json!({ "scopes": ["read"] })))
            .ask(
                get("/").dpop(&access(), &proof("1", &access())),
                deny(Code::ScopeInsufficient).challenging(
                    "DPoP realm=\"platform\", error=\"insufficient_scope\", error_description=\"the token scopes do not suffice\", algs=\"ES256\", scope=\"read\"",
                ),
            ),
        ask("challenge-dpop-basic", "before a challenge for a password", &["challenge.dpop", "challenge.basic"])
            .policy(policy().top("strip_credential", true).top("dpop", json!({ "algorithms": ["ES256"] })).top("credentials", json!([
                { "header": "authorization", "scheme": "DPoP" },
                { "header": "authorization", "scheme": "Basic" },
            ])))
            .ask(get("/"), deny(Code::TokenMissing).challenging(
                "Bearer realm=\"platform\", DPoP realm=\"platform\", algs=\"ES256\", Basic realm=\"platform\", charset=\"UTF-8\"",
            )),
        ask("challenge-dpop-other", "no other answers", &["challenge.none"])
            .policy(only().requires(json!({ "roles": ["admin"] })))
            .ask(get("/").dpop(&access(), &proof("1", &access())), deny(Code::RoleDenied).without_challenge().with_nonce(None)),
    ]
}

/// The request of RFC 9449 §7.1, whose token is opaque, and its proof with a JWT
/// that is bound to its key (§6.1).
fn published() -> Vec<Draft> {
    const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let then = (1_562_262_618 - NOW_S) * 1_000;
    let access = token().claims(json!({
        "cnf": { "jkt": JKT }, "iat": 1_562_262_611_i64, "exp": 1_562_266_216_i64,
    }));
    let shown = |target: &str, authority: &str| {
        get(target)
            .to(authority)
            .by_dpop(&access)
            .header("dpop", PROOF)
    };
    let whole = opaque(json!({ "prefix": ["Kz~8"] })).top(
        "credentials",
        json!([{ "header": "authorization", "scheme": "DPoP" }]),
    );
    let published = || {
        get("/protectedresource")
            .to("resource.example.org")
            .header(
                "authorization",
                "DPoP Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU",
            )
            .header("dpop", PROOF)
    };
    vec![
        with(
            "dpop-published-whole",
            "the request of RFC 9449 §7.1, whose token is opaque",
            &[
                "dpop.scheme",
                "dpop.ath",
                "dpop.signature",
                "dpop.first-use",
            ],
            whole,
        )
        .at(then)
        .ask(published(), wait(&["introspection"]))
        .accept(
            "introspection",
            ok(&json!({
                "active": true, "iss": ISS, "aud": "platform", "sub": "someone@example.com",
                "exp": 1_562_266_216_i64, "cnf": { "jkt": JKT },
            })),
        )
        .ask(
            published(),
            principal(json!({ "subject": "someone@example.com" })),
        )
        .ask(published(), Code::ProofReplayed),
        vector(
            "dpop-published",
            "the proof of RFC 9449 §7.1: its key and its address, but another token",
            &["dpop.thumbprint", "dpop.htm", "dpop.htu", "dpop.ath"],
        )
        .policy(both())
        .at(then)
        .ask(
            shown("/protectedresource", "resource.example.org"),
            invalid("ath"),
        )
        .ask(
            shown("/protectedresource", "resource.example.com"),
            invalid("htu"),
        )
        .ask(shown("/", "resource.example.org"), invalid("htu")),
    ]
}

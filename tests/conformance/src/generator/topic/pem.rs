//! Keys in PEM: in a policy, in one document, and in a document for each `kid`.

use super::{lifecycle::long_lived, prelude::*};
use crate::vector::{Document, Expect, Response, SupplyExpect};

pub(super) fn vectors() -> Topic {
    let drafts = [inline(), map(), by_kid()].concat();
    topic("pem", "Keys in PEM", drafts)
}

const MAP: &str = "https://auth.example.com/keys.json";

fn inline() -> Vec<Draft> {
    let of = |algorithms: Value, keys: Value| {
        policy()
            .issuer("algorithms", algorithms)
            .issuer("keys", json!({ "pem": keys }))
    };
    let kinds: [(&str, &'static Key, &'static str); 5] = [
        ("rsa", &A, "RS256"),
        ("p256", &P256, "ES256"),
        ("p384", &P384, "ES384"),
        ("p521", &P521, "ES512"),
        ("ed25519", &ED, "EdDSA"),
    ];
    let mut drafts: Vec<Draft> = kinds
        .into_iter()
        .map(|(id, key, alg)| {
            vector(
                &format!("pem-{id}"),
                &format!("a key for {alg}"),
                &["pem.key"],
            )
            .policy(of(
                json!([alg]),
                json!([{ "kid": key.kid(), "pem": key.pem() }]),
            ))
            .ask(token().key(key).alg(alg), allow())
        })
        .collect();
    let private = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        "MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    );
    let refused = |id: &str, title: &str, rule: &str, pem: String| {
        vector(id, title, &[rule])
            .policy(of(
                json!(["RS256", "ES256"]),
                json!([{ "pem": A.pem(), "alg": "RS256" }, { "pem": pem }]),
            ))
            .refused(&[("key_unusable", "/issuers/0/keys/pem/1")])
    };
    drafts.extend([
        vector(
            "pem-certificate",
            "a certificate that expired long ago",
            &["pem.certificate"],
        )
        .policy(of(
            json!(["RS256"]),
            json!([{ "kid": B.kid(), "pem": B.certificate() }]),
        ))
        .ask(token().key(&B), allow()),
        vector(
            "pem-certificate-1",
            "a certificate of version 1",
            &["pem.certificate"],
        )
        .policy(of(
            json!(["ES256"]),
            json!([{ "kid": P256.kid(), "pem": P256.certificate() }]),
        ))
        .ask(token().key(&P256).alg("ES256"), allow()),
        vector("pem-alg", "`alg` says the algorithm", &["pem.key"])
            .policy(of(
                json!(["RS256", "RS512"]),
                json!([{ "pem": A.pem(), "alg": "RS512" }]),
            ))
            .ask(token().without_header("kid").alg("RS512"), allow())
            .ask(token().without_header("kid"), Code::KeyUnknown),
        refused(
            "pem-private",
            "a private key",
            "policy.private-key",
            private,
        ),
        refused("pem-two", "two blocks", "pem.key", A.pem() + &B.pem()),
        refused("pem-none", "no PEM", "pem.key", encode(A.spki())),
        refused(
            "pem-label",
            "another block",
            "pem.key",
            B.pem().replace("PUBLIC KEY", "PARAMETERS"),
        ),
        refused("pem-truncated", "half of a key", "pem.key", {
            let pem = B.pem();
            let lines: Vec<&str> = pem.lines().collect();
            [&lines[..3], &lines[lines.len() - 1..]].concat().join("\n")
        }),
        refused("pem-unfit", "for no algorithm", "pem.key", ED.pem()),
    ]);
    drafts
}

fn map() -> Vec<Draft> {
    let mapped = |id: &str, title: &str, rules: &[&str]| {
        vector(id, title, rules)
            .policy(policy().issuer("keys", json!({ "pem_uri": MAP })))
            .due_of([at(MAP)])
    };
    let good = || json!({ "rsa-2048-a": A.pem(), "rsa-2048-b": B.certificate() });
    vec![
        mapped(
            "pem-map",
            "a key and a certificate",
            &["pem.map", "pem.certificate"],
        )
        .ask(token(), wait(&["jwks"]))
        .accept("jwks", ok(&good()))
        .ask(token(), allow())
        .ask(token().key(&B), allow())
        .ask(token().key(&B).without_header("kid"), allow())
        .ask(token().header("kid", "other"), Code::KeyUnknown)
        .accept("jwks", ok(&json!({ "rsa-2048-b": B.pem() })))
        .ask(token(), Code::KeyUnknown)
        .ask(token().key(&B), allow()),
        mapped(
            "pem-map-skips",
            "members that are no key are skipped",
            &["pem.map", "pem.private"],
        )
        .accept_but(
            "jwks",
            ok(&json!({
                "a/b": "nothing",
                "number": 7,
                "array": [A.pem()],
                "ed": ED.pem(),
                "private": A.pem().replace("PUBLIC", "PRIVATE"),
                "rsa-2048-a": A.pem(),
            })),
            &["/a~1b", "/number", "/array", "/ed", "/private"],
        )
        .ask(token(), allow()),
        mapped(
            "pem-map-empty",
            "an empty object withdraws every key",
            &["pem.map"],
        )
        .accept("jwks", ok(&good()))
        .ask(token(), allow())
        .accept("jwks", ok(&json!({})))
        .ask(token(), Code::KeyUnknown),
        mapped("pem-map-refused", "other documents", &["pem.map"])
            .accept("jwks", ok(&good()))
            .refuse("jwks", ok(&jwks([A.public()])))
            .refuse("jwks", ok(&json!([A.pem()])))
            .refuse("jwks", response(200, "", A.pem()))
            .refuse("jwks", response(200, "", r#"{"a":"x","a":"y"}"#))
            .refuse("jwks", ok(&json!({ "a": "x" })))
            .ask(token(), allow()),
        mapped(
            "pem-map-many",
            "as many keys as the policy reads, and one more",
            &["pem.map"],
        )
        .policy(
            policy()
                .issuer("keys", json!({ "pem_uri": MAP }))
                .top("limits", json!({ "document_keys": 2 })),
        )
        .accept_but(
            "jwks",
            ok(&json!({ "ed": ED.pem(), "ed2": ED.pem(), "a": A.pem(), "rsa-2048-a": A.pem() })),
            &["/ed", "/ed2"],
        )
        .refuse(
            "jwks",
            ok(&json!({ "a": A.pem(), "b": B.pem(), "c": B.certificate() })),
        )
        .ask(token(), allow()),
    ]
}

fn at(uri: &str) -> Document {
    Document {
        uri: Some(uri.into()),
        ..document("platform", "jwks")
    }
}

fn place(kid: &str) -> String {
    format!("https://keys.example.com/v1/{kid}.pem")
}

fn waits(kid: &str) -> Expect {
    Expect::Wait(vec![at(&place(kid))])
}

fn pem(text: String) -> Response {
    response(200, "max-age=3600", text)
}

fn each(id: &str, title: &str, rules: &[&str]) -> Draft {
    vector(id, title, rules)
        .policy(policy().issuer("keys", json!({ "pem_uri": place("{kid}") })))
        .due(&[])
}

/// A token that names a key and is signed with [`A`].
fn named(kid: &str) -> Token {
    long_lived().header("kid", kid)
}

fn by_kid() -> Vec<Draft> {
    let unavailable = |seconds| deny(Code::KeysUnavailable).retry_after(Some(seconds));
    let form = |id: &str, title: &str, kid: &str| {
        each(id, title, &["pem.kid-form"])
            .attack("kid-injection")
            .ask(named(kid), Code::KeyUnknown)
            .due(&[])
    };
    let long = "k".repeat(64);
    vec![
        each("pem-kid", "one document for each `kid`", &["pem.by-kid"])
            .next_due(None)
            .ask(named("a-1"), waits("a-1"))
            .ask(named("a-1"), waits("a-1"))
            .accept_at(&place("a-1"), pem(A.pem()))
            .ask(named("a-1"), allow())
            .ask(named("a-1").signed_by(&B), Code::SignatureInvalid)
            .ask(long_lived().without_header("kid"), allow())
            .at(30_000)
            .ask(named("b-2").signed_by(&B), waits("b-2"))
            .accept_at(&place("b-2"), pem(B.certificate()))
            .ask(named("b-2").signed_by(&B), allow())
            .ask(named("a-1"), allow())
            .ask(named("a-1").signed_by(&B), Code::SignatureInvalid)
            .at(2_880_000)
            .due_of([at(&place("a-1"))])
            .supply_at("jwks", &place("b-2"), None, SupplyExpect::Refused),
        each(
            "pem-kid-refused",
            "a document that is not one key",
            &["pem.by-kid", "pem.private"],
        )
        .ask(named("a"), waits("a"))
        .supply_at(
            "jwks",
            &place("a"),
            Some(ok(&json!({ "a": A.pem() }))),
            SupplyExpect::Refused,
        )
        .ask(named("a"), unavailable(30))
        .at(30_000)
        .ask(named("a"), waits("a"))
        .supply_at(
            "jwks",
            &place("a"),
            Some(pem(A.pem().replace("PUBLIC", "PRIVATE"))),
            SupplyExpect::Refused,
        ),
        form("pem-kid-empty", "an empty `kid`", ""),
        form("pem-kid-slash", "a slash", "a/b"),
        form("pem-kid-dot", "dots", ".."),
        form("pem-kid-percent", "an escape", "%2e%2e"),
        form("pem-kid-underscore", "an underscore", "a_b"),
        form("pem-kid-long", "65 characters", &"k".repeat(65)),
        each("pem-kid-longest", "64 characters", &["pem.kid-form"]).ask(named(&long), waits(&long)),
        each("pem-kid-none", "no `kid`", &["pem.kid-form"])
            .ask(long_lived().without_header("kid"), Code::KeyUnknown),
        each(
            "pem-kid-limit",
            "one fetch in 30 s for all of them",
            &["pem.kid-limit"],
        )
        .ask(named("stranger-1"), waits("stranger-1"))
        .ask(named("stranger-2"), unavailable(30))
        .fail_at(&place("stranger-1"))
        .at(29_999)
        .ask(named("stranger-1"), unavailable(1))
        .ask(named("a"), unavailable(1))
        .at(30_000)
        .ask(named("a"), waits("a"))
        .accept_at(&place("a"), pem(A.pem()))
        .ask(named("stranger-3"), Code::KeyUnknown)
        .ask(named("a"), allow())
        .at(60_000)
        .ask(named("stranger-3"), waits("stranger-3"))
        .supply_at(
            "jwks",
            &place("stranger-3"),
            Some(response(404, "", "")),
            SupplyExpect::Refused,
        )
        .next_due(Some(2_850_000))
        .ask(named("stranger-3"), Code::KeyUnknown)
        .ask(named("a"), allow()),
        each(
            "pem-kid-lost",
            "a fetch that never ends is not repeated by itself",
            &["pem.kid-limit"],
        )
        .ask(named("a"), waits("a"))
        .at(15_000)
        .due(&[])
        .next_due(None)
        .ask(named("a"), unavailable(15))
        .at(30_000)
        .ask(named("a"), waits("a")),
        {
            let draft = each(
                "pem-kid-four",
                "four documents are kept: the one that was not used for the longest time goes",
                &["pem.kid-keeps", "memory.same"],
            );
            let load = |draft: Draft, seconds: i64, kid: &str| {
                draft
                    .at(seconds * 1_000)
                    .ask(named(kid), waits(kid))
                    .accept_at(&place(kid), pem(A.pem()))
                    .ask(named(kid), allow())
            };
            let draft = ["a", "b", "c", "d"]
                .into_iter()
                .zip([0, 30, 60, 90])
                .fold(draft, |draft, (kid, seconds)| load(draft, seconds, kid));
            let draft = draft.at(100_000).ask(named("a"), allow());
            load(draft, 120, "e")
                .ask(named("a"), allow())
                .ask(named("c"), allow())
                .ask(named("b"), Code::KeyUnknown)
                .supply_at(
                    "jwks",
                    &place("b"),
                    Some(pem(A.pem())),
                    SupplyExpect::Outdated,
                )
        },
        each(
            "pem-kid-outdated",
            "a document that was not asked for",
            &["pem.by-kid", "discovery.moved"],
        )
        .ask(named("a"), waits("a"))
        .supply_at(
            "jwks",
            &place("b"),
            Some(pem(A.pem())),
            SupplyExpect::Outdated,
        )
        .ask(named("a"), waits("a")),
        each(
            "pem-kid-stale",
            "a key that is too old",
            &["keys.stale", "pem.by-kid"],
        )
        .policy(policy().issuer("keys", json!({ "pem_uri": place("{kid}"), "stale_s": 0 })))
        .ask(named("a"), waits("a"))
        .accept_at(&place("a"), pem(A.pem()))
        .at(3_599_999)
        .ask(named("a"), allow())
        .at(3_600_000)
        .ask(named("a"), waits("a"))
        .fail_at(&place("a"))
        .ask(named("a"), unavailable(1)),
    ]
}

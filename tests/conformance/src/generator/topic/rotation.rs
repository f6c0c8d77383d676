//! Keys that are unknown, new, withdrawn, or of another issuer.

use super::{
    lifecycle::{a_set, fetched, loaded, long_lived},
    prelude::*,
};
use crate::vector::SupplyExpect;

pub(super) fn vectors() -> Topic {
    let drafts = [unknown(), rotation(), issuers(), clock()].concat();
    topic(
        "rotation",
        "Keys that are unknown, new, withdrawn, or another issuer's",
        drafts,
    )
}

fn both() -> crate::vector::Response {
    ok(&jwks([A.public(), B.public()]))
}

fn unknown() -> Vec<Draft> {
    let rule = "keys.unknown-kid";
    let stranger = |n: u32| long_lived().header("kid", format!("stranger-{n}"));
    vec![
        loaded(
            "keys-unknown-soon",
            "within 30 s of the last attempt",
            &[rule],
        )
        .at(29_999)
        .ask(stranger(1), Code::KeyUnknown),
        loaded(
            "keys-unknown-later",
            "30 s after it",
            &[rule, "decision.wait"],
        )
        .at(30_000)
        .ask(stranger(1), wait(&["jwks"]))
        .accept("jwks", both())
        .ask(stranger(1), Code::KeyUnknown)
        .ask(long_lived().key(&B), allow()),
        loaded(
            "keys-unknown-flood",
            "many of them cost one attempt in 30 s",
            &[rule, "keys.join"],
        )
        .at(30_000)
        .ask(stranger(1), wait(&["jwks"]))
        .ask(stranger(2), wait(&["jwks"]))
        .accept("jwks", a_set())
        .ask(stranger(3), Code::KeyUnknown)
        .at(59_999)
        .ask(stranger(4), Code::KeyUnknown)
        .at(60_000)
        .ask(stranger(5), wait(&["jwks"])),
        loaded(
            "keys-unknown-failed",
            "an attempt that failed counts too",
            &[rule],
        )
        .at(30_000)
        .ask(stranger(1), wait(&["jwks"]))
        .fail("jwks")
        .at(59_999)
        .ask(stranger(1), Code::KeyUnknown)
        .at(60_000)
        .ask(stranger(1), wait(&["jwks"])),
        loaded(
            "keys-unverified-known",
            "a token of a known `kid` that its only key does not verify",
            &[rule, "key.one-try"],
        )
        .at(30_000)
        .ask(long_lived().signed_by(&B), Code::SignatureInvalid),
        loaded(
            "keys-unknown-others",
            "tokens with a known key do not wait",
            &["keys.unknown-kid-others"],
        )
        .at(30_000)
        .ask(stranger(1), wait(&["jwks"]))
        .ask(long_lived(), allow())
        .ask(long_lived().claim("sub", "user-2"), allow()),
        loaded(
            "keys-unknown-unnamed",
            "a token without `kid` that no key verifies",
            &[rule, "key.without-kid"],
        )
        .at(29_999)
        .ask(
            long_lived().without_header("kid").signed_by(&B),
            Code::SignatureInvalid,
        )
        .at(30_000)
        .ask(
            long_lived().without_header("kid").signed_by(&B),
            wait(&["jwks"]),
        )
        .accept("jwks", both())
        .ask(long_lived().without_header("kid").signed_by(&B), allow())
        .ask(long_lived().without_header("kid"), allow()),
        vector(
            "keys-unsuitable-no-fetch",
            "a known key that does not fit starts nothing",
            &[rule, "key.fits"],
        )
        .policy(fetching().issuer("algorithms", json!(["RS256", "RS512"])))
        .due(&["jwks"])
        .accept("jwks", ok(&jwks([A.with(json!({ "alg": "RS256" }))])))
        .at(40_000)
        .ask(long_lived().alg("RS512"), Code::KeyUnsuitable),
    ]
}

fn rotation() -> Vec<Draft> {
    vec![
        loaded(
            "keys-rotation",
            "a new key beside the old one, then alone",
            &["keys.rotation", "keys.withdrawn"],
        )
        .ask(long_lived(), allow())
        .at(30_000)
        .ask(long_lived().key(&B), wait(&["jwks"]))
        .accept("jwks", both())
        .ask(long_lived().key(&B), allow())
        .ask(long_lived(), allow())
        .at(510_000)
        .due(&["jwks"])
        .accept("jwks", ok(&jwks([B.public()])))
        .ask(long_lived().key(&B), allow())
        .ask(long_lived(), Code::KeyUnknown),
        loaded(
            "keys-withdrawn-remembered",
            "a remembered token goes with its key",
            &["keys.withdrawn", "memory.same"],
        )
        .attack("cache-identity")
        .ask(token(), allow())
        .ask(token(), allow())
        .accept("jwks", ok(&jwks([B.public()])))
        .ask(token(), Code::KeyUnknown),
        loaded(
            "keys-replaced",
            "another key under the same `kid`",
            &["keys.withdrawn", "keys.rotation"],
        )
        .attack("cache-identity")
        .ask(token(), allow())
        .accept("jwks", ok(&jwks([B.with(json!({ "kid": A.kid() }))])))
        .ask(token(), Code::SignatureInvalid)
        .ask(token().signed_by(&B), allow()),
        loaded(
            "keys-joined-unnamed",
            "a second key beside that of a token without `kid`",
            &["keys.rotation", "key.without-kid"],
        )
        .ask(token().without_header("kid"), allow())
        .accept("jwks", both())
        .ask(token().without_header("kid"), allow())
        .ask(token().without_header("kid").signed_by(&B), allow()),
        loaded(
            "keys-unnamed-fifth",
            "a token without `kid` whose key is the fifth now",
            &["keys.withdrawn", "key.four", "memory.same"],
        )
        .attack("cache-identity")
        .ask(token().without_header("kid"), allow())
        .accept("jwks", {
            let others = [&B, &E3, &LONG].map(Key::public);
            let more = B.with(json!({ "e": "Aw", "kid": "b3" }));
            ok(&jwks(
                others
                    .into_iter()
                    .chain([more, A.public()])
                    .collect::<Vec<_>>(),
            ))
        })
        .ask(token().without_header("kid"), Code::KeyUnknown)
        .ask(token(), allow()),
        vector(
            "keys-unnamed-other-name",
            "the same key under another `kid` before it",
            &["keys.withdrawn", "key.its-own", "memory.same"],
        )
        .attack("cache-identity")
        .policy(fetching().issuer(
            "revocations",
            json!({ "uri": "https://auth.example.com/revoked" }),
        ))
        .due(&["jwks", "revocations"])
        .accept("jwks", a_set())
        .accept("revocations", ok(&json!({ "kid": ["other"] })))
        .ask(token().without_header("kid"), allow())
        .accept(
            "jwks",
            ok(&jwks([A.with(json!({ "kid": "other" })), A.public()])),
        )
        .ask(token().without_header("kid"), Code::TokenRevoked)
        .ask(token(), allow()),
        loaded(
            "keys-unchanged",
            "the same document again changes nothing",
            &["keys.rotation"],
        )
        .ask(token(), allow())
        .accept("jwks", a_set())
        .ask(token(), allow()),
        loaded(
            "keys-withdrawn-and-back",
            "a key that comes back is good again",
            &["keys.withdrawn", "memory.denied"],
        )
        .accept("jwks", ok(&jwks([])))
        .ask(token(), Code::KeyUnknown)
        .accept("jwks", a_set())
        .ask(token(), allow()),
    ]
}

fn issuers() -> Vec<Draft> {
    let partner_iss = "https://partner.example";
    let two = || {
        fetching().and_issuer("partner", partner_iss, &B).issuer_at(
            1,
            "keys",
            json!({ "jwks_uri": "https://partner.example/jwks.json" }),
        )
    };
    let partner = || token().claim("iss", partner_iss).key(&B);
    let supplied =
        |issuer, response| (issuer, "jwks", response, SupplyExpect::Accepted(Vec::new()));
    let supply = |draft: Draft, (issuer, kind, response, expect)| {
        draft.supply(issuer, kind, response, expect)
    };
    let start = |id, title| {
        vector(id, title, &["keys.isolated"])
            .policy(two())
            .due_of([document("platform", "jwks"), document("partner", "jwks")])
    };
    vec![
        supply(
            start("keys-isolated-down", "one issuer is down"),
            supplied("platform", Some(a_set())),
        )
        .supply("partner", "jwks", None, SupplyExpect::Refused)
        .ask(token(), allow())
        .ask(partner(), Code::KeysUnavailable),
        supply(
            start("keys-isolated-slow", "one issuer is slow"),
            supplied("platform", Some(a_set())),
        )
        .ask(token(), allow())
        .ask(
            partner(),
            crate::vector::Expect::Wait(vec![document("partner", "jwks")]),
        ),
        {
            let draft = supply(
                start("keys-isolated-unknown", "one issuer's strangers"),
                supplied("platform", Some(a_set())),
            );
            supply(draft, supplied("partner", Some(ok(&jwks([B.public()])))))
                .at(30_000)
                .ask(token().header("kid", "x"), wait(&["jwks"]))
                .ask(partner(), allow())
                .ask(
                    partner().header("kid", "x"),
                    crate::vector::Expect::Wait(vec![document("partner", "jwks")]),
                )
        },
    ]
}

fn clock() -> Vec<Draft> {
    let back = -7_200_000;
    vec![
        loaded(
            "keys-clock-back",
            "an hour back: keys are good, and may be fetched",
            &["keys.clock-back"],
        )
        .at(back)
        .ask(long_lived(), allow())
        .due(&["jwks"])
        .accept("jwks", both())
        .ask(long_lived().key(&B), allow()),
        loaded(
            "keys-clock-back-unknown",
            "an unknown key may be asked for",
            &["keys.clock-back", "keys.unknown-kid"],
        )
        .at(back)
        .ask(long_lived().key(&B), wait(&["jwks"])),
        fetched(
            "keys-clock-back-flight",
            "a fetch under way does not block for two hours",
            &["keys.clock-back", "keys.one-flight"],
        )
        .due(&["jwks"])
        .at(back)
        .due(&["jwks"]),
        fetched(
            "keys-clock-back-backoff",
            "nor does a pause",
            &["keys.clock-back", "keys.backoff"],
        )
        .due(&["jwks"])
        .fail("jwks")
        .at(back)
        .due(&["jwks"]),
    ]
}

//! Signed answers about opaque tokens.

use super::{
    opaque::{active, bearer, inactive, introspection, signed, unavailable, with},
    prelude::*,
};
use crate::vector::{Expect, Response};

pub(super) fn vectors() -> Topic {
    let drafts = [good(), bad(), keys()].concat();
    topic(
        "opaque-signed",
        "Opaque tokens: signed answers of their authorization server",
        drafts,
    )
}

/// The plain policy with its key, and opaque tokens.
fn signing(how: &str) -> Policy {
    policy().issuer("introspection", introspection(json!({ "signed": how })))
}

fn jws(token: &Token) -> Response {
    response(200, "", token.compact())
}

/// A signed answer with these members beside the plain ones; `null` removes one.
fn outer(members: Value) -> Token {
    let mut claims =
        json!({ "iss": ISS, "aud": "gate", "iat": NOW_S, "token_introspection": active() });
    for (name, value) in members.as_object().expect("members") {
        match value {
            Value::Null => drop(claims.as_object_mut().expect("claims").shift_remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    signed(active()).claims_text(claims.to_string())
}

fn good() -> Vec<Draft> {
    let accepted = |id, title, answer: Token| {
        with(id, title, &["introspection.signed"], signing("required"))
            .opens("opq_1")
            .accept("introspection", jws(&answer))
            .ask(
                bearer("opq_1"),
                principal(json!({ "subject": "user-4711", "claims": active().to_string() })),
            )
    };
    let accepts = |how: &str, value: &str| {
        let mut sent = document("platform", "introspection");
        let secret = base64("gate:a%20secret%3A%20of%20ours%2F1");
        let basic = format!("Basic {secret}");
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", value),
            ("authorization", &basic),
        ];
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        sent.headers = Some(headers.map(pair).into());
        with(
            &format!("signed-accept-{how}"),
            "what the request accepts",
            &["introspection.request"],
            signing(how),
        )
        .ask(bearer("opq_1"), Expect::Wait(vec![sent]))
    };
    vec![
        accepts("required", "application/token-introspection+jwt"),
        accepts(
            "accepted",
            "application/token-introspection+jwt, application/json",
        ),
        accepted("signed-answer", "a signed answer", signed(active())),
        accepted(
            "signed-typ-case",
            "its `typ` in another spelling",
            signed(active()).header("typ", "application/Token-Introspection+JWT"),
        ),
        accepted(
            "signed-audiences",
            "for several clients",
            outer(json!({ "aud": ["other", "gate"] })),
        ),
        accepted(
            "signed-members",
            "its own members are no claims",
            outer(json!({ "sub": "gate", "exp": NOW_S - 1, "scope": "admin" })),
        ),
        with(
            "signed-inactive",
            "a signed answer that says no",
            &["introspection.signed", "introspection.negative"],
            signing("required"),
        )
        .opens("opq_1")
        .accept("introspection", jws(&signed(inactive())))
        .ask(bearer("opq_1"), Code::TokenInactive)
        .at(9_999)
        .ask(bearer("opq_1"), Code::TokenInactive)
        .at(10_000)
        .opens("opq_1"),
        with(
            "signed-cached",
            "a signed answer is used as a plain one",
            &["introspection.signed", "introspection.cache"],
            signing("accepted"),
        )
        .opens("opq_1")
        .accept("introspection", jws(&signed(active())))
        .ask(bearer("opq_1"), allow())
        .at(59_999)
        .ask(bearer("opq_1"), allow())
        .at(60_000)
        .opens("opq_1")
        .says(active())
        .ask(bearer("opq_1"), allow()),
        with(
            "signed-iat-second",
            "made in the second of the request",
            &["introspection.signed"],
            signing("required"),
        )
        .at(900)
        .opens("opq_1")
        .accept("introspection", jws(&signed(active())))
        .ask(bearer("opq_1"), allow()),
        with(
            "signed-blanks",
            "a line feed after it",
            &["introspection.signed"],
            signing("required"),
        )
        .opens("opq_1")
        .accept(
            "introspection",
            response(200, "", format!("{}\n", signed(active()).compact())),
        )
        .ask(bearer("opq_1"), allow()),
        with(
            "signed-audience",
            "the token is for another audience",
            &["introspection.signed", "introspection.claims"],
            signing("required"),
        )
        .attack("aud-missing-or-wrong")
        .opens("opq_1")
        .accept(
            "introspection",
            jws(&signed(super::opaque::but(json!({ "aud": "billing" })))),
        )
        .ask(bearer("opq_1"), Code::AudienceMismatch),
    ]
}

fn bad() -> Vec<Draft> {
    let refused = |id, title, answer: Token| {
        with(id, title, &["introspection.signed"], signing("accepted"))
            .attack("introspection-lies")
            .opens("opq_1")
            .accept("introspection", jws(&answer))
            .ask(bearer("opq_1"), unavailable(1))
            .at(1_000)
            .opens("opq_1")
    };
    let good = || signed(active());
    let inner = |text: &str| {
        good().claims_text(format!(
            r#"{{"iss":"{ISS}","aud":"gate","iat":{NOW_S},"token_introspection":{text}}}"#
        ))
    };
    vec![
        with(
            "signed-downgrade",
            "a plain answer where a signed one is required",
            &["introspection.signed-required", "introspection.unusable"],
            signing("required"),
        )
        .attack("introspection-downgrade")
        .opens("opq_1")
        .lies(ok(&active()))
        .ask(bearer("opq_1"), unavailable(1))
        .opens("opq_2")
        .lies(ok(&inactive()))
        .ask(bearer("opq_2"), unavailable(1)),
        with(
            "signed-accepted-plain",
            "a plain answer where a signed one is only accepted",
            &["introspection.signed-required"],
            signing("accepted"),
        )
        .opens("opq_1")
        .says(active())
        .ask(bearer("opq_1"), allow()),
        with(
            "signed-two-parts",
            "no JWS",
            &["introspection.signed"],
            signing("required"),
        )
        .opens("opq_1")
        .accept("introspection", response(200, "", "eyJ.e30"))
        .ask(bearer("opq_1"), unavailable(1)),
        refused(
            "signed-by-another",
            "signed by another key",
            good().signed_by(&B),
        ),
        refused(
            "signed-changed",
            "changed after it was signed",
            good().signature([0; 256]),
        ),
        refused(
            "signed-unknown-kid",
            "a key that nobody has",
            good().header("kid", "x"),
        ),
        refused("signed-none", "not signed", good().header("alg", "none")).attack("alg-none"),
        refused(
            "signed-algorithm",
            "an algorithm that the issuer does not have",
            good().alg("RS512"),
        ),
        refused(
            "signed-typ-missing",
            "without a `typ`",
            good().without_header("typ"),
        )
        .attack("typ-cross-jwt"),
        refused(
            "signed-typ-other",
            "an access token of the issuer in its place",
            good().header("typ", "at+jwt"),
        )
        .attack("typ-cross-jwt"),
        refused(
            "signed-iss",
            "of another issuer",
            outer(json!({ "iss": "https://evil.example" })),
        ),
        refused(
            "signed-iss-missing",
            "of no issuer",
            outer(json!({ "iss": null })),
        ),
        refused(
            "signed-aud",
            "for another client",
            outer(json!({ "aud": "other" })),
        ),
        refused(
            "signed-aud-missing",
            "for no client",
            outer(json!({ "aud": null })),
        ),
        refused(
            "signed-iat-missing",
            "without `iat`",
            outer(json!({ "iat": null })),
        ),
        refused(
            "signed-iat-old",
            "made before the request",
            outer(json!({ "iat": NOW_S - 1 })),
        ),
        refused(
            "signed-iat-future",
            "made in the future",
            outer(json!({ "iat": NOW_S + 1 })),
        ),
        refused(
            "signed-no-answer",
            "without the answer",
            outer(json!({ "token_introspection": null, "active": true })),
        ),
        refused(
            "signed-inner-text",
            "the answer is a text",
            inner(r#""{}""#),
        ),
        refused(
            "signed-inner-active",
            "`active` is a text",
            inner(r#"{"active":"true"}"#),
        ),
        refused(
            "signed-inner-twice",
            "a member stands twice",
            inner(r#"{"active":false,"active":true}"#),
        ),
    ]
}

fn keys() -> Vec<Draft> {
    let fetched = |how| {
        let policy = signing(how);
        policy.issuer("keys", json!({ "jwks_uri": JWKS_URI }))
    };
    let sent = |key: &'static Key| jws(&signed(active()).key(key));
    vec![
        with(
            "signed-keys-first",
            "the keys are fetched when an answer needs them",
            &["introspection.signed-keys", "keys.first"],
            fetched("required"),
        )
        .opens("opq_1")
        .accept("introspection", sent(&A))
        .ask(bearer("opq_1"), wait(&["jwks"]))
        .accept("jwks", ok(&jwks([A.public()])))
        .ask(bearer("opq_1"), allow()),
        with(
            "signed-keys-rotation",
            "a key that is new",
            &["introspection.signed-keys", "keys.unknown-kid"],
            fetched("required"),
        )
        .due(&["jwks"])
        .accept("jwks", ok(&jwks([A.public()])))
        .at(30_000)
        .opens("opq_1")
        .accept(
            "introspection",
            jws(&outer(json!({ "iat": NOW_S + 30 })).key(&B)),
        )
        .ask(bearer("opq_1"), wait(&["jwks"]))
        .accept("jwks", ok(&jwks([B.public()])))
        .ask(bearer("opq_1"), allow()),
        with(
            "signed-keys-none",
            "no keys",
            &["introspection.signed-keys", "keys.unavailable"],
            fetched("required"),
        )
        .opens("opq_1")
        .accept("introspection", sent(&A))
        .ask(bearer("opq_1"), wait(&["jwks"]))
        .fail("jwks")
        .ask(bearer("opq_1"), Code::KeysUnavailable)
        .at(1_000)
        .ask(bearer("opq_1"), wait(&["jwks"]))
        .accept("jwks", ok(&jwks([A.public()])))
        .ask(bearer("opq_1"), allow()),
    ]
}

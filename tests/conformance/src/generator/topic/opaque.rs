//! Opaque tokens: what is asked about them, what the answer means, and how long it
//! counts.

use super::prelude::*;
use crate::vector::{Expect, Response, SupplyExpect};

pub(super) fn vectors() -> Topic {
    let drafts = [asked(), answers(), order(), policies()].concat();
    topic(
        "opaque",
        "Opaque tokens: their authorization server says what they are",
        drafts,
    )
}

pub(super) const URI: &str = "https://auth.example.com/introspect";

/// The plain policy, whose issuer has opaque tokens with these further words.
pub(super) fn opaque(words: Value) -> Policy {
    policy()
        .without_issuer("algorithms")
        .without_issuer("keys")
        .issuer("introspection", introspection(words))
}

pub(super) fn introspection(words: Value) -> Value {
    let mut introspection = json!({ "uri": URI, "prefix": ["opq_"],
        "client": { "id": "gate", "secret_from": "introspection" } });
    for (name, value) in words.as_object().expect("words") {
        introspection[name] = value.clone();
    }
    introspection
}

/// A vector with this policy, in a host that has the client's secret.
pub(super) fn with(id: &str, title: &str, rules: &[&str], policy: Policy) -> Draft {
    vector(id, title, rules)
        .policy(policy)
        .secret("introspection", "a secret: of ours/1")
}

pub(super) fn bearer(token: impl AsRef<[u8]>) -> Request {
    let value = [b"Bearer ", token.as_ref()].concat();
    get("/").header("authorization", value)
}

/// The members of an answer about an active token.
pub(super) fn active() -> Value {
    json!({ "active": true, "iss": ISS, "sub": "user-4711", "aud": "platform", "scope": "read write",
        "client_id": "cli", "username": "jo", "iat": NOW_S - 10, "exp": NOW_S + 600 })
}

/// The same with other members.
pub(super) fn but(members: Value) -> Value {
    let mut answer = active();
    for (name, value) in members.as_object().expect("members") {
        answer[name] = value.clone();
    }
    answer
}

pub(super) fn inactive() -> Value {
    json!({ "active": false })
}

pub(super) fn unavailable(retry_after_s: u32) -> Expect {
    deny(Code::IntrospectionUnavailable)
        .retry_after(Some(retry_after_s))
        .without_challenge()
}

fn sends(headers: &[(&str, &str)], body: &str) -> Expect {
    let mut sent = document("platform", "introspection");
    sent.uri = Some(URI.into());
    let header = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    sent.headers = Some(headers.iter().map(header).collect());
    sent.body = Some(body.into());
    Expect::Wait(vec![sent])
}

impl Draft {
    /// Asks about a token, which has to wait for its authorization server.
    pub(super) fn opens(self, token: &str) -> Self {
        self.ask(bearer(token), wait(&["introspection"]))
    }

    /// The oldest open request gets this answer.
    pub(super) fn says(self, answer: Value) -> Self {
        self.accept("introspection", ok(&answer))
    }

    /// The oldest open request gets a response that is no answer.
    pub(super) fn lies(self, response: Response) -> Self {
        self.refuse("introspection", response)
    }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("accept", "application/json");

fn asked() -> Vec<Draft> {
    let basic = format!("Basic {}", base64("gate:a%20secret%3A%20of%20ours%2F1"));
    let by_header = [FORM, JSON, ("authorization", &*basic)];
    let other = "https://other.example.com";
    let two = |words: Value| {
        opaque(json!({}))
            .and_issuer("other", other, &B)
            .issuer_at(1, "algorithms", json!(["RS256"]))
            .issuer_at(1, "introspection", introspection(words))
    };
    let two = |words: Value| {
        let mut policy: Value = two(words).into();
        let issuer = policy["issuers"][1].as_object_mut().expect("an issuer");
        issuer.shift_remove("keys");
        issuer.shift_remove("algorithms");
        policy
    };
    vec![
        with("opaque-request", "the request", &["introspection.request", "introspection.client"], opaque(json!({})))
            .ask(bearer("opq_1"), sends(&by_header, "token=opq_1&token_type_hint=access_token")),
        with("opaque-encoded", "a token with characters of forms", &["introspection.request"], opaque(json!({})))
            .attack("introspection-request")
            .ask(
                bearer("opq_a+b/c=&active=true&%20~\"'"),
                sends(&by_header, "token=opq_a%2Bb%2Fc%3D%26active%3Dtrue%26%2520%7E%22%27&token_type_hint=access_token"),
            ),
        with(
            "opaque-post",
            "a client that authenticates in the body",
            &["introspection.client"],
            opaque(json!({ "client": { "id": "gate&x", "secret_from": "introspection", "method": "post" } })),
        )
        .ask(
            bearer("opq_1"),
            sends(
                &[FORM, JSON],
                "token=opq_1&token_type_hint=access_token&client_id=gate%26x&client_secret=a%20secret%3A%20of%20ours%2F1",
            ),
        ),
        with("opaque-secret-inline", "a secret in the policy", &["introspection.client"], opaque(json!({ "client": { "id": "a:b", "secret": "c d" } })))
            .ask(
                bearer("opq_1"),
                sends(
                    &[FORM, JSON, ("authorization", &format!("Basic {}", base64("a%3Ab:c%20d")))],
                    "token=opq_1&token_type_hint=access_token",
                ),
            ),
        with("opaque-prefix", "a token with another beginning", &["introspection.asked", "order.by-form"], opaque(json!({})))
            .ask(bearer("opaque"), Code::TokenMalformed)
            .ask(bearer("opq"), Code::TokenMalformed)
            .ask(bearer("Opq_1"), Code::TokenMalformed)
            .ask(token(), Code::IssuerUnknown)
            .opens("opq_1.2.3"),
        with(
            "opaque-all",
            "all that have not three parts",
            &["introspection.asked", "order.by-form"],
            opaque(json!({ "opaque": true })),
        )
        .ask(token(), Code::IssuerUnknown)
        .ask(bearer("a.b.c"), Code::TokenMalformed)
        .opens("some-token"),
        with("opaque-dots", "one dot, and four", &["introspection.asked"], opaque(json!({ "opaque": true })))
            .opens("some.token")
            .says(inactive())
            .opens("a.b.c.d.e"),
        vector("opaque-two-issuers", "each by its prefix", &["introspection.asked", "introspection.isolated"])
            .policy(two(json!({ "prefix": ["oth_"] })))
            .secret("introspection", "s")
            .ask_all(["oth_1", "oth_2", "oth_3"].map(bearer), Expect::Wait(vec![document("other", "introspection")]))
            .supply("other", "introspection", None, SupplyExpect::Refused)
            .supply("other", "introspection", None, SupplyExpect::Refused)
            .supply("other", "introspection", None, SupplyExpect::Refused)
            .ask(bearer("oth_4"), unavailable(1))
            .opens("opq_1"),
        with("opaque-beside-jwts", "beside an issuer of JWTs", &["introspection.asked", "order.by-form"], {
            policy().and_issuer("legacy", "https://legacy.example.com", &B)
        })
        .policy({
            let mut policy: Value = policy().and_issuer("legacy", "https://legacy.example.com", &B).into();
            let issuer = policy["issuers"][1].as_object_mut().expect("an issuer");
            issuer.shift_remove("keys");
            issuer.shift_remove("algorithms");
            policy["issuers"][1]["introspection"] = introspection(json!({ "opaque": true }));
            policy
        })
        .ask(token(), principal(json!({ "issuer": "platform" })))
        .ask(bearer("some-token"), Expect::Wait(vec![document("legacy", "introspection")])),
        with("opaque-bytes", "a byte that no token has", &["introspection.bytes"], opaque(json!({})))
            .attack("introspection-request")
            .ask_all(["opq_\u{e9}", "opq_\u{7f}", "opq_\u{1}"].map(bearer), Code::TokenMalformed)
            .ask(bearer(b"opq_\xff"), Code::TokenMalformed),
        with("opaque-size", "a token that is too large", &["introspection.bytes", "token.size"], opaque(json!({})))
            .ask(bearer(format!("opq_{}", "x".repeat(16_381))), Code::TokenTooLarge)
            .opens(&format!("opq_{}", "x".repeat(16_380))),
        with("opaque-token-only", "a token without a request", &["introspection.asked", "token-only.requirement"], opaque(json!({})))
            .token("opq_1", None, wait(&["introspection"]))
            .says(active())
            .token("opq_1", Some(json!({ "scopes": ["read"] })), principal(json!({ "subject": "user-4711" })))
            .token("opq_1", Some(json!({ "scopes": ["admin"] })), Code::ScopeInsufficient),
    ]
}

/// A vector in which the server gives this answer about the token.
fn answered(id: &str, title: &str, rules: &[&str], policy: Policy, answer: Value) -> Draft {
    with(id, title, rules, policy).opens("opq_1").says(answer)
}

fn answers() -> Vec<Draft> {
    let claims = |id, title, answer, expect: Expect| {
        answered(
            id,
            title,
            &["introspection.claims"],
            opaque(json!({})),
            answer,
        )
        .ask(bearer("opq_1"), expect)
    };
    let without = |name: &str| {
        let mut answer = active();
        answer.as_object_mut().expect("members").shift_remove(name);
        answer
    };
    vec![
        claims(
            "opaque-active",
            "an active token",
            active(),
            principal(json!({ "issuer": "platform", "iss": ISS, "subject": "user-4711", "scopes": ["read", "write"],
                "expires_at_ms": (NOW_S + 600) * 1000, "claims": active().to_string() })),
        ),
        claims("opaque-expired", "active and expired", but(json!({ "exp": NOW_S })), deny(Code::TokenExpired).naming("exp")),
        claims("opaque-exp-missing", "active, nobody knows how long", without("exp"), deny(Code::ClaimMissing).naming("exp")),
        claims("opaque-exp-text", "an `exp` that is a text", but(json!({ "exp": "soon" })), deny(Code::ClaimsInvalid).naming("exp")),
        claims("opaque-nbf", "active and too early", but(json!({ "nbf": NOW_S + 60 })), deny(Code::TokenNotYetValid).naming("nbf")),
        claims("opaque-iat", "issued in the future", but(json!({ "iat": NOW_S + 60 })), deny(Code::TokenNotYetValid).naming("iat")),
        claims("opaque-audience", "for another audience", but(json!({ "aud": ["billing"] })), deny(Code::AudienceMismatch).naming("aud"))
            .attack("aud-missing-or-wrong"),
        claims("opaque-audience-missing", "for no audience", without("aud"), deny(Code::AudienceMismatch).naming("aud"))
            .attack("aud-missing-or-wrong"),
        answered(
            "opaque-exp-optional",
            "the issuer's tokens need no `exp`",
            &["introspection.claims"],
            opaque(json!({})).issuer("exp_required", false),
            without("exp"),
        )
        .ask(bearer("opq_1"), allow()),
        answered("opaque-iss-other", "another `iss`", &["introspection.issuer"], opaque(json!({})), but(json!({ "iss": "https://evil.example" })))
            .ask(bearer("opq_1"), deny(Code::ClaimMismatch).naming("iss")),
        answered("opaque-iss-type", "an `iss` that is no text", &["introspection.issuer", "introspection.claims"], opaque(json!({})), but(json!({ "iss": 1 })))
            .ask(bearer("opq_1"), deny(Code::ClaimsInvalid).naming("iss")),
        answered("opaque-iss-missing", "no `iss`", &["introspection.issuer"], opaque(json!({})), without("iss"))
            .ask(bearer("opq_1"), principal(json!({ "iss": "", "issuer": "platform" }))),
        answered(
            "opaque-iss-any",
            "a policy that names no `issuer`",
            &["introspection.issuer"],
            opaque(json!({})).without_issuer("issuer"),
            but(json!({ "iss": "https://as.example" })),
        )
        .ask(bearer("opq_1"), principal(json!({ "iss": "https://as.example" }))),
        answered(
            "opaque-mapped",
            "mapped, required and forwarded as a JWT's",
            &["introspection.claims"],
            opaque(json!({}))
                .issuer("claims", json!({ "subject": "/username", "tenant": "/org" }))
                .issuer("require", json!({ "/client_id": { "one_of": ["cli", "web"] } }))
                .top("forward", json!({ "x-user": "subject", "x-tenant": "tenant" })),
            but(json!({ "org": "acme" })),
        )
        .ask(bearer("opq_1"), sets(json!({ "x-user": "jo", "x-tenant": "acme" }))),
        answered(
            "opaque-require",
            "a claim that the issuer requires",
            &["introspection.claims"],
            opaque(json!({})).issuer("require", json!({ "/client_id": "web" })),
            active(),
        )
        .ask(bearer("opq_1"), deny(Code::ClaimMismatch).naming("/client_id")),
        answered(
            "opaque-types",
            "token types by a claim",
            &["introspection.claims"],
            opaque(json!({})).issuer(
                "token_types",
                json!([{ "name": "user", "claim": { "username": { "present": true } } },
                       { "name": "machine", "claim": { "username": { "present": false } } }]),
            ),
            active(),
        )
        .ask(bearer("opq_1"), principal(json!({ "token_type": "user" }))),
        answered(
            "opaque-header-typ",
            "no type by a header",
            &["introspection.claims"],
            opaque(json!({})).issuer("token_types", json!([{ "name": "a", "header_typ": ["at+jwt"] }])),
            but(json!({ "typ": "at+jwt" })),
        )
        .ask(bearer("opq_1"), Code::TypeMismatch),
        answered("opaque-inactive", "not active", &["introspection.inactive"], opaque(json!({})), inactive())
            .ask(
                bearer("opq_1"),
                deny(Code::TokenInactive).naming_none().challenging(
                    "Bearer realm=\"platform\", error=\"invalid_token\", error_description=\"the token is not active\"",
                ),
            ),
        answered("opaque-inactive-claims", "not active, whatever else it says", &["introspection.inactive"], opaque(json!({})), but(json!({ "active": false })))
            .ask(bearer("opq_1"), Code::TokenInactive),
        answered("opaque-rule", "active, and the rule wants more", &["introspection.claims", "order.token-before-rule"], opaque(json!({})).requires(json!({ "scopes": ["admin"] })), active())
            .ask(bearer("opq_1"), Code::ScopeInsufficient),
        with("opaque-revoked", "active and in the issuer's revocations", &["introspection.claims", "introspection.cache"], opaque(json!({})).issuer("revocations", json!({ "uri": "https://auth.example.com/revoked.json" })))
            .opens("opq_1")
            .says(active())
            .ask(bearer("opq_1"), allow())
            .due(&["revocations"])
            .accept("revocations", ok(&json!({ "sub": [{ "sub": "user-4711" }] })))
            .ask(bearer("opq_1"), Code::TokenRevoked),
    ]
}

/// A signed answer.
pub(super) fn signed(answer: Value) -> Token {
    let claims = json!({ "iss": ISS, "aud": "gate", "iat": NOW_S, "token_introspection": answer });
    token()
        .header("typ", "token-introspection+jwt")
        .claims_text(claims.to_string())
}

fn order() -> Vec<Draft> {
    let placed = || {
        policy()
            .and_issuer("legacy", "https://legacy.example.com", &B)
            .top(
                "credentials",
                json!([{ "header": "authorization", "scheme": "Bearer", "issuers": ["legacy"] }]),
            )
            .without_issuer("algorithms")
            .without_issuer("keys")
            .issuer("introspection", introspection(json!({})))
    };
    vec![
        with(
            "order-opaque-size",
            "too large, and from a place of others",
            &["order.introspection", "order.size"],
            placed(),
        )
        .ask(
            bearer(format!("opq_{}", "x".repeat(16_381))),
            Code::TokenTooLarge,
        ),
        with(
            "order-opaque-place",
            "from a place of others, and of a byte that no token has",
            &["order.introspection", "credential.issuers"],
            placed(),
        )
        .ask(bearer("opq_\u{7f}"), Code::IssuerUnknown)
        .ask(bearer("opq_1"), Code::IssuerUnknown),
        with(
            "order-opaque-bytes",
            "a byte that no token has, and a server that is down",
            &["order.introspection"],
            opaque(json!({})),
        )
        .opens("opq_1")
        .opens("opq_2")
        .opens("opq_3")
        .fail("introspection")
        .fail("introspection")
        .fail("introspection")
        .ask(bearer("opq_\u{7f}"), Code::TokenMalformed)
        .ask(bearer("opq_4"), Code::IntrospectionUnavailable),
        with(
            "order-opaque-active",
            "not active, and expired",
            &["order.introspection"],
            opaque(json!({})),
        )
        .opens("opq_1")
        .says(but(json!({ "active": false, "exp": "x", "aud": "y" })))
        .ask(bearer("opq_1"), Code::TokenInactive),
        with(
            "order-opaque-iss",
            "another `iss`, another audience, and expired",
            &["order.introspection"],
            opaque(json!({})),
        )
        .opens("opq_1")
        .says(but(json!({ "iss": "x", "exp": 0, "aud": "y" })))
        .ask(bearer("opq_1"), deny(Code::ClaimMismatch).naming("iss")),
        with(
            "order-opaque-audience",
            "another audience, and expired",
            &["order.introspection", "order.audience"],
            opaque(json!({})),
        )
        .opens("opq_1")
        .says(but(json!({ "exp": 0, "aud": "y" })))
        .ask(bearer("opq_1"), Code::AudienceMismatch),
    ]
}

fn policies() -> Vec<Draft> {
    let refused = |id, title, policy: Policy, problems: &[(&str, &str)]| {
        with(id, title, &["introspection.policy"], policy).refused(problems)
    };
    let at = |member: &str| format!("/issuers/0{member}");
    let two = opaque(json!({ "opaque": true }))
        .and_issuer("other", "https://other.example.com", &B)
        .issuer_at(
            1,
            "introspection",
            introspection(json!({ "prefix": ["oth_"], "opaque": true })),
        );
    vec![
        refused(
            "opaque-policy-none",
            "about no token",
            opaque(json!({ "prefix": null })),
            &[("type_wrong", &at("/introspection/prefix"))],
        ),
        refused(
            "opaque-policy-jwts",
            "a prefix that JWTs have",
            opaque(json!({ "prefix": ["eyJ"] })),
            &[("value_invalid", &at("/introspection/prefix/0"))],
        ),
        refused(
            "opaque-policy-prefixes",
            "prefixes of each other",
            opaque(json!({ "prefix": ["opq_", "opq_a"] })),
            &[("conflict", &at("/introspection/prefix/1"))],
        ),
        refused(
            "opaque-policy-two",
            "two issuers of all opaque tokens",
            two,
            &[("conflict", "/issuers/1/introspection/opaque")],
        ),
        refused(
            "opaque-policy-keys",
            "keys without signed answers",
            opaque(json!({})).issuer("algorithms", json!(["RS256"])),
            &[("conflict", &at("/algorithms"))],
        ),
        vector(
            "opaque-policy-secret",
            "a secret that the host does not have",
            &["introspection.policy"],
        )
        .policy(opaque(json!({})))
        .refused(&[("secret_missing", &at("/introspection/client/secret_from"))]),
    ]
}

//! Opaque tokens: responses that are no answers, how long an answer counts, and
//! how often a server is asked.

use super::{
    opaque::{active, bearer, but, inactive, opaque, signed, unavailable, with},
    prelude::*,
};
use crate::vector::{Response, SupplyExpect};

pub(super) fn vectors() -> Topic {
    let drafts = [lies(), times()].concat();
    topic(
        "opaque-times",
        "Opaque tokens: servers that lie, fail or are slow, and how long an answer counts",
        drafts,
    )
}

fn lies() -> Vec<Draft> {
    let lie = |id, title, response: Response| {
        with(
            id,
            title,
            &["introspection.answer", "introspection.unusable"],
            opaque(json!({})),
        )
        .attack("introspection-lies")
        .opens("opq_1")
        .lies(response)
        .ask(bearer("opq_1"), unavailable(1))
        .opens("opq_2")
        .at(1_000)
        .opens("opq_1")
    };
    let text = |body: &str| response(200, "", body);
    let active_as = |value: &str| {
        text(&format!(
            r#"{{"active":{value},"sub":"x","aud":"platform","exp":1900000000}}"#
        ))
    };
    let large = active().to_string();
    let padded = |length: usize| text(&format!("{large}{}", " ".repeat(length - large.len())));
    vec![
        lie("opaque-html", "a page", text("<html>active: true</html>")),
        lie("opaque-empty", "nothing", text("")),
        lie("opaque-array", "an array", text(&format!("[{large}]"))),
        lie("opaque-no-active", "no `active`", text(r#"{"sub":"x"}"#)),
        lie(
            "opaque-active-text",
            "`active` is a text",
            active_as(r#""true""#),
        ),
        lie(
            "opaque-active-number",
            "`active` is a number",
            active_as("1"),
        ),
        lie("opaque-active-null", "`active` is null", active_as("null")),
        lie(
            "opaque-active-twice",
            "`active` stands twice",
            text(r#"{"active":false,"active":true,"exp":1900000000,"aud":"platform"}"#),
        ),
        lie(
            "opaque-member-twice",
            "another member stands twice",
            text(r#"{"active":true,"aud":"x","\u0061ud":"platform","exp":1900000000}"#),
        ),
        lie(
            "opaque-two-objects",
            "two objects",
            text(&format!("{large}{large}")),
        ),
        lie("opaque-large", "one byte too many", padded(65_537)),
        lie(
            "opaque-status",
            "another status with an answer",
            response(201, "", large.clone()),
        ),
        lie(
            "opaque-status-400",
            "the server does not like the token",
            response(400, "", "{}"),
        ),
        lie(
            "opaque-status-500",
            "the server fails with this token",
            response(500, "", large.clone()),
        ),
        lie(
            "opaque-unsigned",
            "a signed answer to a policy that wants none",
            text(&signed(active()).compact()),
        )
        .also("introspection.signed-required"),
        with(
            "opaque-as-large",
            "as large as it may be",
            &["introspection.answer"],
            opaque(json!({})),
        )
        .opens("opq_1")
        .accept("introspection", padded(65_536))
        .ask(bearer("opq_1"), allow()),
        with(
            "opaque-blanks",
            "blanks before the answer",
            &["introspection.answer"],
            opaque(json!({})),
        )
        .opens("opq_1")
        .accept("introspection", text(&format!("\r\n\t {large}")))
        .ask(bearer("opq_1"), allow()),
    ]
}

fn times() -> Vec<Draft> {
    let down = |id, title, response: Option<Response>| {
        let failing = with(
            id,
            title,
            &["introspection.down", "challenge.retry-after"],
            opaque(json!({})),
        )
        .attack("introspection-lies");
        let failing = (0..4).fold(failing, |draft, n| draft.opens(&format!("opq_{n}")));
        // The fourth fails during the pause.
        let fail = |draft: Draft, _| {
            let refused = SupplyExpect::Refused;
            draft.supply("platform", "introspection", response.clone(), refused)
        };
        (0..4)
            .fold(failing, fail)
            .ask(bearer("opq_1"), unavailable(1))
            .ask(bearer("opq_4"), unavailable(1))
            .at(999)
            .ask(bearer("opq_4"), unavailable(1))
            .at(1_000)
            .opens("opq_4")
            .fail("introspection")
            .ask(bearer("opq_5"), unavailable(2))
            .at(2_999)
            .ask(bearer("opq_5"), unavailable(1))
            .at(3_000)
            .opens("opq_5")
            .says(active())
            .ask(bearer("opq_5"), allow())
            .opens("opq_6")
            .fail("introspection")
            .ask(bearer("opq_6"), unavailable(1))
            .opens("opq_7")
    };
    let status = |status| Some(response(status, "", ""));
    vec![
        with("opaque-cache", "for a minute", &["introspection.cache"], opaque(json!({})))
            .opens("opq_1")
            .says(active())
            .ask(bearer("opq_1"), principal(json!({ "subject": "user-4711" })))
            .at(59_999)
            .ask(bearer("opq_1"), allow())
            .at(60_000)
            .opens("opq_1")
            .says(but(json!({ "sub": "user-1" })))
            .ask(bearer("opq_1"), principal(json!({ "subject": "user-1" })))
            .at(120_000)
            .opens("opq_1")
            .says(inactive())
            .ask(bearer("opq_1"), Code::TokenInactive),
        with("opaque-cache-own", "as long as the policy says", &["introspection.cache"], opaque(json!({ "cache_s": 600 })).top("leeway_s", 30))
            .opens("opq_1")
            .says(but(json!({ "exp": NOW_S + 300 })))
            .at(299_999)
            .ask(bearer("opq_1"), allow())
            .at(300_000)
            .opens("opq_1")
            .says(but(json!({ "exp": NOW_S + 300 })))
            .ask(bearer("opq_1"), allow())
            .at(301_000)
            .opens("opq_1"),
        with("opaque-cache-none", "no cache: for the checks that wait", &["introspection.cache"], opaque(json!({ "cache_s": 0 })))
            .opens("opq_1")
            .says(active())
            .at(999)
            .ask(bearer("opq_1"), allow())
            .at(1_000)
            .opens("opq_1"),
        with("opaque-cache-expiry", "times are checked on every use", &["introspection.cache", "memory.time"], opaque(json!({ "cache_s": 0 })))
            .opens("opq_1")
            .says(but(json!({ "exp": NOW_S as f64 + 0.5 })))
            .at(499)
            .ask(bearer("opq_1"), allow())
            .at(500)
            .ask(bearer("opq_1"), Code::TokenExpired),
        with("opaque-cache-denied", "also where the rule refuses the token", &["introspection.cache", "memory.rules"], opaque(json!({})).rules(json!([
            { "path": "/admin", "require": { "scopes": ["admin"] } }, { "path": "/**", "require": {} } ])))
            .opens("opq_1")
            .says(active())
            .ask(get("/admin").header("authorization", "Bearer opq_1"), Code::ScopeInsufficient)
            .at(59_999)
            .ask(bearer("opq_1"), allow()),
        with("opaque-cache-identity", "a token that differs in one byte", &["introspection.cache", "memory.identity"], opaque(json!({})))
            .attack("cache-identity")
            .opens("opq_0123456789012345678901234567890123456789")
            .says(active())
            .opens("opq_1123456789012345678901234567890123456789")
            .says(inactive())
            .ask(bearer("opq_0123456789012345678901234567890123456789"), allow())
            .ask(bearer("opq_1123456789012345678901234567890123456789"), Code::TokenInactive),
        with("opaque-clock-back", "a clock that is set back", &["introspection.cache"], opaque(json!({})))
            .at(10_000)
            .opens("opq_1")
            .says(active())
            .ask(bearer("opq_1"), allow())
            .at(9_999)
            .opens("opq_1"),
        with("opaque-negative", "not active, for ten seconds", &["introspection.negative"], opaque(json!({})))
            .opens("opq_1")
            .says(inactive())
            .at(9_999)
            .ask(bearer("opq_1"), Code::TokenInactive)
            .at(10_000)
            .opens("opq_1")
            .says(active())
            .ask(bearer("opq_1"), allow()),
        with("opaque-negative-own", "as long as the policy says", &["introspection.negative"], opaque(json!({ "negative_cache_s": 0 })))
            .opens("opq_1")
            .says(inactive())
            .at(999)
            .ask(bearer("opq_1"), Code::TokenInactive)
            .at(1_000)
            .opens("opq_1"),
        with("opaque-negative-audience", "for another audience, for ten seconds", &["introspection.negative"], opaque(json!({})))
            .opens("opq_1")
            .says(but(json!({ "aud": "billing" })))
            .at(9_999)
            .ask(bearer("opq_1"), Code::AudienceMismatch)
            .at(10_000)
            .opens("opq_1"),
        with("opaque-one-flight", "one request a token", &["introspection.one-flight"], opaque(json!({ "rate_per_s": 1 })))
            .opens("opq_1")
            .at(9_999)
            .opens("opq_1")
            .says(active())
            .ask(bearer("opq_1"), allow()),
        with("opaque-late", "a response that comes too late", &["introspection.one-flight"], opaque(json!({})))
            .opens("opq_1")
            .at(10_000)
            .opens("opq_1")
            .says(active())
            .opens("opq_1")
            .says(inactive())
            .ask(bearer("opq_1"), Code::TokenInactive),
        down("opaque-down", "a server that is down", None),
        down("opaque-down-503", "a server that says that it is down", status(503)),
        down("opaque-down-401", "a server that does not know the client", status(401)),
        down("opaque-down-429", "a server that is asked too often", status(429)),
        (0..6).fold(
            with("opaque-down-long", "down for long", &["introspection.down"], opaque(json!({})))
                .opens("opq_a")
                .opens("opq_b")
                .opens("opq_0")
                .fail("introspection")
                .fail("introspection"),
            |draft, n| {
                let pause_ms = [1_000, 2_000, 4_000, 8_000, 8_000, 8_000][n];
                let at: i64 = [0, 1_000, 3_000, 7_000, 15_000, 23_000][n];
                draft
                    .at(at)
                    .fail("introspection")
                    .ask(bearer("opq_x"), unavailable(pause_ms / 1000))
                    .at(at + i64::from(pause_ms))
                    .opens(&format!("opq_{}", n + 1))
            },
        ),
        with("opaque-rate", "more new tokens than the rate", &["introspection.rate", "introspection.known"], opaque(json!({ "rate_per_s": 4 })))
            .opens("opq_known")
            .says(active())
            .opens("opq_1")
            .opens("opq_2")
            .ask(bearer("opq_3"), unavailable(1))
            .ask(bearer("opq_known"), allow())
            .ask(bearer("opq_1"), wait(&["introspection"]))
            .at(249)
            .ask(bearer("opq_3"), unavailable(1))
            .at(250)
            .opens("opq_3")
            .ask(bearer("opq_4"), unavailable(1)),
        with("opaque-rate-reserve", "a part of the rate is for tokens that were active", &["introspection.rate"], opaque(json!({ "rate_per_s": 4, "cache_s": 10 })))
            .opens("opq_known")
            .says(active())
            .at(10_000)
            .opens("opq_1")
            .opens("opq_2")
            .opens("opq_3")
            .ask(bearer("opq_4"), unavailable(1))
            .opens("opq_known"),
        (0..128)
            .fold(
                with("opaque-places", "a slow server", &["introspection.places"], opaque(json!({ "rate_per_s": 10_000 }))),
                |draft, n| draft.opens(&format!("opq_{n}")),
            )
            .ask(bearer("opq_128"), unavailable(1))
            .says(inactive())
            .opens("opq_128")
            .at(10_000)
            .opens("opq_129"),
    ]
}

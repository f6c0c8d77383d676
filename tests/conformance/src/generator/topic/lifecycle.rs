//! Key documents over time: when they are fetched, and how long they are
//! usable.

use super::prelude::*;
use crate::vector::Document;

pub(super) fn vectors() -> Topic {
    let drafts = [first(), fresh(), flight(), failures(), stale()].concat();
    topic(
        "lifecycle",
        "Key documents in time: when they are fetched, and how long they are good",
        drafts,
    )
}

pub(super) fn a_set() -> crate::vector::Response {
    ok(&jwks([A.public()]))
}

/// A token that is valid for a year around the time of the vectors.
pub(super) fn long_lived() -> Token {
    token().claims(json!({ "iat": NOW_S - 15_000_000, "exp": NOW_S + 15_000_000 }))
}

pub(super) fn fetched(id: &str, title: &str, rules: &[&str]) -> Draft {
    vector(id, title, rules).policy(fetching())
}

/// A vector with the platform's keys loaded at the start.
pub(super) fn loaded(id: &str, title: &str, rules: &[&str]) -> Draft {
    fetched(id, title, rules)
        .due(&["jwks"])
        .accept("jwks", a_set())
}

fn unavailable(retry_after_s: u32) -> crate::vector::Expect {
    deny(Code::KeysUnavailable).retry_after(Some(retry_after_s))
}

fn first() -> Vec<Draft> {
    vec![
        fetched("keys-first-due", "due at once", &["keys.first"]).due_of([Document {
            uri: Some(JWKS_URI.into()),
            ..document("platform", "jwks")
        }]),
        fetched(
            "keys-first-wait",
            "a request before the first document waits for it",
            &["keys.first", "decision.wait"],
        )
        .ask(token(), wait(&["jwks"]))
        .accept("jwks", a_set())
        .ask(token(), allow()),
        fetched(
            "keys-first-join",
            "the second request joins the first one's fetch",
            &["keys.join"],
        )
        .ask(token(), wait(&["jwks"]))
        .at(1)
        .ask(token().claim("sub", "user-2"), wait(&["jwks"]))
        .due(&[])
        .accept("jwks", a_set())
        .ask(token(), allow()),
        fetched(
            "keys-first-no-wait",
            "a request that needs no key does not wait",
            &["decision.wait", "keys.first"],
        )
        .ask(get("/"), Code::TokenMissing)
        .ask(token().header("alg", "none"), Code::AlgorithmNotAllowed)
        .ask(
            token().claim("iss", "https://evil.example"),
            Code::IssuerUnknown,
        ),
        vector(
            "keys-inline",
            "inline keys are never due",
            &["decision.wait"],
        )
        .due(&[])
        .ask(token().header("kid", "x"), Code::KeyUnknown),
    ]
}

fn fresh() -> Vec<Draft> {
    let after = |id: &str, cache_control: &str, refresh_ms: i64| {
        let title = if cache_control.is_empty() {
            "nothing said".to_owned()
        } else {
            format!("`{cache_control}`")
        };
        fetched(&format!("keys-fresh-{id}"), &title, &["keys.fresh"])
            .due(&["jwks"])
            .accept(
                "jwks",
                response(200, cache_control, jwks([A.public()]).to_string()),
            )
            .at(refresh_ms - 1)
            .due(&[])
            .at(refresh_ms)
            .due(&["jwks"])
    };
    vec![
        after("default", "", 480_000),
        after("max-age", "max-age=300", 240_000),
        after("short", "max-age=10", 48_000),
        after("zero", "max-age=0", 48_000),
        after("long", "max-age=31536000", 69_120_000),
        after("endless", "max-age=99999999999999999999999", 69_120_000),
        after("case", "Public, Max-Age=300", 240_000),
        after("quoted", "max-age=\"300\"", 240_000),
        after("two", "max-age=600, max-age=300", 240_000),
        after("no-number", "max-age=soon", 480_000),
        after("negative", "max-age=-1", 480_000),
        after("shared", "s-maxage=60", 480_000),
        after("no-store", "no-store", 48_000),
        after("no-cache", "no-cache, max-age=3600", 48_000),
    ]
}

fn flight() -> Vec<Draft> {
    vec![
        fetched(
            "keys-flight",
            "not due again while under way, and lost after 15 s",
            &["keys.one-flight"],
        )
        .due(&["jwks"])
        .due(&[])
        .at(14_999)
        .due(&[])
        .at(15_000)
        .due(&["jwks"]),
        fetched(
            "keys-flight-late",
            "what comes late is used all the same",
            &["keys.one-flight", "keys.rotation"],
        )
        .due(&["jwks"])
        .at(60_000)
        .accept("jwks", a_set())
        .ask(token(), allow()),
    ]
}

fn failures() -> Vec<Draft> {
    let mut backoff = fetched(
        "keys-backoff",
        "1, 2, 4 … 60 s between attempts",
        &["keys.backoff"],
    )
    .due(&["jwks"])
    .fail("jwks");
    let mut at = 0;
    for pause in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
        at += pause;
        backoff = backoff
            .at(at - 1)
            .due(&[])
            .at(at)
            .due(&["jwks"])
            .fail("jwks");
    }
    let failed = |id: &str, title: &str, status: u16| {
        fetched(id, title, &["keys.failed"])
            .due(&["jwks"])
            .refuse(
                "jwks",
                response(status, "max-age=3600", jwks([A.public()]).to_string()),
            )
            .ask(token(), unavailable(1))
            .at(1_000)
            .due(&["jwks"])
    };
    vec![
        backoff,
        failed("keys-status-201", "201", 201),
        failed("keys-status-204", "204", 204),
        failed("keys-status-206", "206", 206),
        failed("keys-status-301", "301", 301),
        failed("keys-status-304", "304", 304),
        failed("keys-status-404", "404", 404),
        failed("keys-status-429", "429", 429),
        failed("keys-status-500", "500", 500),
        failed("keys-status-503", "503", 503),
        fetched(
            "keys-refused",
            "a document that is refused",
            &["keys.failed", "jwks.form"],
        )
        .due(&["jwks"])
        .refuse("jwks", response(200, "max-age=3600", "<html>"))
        .ask(token(), unavailable(1))
        .at(1_000)
        .due(&["jwks"]),
        loaded(
            "keys-backoff-reset",
            "a good document ends the counting",
            &["keys.backoff"],
        )
        .at(480_000)
        .due(&["jwks"])
        .fail("jwks")
        .at(481_000)
        .due(&["jwks"])
        .fail("jwks")
        .at(483_000)
        .due(&["jwks"])
        .accept("jwks", a_set())
        .at(963_000)
        .due(&["jwks"])
        .fail("jwks")
        .at(963_999)
        .due(&[])
        .at(964_000)
        .due(&["jwks"]),
        fetched(
            "keys-unavailable",
            "no keys, and no attempt allowed yet",
            &["keys.unavailable", "decision.wait"],
        )
        .ask(token(), wait(&["jwks"]))
        .fail("jwks")
        .ask(token(), unavailable(1))
        .at(1_000)
        .ask(token(), wait(&["jwks"]))
        .fail("jwks")
        .at(1_001)
        .ask(token(), unavailable(2))
        .at(3_000)
        .ask(token(), wait(&["jwks"]))
        .accept("jwks", a_set())
        .ask(token(), allow()),
    ]
}

fn stale() -> Vec<Draft> {
    let keys = |stale_s: Option<u32>| match stale_s {
        Some(stale_s) => json!({ "jwks_uri": JWKS_URI, "stale_s": stale_s }),
        None => json!({ "jwks_uri": JWKS_URI }),
    };
    let outage = |id, title, stale_s: Option<u32>, until: i64| {
        vector(id, title, &["keys.stale", "keys.unavailable"])
            .policy(policy().issuer("keys", keys(stale_s)))
            .due(&["jwks"])
            .accept("jwks", a_set())
            .at(480_000)
            .due(&["jwks"])
            .fail("jwks")
            .ask(long_lived(), allow())
            .at(until - 1)
            .ask(long_lived(), allow())
            .at(until)
            .ask(long_lived(), wait(&["jwks"]))
            .fail("jwks")
            .ask(long_lived(), unavailable(2))
    };
    vec![
        outage(
            "keys-stale-default",
            "a day after they would have been fresh",
            None,
            87_000_000,
        ),
        outage(
            "keys-stale-hour",
            "as long as the policy says",
            Some(3_600),
            4_200_000,
        ),
        outage("keys-stale-none", "not at all", Some(0), 600_000),
        vector(
            "keys-stale-recovered",
            "and good again with the next document",
            &["keys.stale", "keys.rotation"],
        )
        .policy(policy().issuer("keys", keys(Some(0))))
        .due(&["jwks"])
        .accept("jwks", a_set())
        .at(700_000)
        .ask(long_lived(), wait(&["jwks"]))
        .accept("jwks", a_set())
        .ask(long_lived(), allow()),
    ]
}

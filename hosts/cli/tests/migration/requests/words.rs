//! What a policy says of claims, places and several tokens.

use countersign_artefact_tests::token::Key;
use serde_json::{Value, json};

use super::{Header, Headers, Request, bearer, good_claims, saying};
use crate::configuration::{CARRIER, PARTNER};

pub(super) fn all(key: &Key) -> Vec<Request<'_>> {
    [conditions(key), carriers(key), bypasses(key)]
        .into_iter()
        .flatten()
        .collect()
}

/// Requests with `PUT`, each path of which asks for one claim.
fn conditions(key: &Key) -> Vec<Request<'_>> {
    let put = |name, target, change: fn(&mut Value)| Request {
        name,
        method: "PUT",
        target,
        headers: saying(key, move |_, claims| change(claims)),
    };
    vec![
        put("prefix", "/teams/1", |claims| {
            claims["team"] = json!("eng-a")
        }),
        put("prefix, another", "/teams/1", |claims| {
            claims["team"] = json!("ops-eng-")
        }),
        put("prefix, no claim", "/teams/1", |_| {}),
        put("prefix of an item", "/teams/1", |claims| {
            claims["team"] = json!(["eng-a"])
        }),
        put("suffix", "/mail/1", |claims| {
            claims["email"] = json!("a@shop.example")
        }),
        put("suffix, longer", "/mail/1", |claims| {
            claims["email"] = json!("a@shop.example.evil.example")
        }),
        put("present", "/known/1", |claims| claims["level"] = json!(0)),
        put("present, an object", "/known/1", |claims| {
            claims["level"] = json!({})
        }),
        put("present, missing", "/known/1", |_| {}),
        put("not a guest, no role", "/members/1", |_| {}),
        put("not a guest, another role", "/members/1", |claims| {
            claims["role"] = json!("clerk")
        }),
        put("a guest", "/members/1", |claims| {
            claims["role"] = json!("guest")
        }),
        put("a guest among others", "/members/1", |claims| {
            claims["role"] = json!(["clerk", "guest"])
        }),
        put("list, suffix of an item", "/groups/1", |claims| {
            claims["groups"] = json!(["a", "b-ops"])
        }),
        put("list, no such item", "/groups/1", |claims| {
            claims["groups"] = json!(["a"])
        }),
        put("list, empty", "/groups/1", |claims| {
            claims["groups"] = json!([])
        }),
        put("list, but a text", "/groups/1", |claims| {
            claims["groups"] = json!("b-ops")
        }),
        put("nested", "/nested/1", |claims| {
            claims["org"] = json!({ "unit": { "name": "x" } })
        }),
        put("nested, not there", "/nested/1", |claims| {
            claims["org"] = json!({ "unit": "x" })
        }),
        put("flag", "/flag/1", |claims| claims["verified"] = json!(true)),
        put("flag as text", "/flag/1", |claims| {
            claims["verified"] = json!("true")
        }),
        put("not a scope, none", "/quiet/1", |_| {}),
        put("not a scope, others", "/quiet/1", |claims| {
            claims["scope"] = json!("a b")
        }),
        put("not a scope, among others", "/quiet/1", |claims| {
            claims["scope"] = json!("a loud")
        }),
        put("any of several", "/either/1", |claims| {
            claims["role"] = json!("clerk")
        }),
        put("any of several, by prefix", "/either/1", |claims| {
            claims["role"] = json!("eng-x")
        }),
        put("any of several, none", "/either/1", |claims| {
            claims["role"] = json!("other")
        }),
    ]
}

/// A token of the carrier, whose places are its own.
fn carrier(key: &Key, now: u64) -> String {
    key.sign(&json!({ "iss": CARRIER, "aud": "x", "sub": "van-1", "exp": now + 600 }))
}

fn carriers(key: &Key) -> Vec<Request<'_>> {
    type Tokens = fn(&str, &str) -> Vec<Header>;
    let with = |name, target, headers: Tokens| Request {
        name,
        method: "GET",
        target,
        headers: Box::new(move |now| headers(&key.sign(&good_claims(now)), &carrier(key, now)))
            as Headers<'_>,
    };
    vec![
        with("a header of one provider", "/vans/1", |_, van| {
            vec![header("x-carrier", van)]
        }),
        with("a cookie of one provider", "/vans/1", |_, van| {
            vec![header("cookie", &format!("a=b; carrier={van}"))]
        }),
        with(
            "a token in another provider's place",
            "/vans/1",
            |user, _| vec![header("x-carrier", user)],
        ),
        with(
            "a token in no place of its provider",
            "/vans/1",
            |_, van| bearer(van),
        ),
        with("one of two required tokens", "/both/1", |user, _| {
            bearer(user)
        }),
        with("the other of two required tokens", "/both/1", |_, van| {
            vec![header("x-carrier", van)]
        }),
        with("both required tokens", "/both/1", |user, van| {
            [bearer(user), vec![header("x-carrier", van)]].concat()
        }),
        with("both required tokens, exchanged", "/both/1", |user, van| {
            [bearer(van), vec![header("x-carrier", user)]].concat()
        }),
        with("both required tokens, one bad", "/both/1", |user, _| {
            [bearer(user), vec![header("x-carrier", "a.b.c")]].concat()
        }),
    ]
}

fn header(name: &str, value: &str) -> Header {
    (name.to_owned(), value.as_bytes().to_vec())
}

/// `allow_missing_or_failed`.
fn bypasses(key: &Key) -> Vec<Request<'_>> {
    let hints = |name, change: fn(u64, &mut Value)| Request {
        name,
        method: "GET",
        target: "/hints",
        headers: saying(key, change),
    };
    vec![
        hints("tolerant, good token", |_, _| {}),
        hints("tolerant, expired", |now, claims| {
            claims["exp"] = json!(now - 600)
        }),
        hints("tolerant, another issuer's", |_, claims| {
            claims["iss"] = json!(PARTNER)
        }),
        hints("tolerant, wrong audience", |_, claims| {
            claims["aud"] = json!("other")
        }),
    ]
}

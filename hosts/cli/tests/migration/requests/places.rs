//! Tokens in many places.

use countersign_artefact_tests::token::Key;
use serde_json::json;

use super::{Header, Request, authorization, bearer, good_claims, now_s};
use crate::configuration::SHOP;

pub(super) fn all(key: &Key) -> Vec<Request<'_>> {
    let with = |name, target, value: fn(&str) -> Vec<Header>| Request {
        name,
        method: "GET",
        target,
        headers: Box::new(move |now| value(&key.sign(&good_claims(now)))),
    };
    let orders = |name, value| with(name, "/orders/1", value);
    let other = |now| json!({ "iss": SHOP, "aud": "orders", "sub": "user-2", "exp": now + 600 });
    let in_query = |now| format!("/orders/1?access_token={}", key.sign(&good_claims(now)));
    let in_query: &'static str = Box::leak(in_query(now_s()).into_boxed_str());
    vec![
        orders("scheme in lower case", |token| {
            authorization(&format!("bearer {token}"))
        }),
        orders("no scheme", authorization),
        orders("another scheme", |token| {
            authorization(&format!("Basic {token}"))
        }),
        orders("empty credential", |_| authorization("Bearer ")),
        orders("the same token twice", |token| {
            [bearer(token), bearer(token)].concat()
        }),
        orders("another credential beside it", |token| {
            [bearer(token), authorization("Basic YTpi")].concat()
        }),
        Request {
            name: "two tokens",
            method: "GET",
            target: "/orders/1",
            headers: Box::new(move |now| {
                [
                    bearer(&key.sign(&good_claims(now))),
                    bearer(&key.sign(&other(now))),
                ]
                .concat()
            }),
        },
        with("token in the query", in_query, |_| Vec::new()),
        with("optional, no token", "/feed", |_| Vec::new()),
        with("optional, empty credential", "/feed", |_| {
            authorization("Bearer ")
        }),
        with("optional, good token", "/feed", bearer),
        with("optional, bad token", "/feed", |_| bearer("a.b.c")),
        with("tolerant, no token", "/hints", |_| Vec::new()),
        with("tolerant, bad token", "/hints", |_| bearer("a.b.c")),
        with("public, bad token", "/healthz", |_| bearer("a.b.c")),
    ]
}

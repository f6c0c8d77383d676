//! Tokens with many claims.

use countersign_artefact_tests::token::Key;
use serde_json::{Value, json};

use super::{Request, SKEW_S, saying};
use crate::configuration::PARTNER;

pub(super) fn all(key: &Key) -> Vec<Request<'_>> {
    let shaped = |name, target, method, change: fn(u64, &mut Value)| Request {
        name,
        method,
        target,
        headers: saying(key, change),
    };
    let orders = |name, change| shaped(name, "/orders/1", "GET", change);
    let clerk = |name, change| shaped(name, "/orders/1", "POST", change);
    let admin = |name, change| shaped(name, "/admin/users", "GET", change);
    vec![
        orders("wrong audience", |_, claims| claims["aud"] = json!("other")),
        orders("the issuer's audience, not the rule's", |_, claims| {
            claims["aud"] = json!("catalogue")
        }),
        orders("audiences in a list", |_, claims| {
            claims["aud"] = json!(["x", "orders"])
        }),
        orders("audience with scheme and slash", |_, claims| {
            claims["aud"] = json!("https://orders/")
        }),
        orders("no audience", |_, claims| claims["aud"] = Value::Null),
        orders("expired", |now, claims| claims["exp"] = json!(now - 600)),
        orders("exp == now - leeway", |now, claims| {
            claims["exp"] = json!(now - SKEW_S)
        }),
        orders("exp within leeway", |now, claims| {
            claims["exp"] = json!(now - 30)
        }),
        orders("exp 0", |_, claims| claims["exp"] = json!(0)),
        orders("exp with a fraction", |now, claims| {
            claims["exp"] = json!(now as f64 + 0.5)
        }),
        orders("exp as text", |now, claims| {
            claims["exp"] = json!((now + 600).to_string())
        }),
        orders("no exp", |_, claims| claims["exp"] = Value::Null),
        orders("not valid yet", |now, claims| {
            claims["nbf"] = json!(now + 600)
        }),
        orders("issued in the future", |now, claims| {
            claims["iat"] = json!(now + 600)
        }),
        orders("another issuer's token", |_, claims| {
            claims["iss"] = json!(PARTNER)
        }),
        orders("unknown issuer", |_, claims| {
            claims["iss"] = json!("https://evil.example")
        }),
        orders("no issuer", |_, claims| claims["iss"] = Value::Null),
        orders("sub is a number", |_, claims| claims["sub"] = json!(1)),
        clerk("POST without the claim", |_, _| {}),
        clerk("POST with the claim", |_, claims| {
            claims["role"] = json!("clerk")
        }),
        clerk("POST with another value", |_, claims| {
            claims["role"] = json!("Clerk")
        }),
        clerk("POST with the claim in a list", |_, claims| {
            claims["role"] = json!(["clerk"])
        }),
        clerk("POST with the claim among words", |_, claims| {
            claims["role"] = json!("clerk chief")
        }),
        admin("no scope", |_, _| {}),
        admin("scope among words", |_, claims| {
            claims["scope"] = json!("read admin")
        }),
        admin("scope in a list", |_, claims| {
            claims["scope"] = json!(["admin"])
        }),
        admin("scope as part of a word", |_, claims| {
            claims["scope"] = json!("administrator")
        }),
        admin("partner with scope", |_, claims| {
            claims["iss"] = json!(PARTNER);
            claims["scope"] = json!("admin");
        }),
    ]
}

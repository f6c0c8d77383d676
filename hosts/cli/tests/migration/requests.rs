//! Requests, good and bad in every way that two verifiers might see differently.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_artefact_tests::token::Key;
use serde_json::{Value, json};

use crate::configuration::{PARTNER, SHOP};

pub(crate) type Header = (String, Vec<u8>);
/// Headers as of a second.
pub(crate) type Headers<'k> = Box<dyn Fn(u64) -> Vec<Header> + 'k>;

/// A request, its headers as of a second.
pub(crate) struct Request<'k> {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    pub(crate) headers: Headers<'k>,
}

/// What Envoy allows clocks; the imported policy too.
const SKEW_S: u64 = 60;

pub(crate) fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn claims(now: u64) -> Value {
    json!({ "iss": SHOP, "aud": "orders", "sub": "user-1", "iat": now, "exp": now + 600 })
}

fn header() -> Value {
    json!({ "alg": "RS256", "kid": "rsa-2048-a" })
}

fn bearer(token: &str) -> Vec<Header> {
    authorization(&format!("Bearer {token}"))
}

fn authorization(value: &str) -> Vec<Header> {
    vec![("authorization".to_owned(), value.as_bytes().to_vec())]
}

pub(crate) fn all<'k>(key: &'k Key, stranger: &'k Key) -> Vec<Request<'k>> {
    [
        tokens(key, stranger),
        claims_of(key),
        credentials(key),
        targets(key),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `GET /orders/1`.
fn orders<'k>(name: &'static str, headers: Headers<'k>) -> Request<'k> {
    Request {
        name,
        method: "GET",
        target: "/orders/1",
        headers,
    }
}

/// A good token in the form that `change` gives it.
fn formed<'k>(key: &'k Key, change: impl Fn(String) -> String + 'k) -> Headers<'k> {
    Box::new(move |now| {
        let good = key.sign_text(&header().to_string(), &claims(now).to_string());
        bearer(&change(good))
    })
}

/// A good token but for members of its header.
fn headed<'k>(key: &'k Key, change: impl Fn(&mut Value) + 'k) -> Headers<'k> {
    Box::new(move |now| {
        let mut header = header();
        change(&mut header);
        bearer(&key.sign_text(&header.to_string(), &claims(now).to_string()))
    })
}

/// A good token but for its claims.
fn saying<'k>(key: &'k Key, change: impl Fn(u64, &mut Value) + 'k) -> Headers<'k> {
    Box::new(move |now| {
        let mut claims = claims(now);
        change(now, &mut claims);
        // `null` leaves a claim out.
        let members = claims.as_object_mut().unwrap();
        members.retain(|_, value| !value.is_null());
        bearer(&key.sign_text(&header().to_string(), &claims.to_string()))
    })
}

fn good(key: &Key) -> Headers<'_> {
    saying(key, |_, _| {})
}

fn tokens<'k>(key: &'k Key, stranger: &'k Key) -> Vec<Request<'k>> {
    vec![
        orders("good token", good(key)),
        orders("no token", Box::new(|_| Vec::new())),
        orders("trailing dot", formed(key, |token| token + ".")),
        orders(
            "two parts",
            formed(key, |token| token.rsplit_once('.').unwrap().0.to_owned()),
        ),
        orders("padded base64url", formed(key, |token| token + "==")),
        orders(
            "no signature",
            formed(key, |token| {
                token.rsplit_once('.').unwrap().0.to_owned() + "."
            }),
        ),
        orders(
            "signature cut off",
            formed(key, |token| token[..token.len() - 8].to_owned()),
        ),
        orders(
            "signed by a stranger",
            Box::new(move |now| {
                bearer(&stranger.sign_text(&header().to_string(), &claims(now).to_string()))
            }),
        ),
        orders(
            "crit",
            headed(key, |header| header["crit"] = json!(["exp"])),
        ),
        orders(
            "b64 false",
            headed(key, |header| header["b64"] = json!(false)),
        ),
        orders(
            "typ of something else",
            headed(key, |header| header["typ"] = json!("logout+jwt")),
        ),
        orders(
            "alg none",
            headed(key, |header| header["alg"] = json!("none")),
        ),
        orders(
            "alg of another family",
            headed(key, |header| header["alg"] = json!("ES256")),
        ),
        orders(
            "alg HS256",
            headed(key, |header| header["alg"] = json!("HS256")),
        ),
        orders(
            "kid unknown",
            headed(key, |header| header["kid"] = json!("other")),
        ),
        orders(
            "no kid",
            headed(key, |header| {
                header.as_object_mut().unwrap().remove("kid");
            }),
        ),
        orders(
            "kid is a number",
            headed(key, |header| header["kid"] = json!(1)),
        ),
        orders(
            "alg twice",
            Box::new(move |now| {
                let header = r#"{"alg":"none","alg":"RS256","kid":"rsa-2048-a"}"#;
                bearer(&key.sign_text(header, &claims(now).to_string()))
            }),
        ),
        orders(
            "claims are no JSON",
            Box::new(move |_| bearer(&key.sign_text(&header().to_string(), "{"))),
        ),
        orders(
            "iss twice",
            Box::new(move |now| {
                let twice =
                    claims(now)
                        .to_string()
                        .replacen('{', r#"{"iss":"https://evil.example","#, 1);
                bearer(&key.sign_text(&header().to_string(), &twice))
            }),
        ),
        orders(
            "token of 17 KiB",
            saying(key, |_, claims| claims["pad"] = json!("x".repeat(13_000))),
        ),
    ]
}

fn claims_of(key: &Key) -> Vec<Request<'_>> {
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

fn credentials(key: &Key) -> Vec<Request<'_>> {
    let with = |name, target, value: fn(&str) -> Vec<Header>| Request {
        name,
        method: "GET",
        target,
        headers: Box::new(move |now| value(&key.sign(&claims(now)))),
    };
    let orders = |name, value| with(name, "/orders/1", value);
    let other = |now| json!({ "iss": SHOP, "aud": "orders", "sub": "user-2", "exp": now + 600 });
    let in_query = |now| format!("/orders/1?access_token={}", key.sign(&claims(now)));
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
                    bearer(&key.sign(&claims(now))),
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

fn targets(key: &Key) -> Vec<Request<'_>> {
    let request = |name, method, target| Request {
        name,
        method,
        target,
        headers: good(key),
    };
    let anonymous = |name, method, target| Request {
        headers: Box::new(|_| Vec::new()),
        ..request(name, method, target)
    };
    vec![
        anonymous("public", "GET", "/healthz"),
        anonymous("public, below", "GET", "/healthz/live?full=1"),
        anonymous("public, but POST", "POST", "/healthz"),
        anonymous("only begins like the public path", "GET", "/healthzz"),
        anonymous(
            "out of the public path by ..",
            "GET",
            "/healthz/../orders/1",
        ),
        anonymous(
            "out of the public path by %2e%2e",
            "GET",
            "/healthz/%2e%2e/orders/1",
        ),
        anonymous("a parameter after the public path", "GET", "/healthz/;x"),
        request("another path", "GET", "/elsewhere"),
        request("another method", "DELETE", "/elsewhere"),
        request("HEAD where GET is admitted", "HEAD", "/elsewhere"),
        request("the root", "GET", "/"),
        request("a double slash", "GET", "//orders/1"),
        request("an encoded slash", "GET", "/elsewhere/a%2Fb"),
        request("exact path", "GET", "/exact"),
        request("exact path with a query", "GET", "/exact?x=1"),
        request("exact path with a slash", "GET", "/exact/"),
        request("below a folder", "GET", "/files/a/b"),
        request("the folder itself", "GET", "/files"),
        Request {
            name: "the folder itself, partner",
            method: "GET",
            target: "/files",
            headers: saying(key, |_, claims| claims["iss"] = json!(PARTNER)),
        },
        Request {
            name: "exact path with a slash, partner",
            method: "GET",
            target: "/exact/",
            headers: saying(key, |_, claims| claims["iss"] = json!(PARTNER)),
        },
        Request {
            name: "elsewhere, partner",
            method: "GET",
            target: "/elsewhere",
            headers: saying(key, |_, claims| claims["iss"] = json!(PARTNER)),
        },
    ]
}

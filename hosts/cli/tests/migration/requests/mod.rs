//! Requests, good and bad in every way that two verifiers might see differently.

mod bearers;
mod claims;
mod places;
mod targets;
mod words;

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_artefact_tests::token::Key;
use serde_json::{Value, json};

use crate::configuration::SHOP;

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

fn good_claims(now: u64) -> Value {
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
        bearers::all(key, stranger),
        claims::all(key),
        places::all(key),
        targets::all(key),
        words::all(key),
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
        let good = key.sign_text(&header().to_string(), &good_claims(now).to_string());
        bearer(&change(good))
    })
}

/// A good token but for members of its header.
fn headed<'k>(key: &'k Key, change: impl Fn(&mut Value) + 'k) -> Headers<'k> {
    Box::new(move |now| {
        let mut header = header();
        change(&mut header);
        bearer(&key.sign_text(&header.to_string(), &good_claims(now).to_string()))
    })
}

/// A good token but for its claims.
fn saying<'k>(key: &'k Key, change: impl Fn(u64, &mut Value) + 'k) -> Headers<'k> {
    Box::new(move |now| {
        let mut claims = good_claims(now);
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

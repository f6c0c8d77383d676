//! One policy, several requests, and the decisions of the native crate.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use countersign::{Decision, Gate, Header, Request};
use serde_json::{Value, json};

use crate::token::Key;

/// A request with a name.
#[derive(Debug)]
pub struct Case {
    /// What the case tests, in words.
    pub name: &'static str,
    /// The method.
    pub method: &'static str,
    /// Path and query.
    pub target: &'static str,
    /// Lower-case names, raw values.
    pub headers: Vec<(&'static str, Vec<u8>)>,
}

/// The answer of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200 if the request is allowed.
    pub status: u16,
    /// The code of a denial; empty if the request is allowed.
    pub code: String,
    /// `WWW-Authenticate`; empty if there is none.
    pub challenge: String,
}

/// The authority of every request.
pub const AUTHORITY: &str = "api.example.com";

/// Returns the current time in milliseconds since the epoch.
///
/// # Panics
/// If the clock is before 1970.
pub fn now_ms() -> u64 {
    let now: Duration = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// Returns a policy with one issuer with inline keys, and every kind of rule.
pub fn policy(key: &Key) -> Value {
    json!({
        "contract": "1",
        "issuers": [{
            "name": "platform",
            "issuer": "https://auth.example.com",
            "audiences": ["platform"],
            "algorithms": ["RS256"],
            "keys": { "jwks": { "keys": [key.public()] } },
        }],
        "rules": [
            { "path": "/healthz", "public": true },
            { "path": "/assets/**", "methods": ["GET"],
              "require": { "scopes": { "all": ["assets:read"] } } },
            { "path": "/feed", "optional": true },
        ],
        "forward": { "x-auth-subject": "subject", "x-auth-scopes": "scopes" },
    })
}

/// Returns allowed and denied requests for the time `now_ms`.
pub fn cases(key: &Key, other: &Key, now_ms: u64) -> Vec<Case> {
    let now = now_ms / 1000;
    let claims = json!({
        "iss": "https://auth.example.com", "aud": "platform", "sub": "user-1",
        "scope": "assets:read", "iat": now, "exp": now + 600,
    });
    let with = |member: &str, value: Value| {
        let mut claims = claims.clone();
        claims[member] = value;
        claims
    };
    let token = |claims: &Value| bearer(&key.sign(claims));
    let good = token(&claims);
    let get = |name, target, headers| Case {
        name,
        method: "GET",
        target,
        headers,
    };
    let assets = |name, headers| get(name, "/assets/1?a=b", headers);
    let authorization = |value: Vec<u8>| vec![("authorization", value)];

    vec![
        assets("a good token", authorization(good.clone())),
        assets("the same token again", authorization(good.clone())),
        assets("no token", vec![]),
        assets(
            "expired",
            authorization(token(&with("exp", json!(now - 600)))),
        ),
        assets(
            "not valid yet",
            authorization(token(&with("nbf", json!(now + 600)))),
        ),
        assets(
            "another audience",
            authorization(token(&with("aud", json!("other")))),
        ),
        assets(
            "another issuer",
            authorization(token(&with("iss", json!("https://evil.example")))),
        ),
        assets(
            "a scope is missing",
            authorization(token(&with("scope", json!("assets:list")))),
        ),
        assets(
            "signed by a stranger",
            authorization(bearer(&other.sign(&claims))),
        ),
        assets("no JWS", authorization(b"Bearer nonsense".to_vec())),
        assets(
            "byte 0xFF in the token",
            authorization(b"Bearer \xff.\xff.\xff".to_vec()),
        ),
        assets(
            "byte 0xFF in another header",
            vec![
                ("x-note", b"a\xffb".to_vec()),
                ("authorization", good.clone()),
            ],
        ),
        assets(
            "two different tokens",
            vec![
                ("authorization", good.clone()),
                ("authorization", token(&with("sub", json!("b")))),
            ],
        ),
        assets(
            "the caller claims to be someone",
            vec![
                ("authorization", good.clone()),
                ("x-auth-subject", b"admin".to_vec()),
            ],
        ),
        get(
            "a path with two readings",
            "/assets/%2fhealthz",
            authorization(good.clone()),
        ),
        get("no rule", "/admin", authorization(good.clone())),
        Case {
            method: "POST",
            ..assets("POST where the rule is for GET", authorization(good))
        },
        get(
            "public",
            "/healthz",
            vec![("x-auth-subject", b"admin".to_vec())],
        ),
        get("optional without a token", "/feed", vec![]),
        get(
            "optional with a bad token",
            "/feed",
            authorization(b"Bearer a.b.c".to_vec()),
        ),
    ]
}

fn bearer(token: &str) -> Vec<u8> {
    format!("Bearer {token}").into_bytes()
}

/// Returns the decisions of one gate of the native crate, in order.
///
/// # Panics
/// If the policy is invalid or needs documents.
pub fn native(policy: &Value, cases: &[Case], now_ms: u64) -> Vec<Answer> {
    let mut gate = Gate::open(policy.to_string().as_bytes(), 1).expect("the policy is good");
    cases
        .iter()
        .map(|case| {
            let headers: Vec<Header<'_>> = case
                .headers
                .iter()
                .map(|(name, value)| (name.as_bytes(), value.as_slice()))
                .collect();
            let request = Request {
                method: case.method.as_bytes(),
                authority: AUTHORITY.as_bytes(),
                target: case.target.as_bytes(),
                headers: &headers,
                connection: Default::default(),
            };
            match gate.check(&request, now_ms) {
                Decision::Allow(_) => Answer {
                    status: 200,
                    code: String::new(),
                    challenge: String::new(),
                },
                Decision::Deny(denial) => Answer {
                    status: denial.status(),
                    code: denial.code.to_string(),
                    challenge: denial.challenge.unwrap_or_default(),
                },
                Decision::Answer(_) => panic!("{}: nothing is answered", case.name),
                Decision::Wait(_) => panic!("{}: inline keys are never fetched", case.name),
            }
        })
        .collect()
}

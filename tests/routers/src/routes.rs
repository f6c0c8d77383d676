//! The handlers, the policy with a rule for each, and the tokens.

use std::time::SystemTime;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

/// The host that [`ROUTES`]' `hosted` is bound to.
pub const OPEN: &str = "open.example.com";

/// A handler and its rule.
#[derive(Debug)]
pub struct Route {
    /// The name with which the handler answers, and the scope that it requires.
    pub name: &'static str,
    /// The path of the rule, as in the policy.
    pub path: &'static str,
    /// Targets of the handler, from which requests are made.
    pub targets: &'static [&'static str],
}

/// The handler that requires no token.
pub const PUBLIC: &str = "public";

/// All handlers, in the order of the policy.
pub const ROUTES: [Route; 9] = [
    route("hosted", "/hosted", &["/hosted"]),
    route(
        PUBLIC,
        "/public/**",
        &["/public/a", "/public", "/public/a/b"],
    ),
    route(
        "edit",
        "/items/{id}/edit",
        &["/items/1/edit", "/items/x/edit"],
    ),
    route(
        "item",
        "/items/{id}",
        &["/items/2", "/items/edit", "/items/x%20y"],
    ),
    route("admin", "/admin/**", &["/admin/a", "/admin", "/admin/a/b"]),
    route("report", "/Reports/{id}", &["/Reports/1", "/Reports/a"]),
    route("space", "/a%20b", &["/a%20b"]),
    route("mail", "/a@b:c/**", &["/a@b:c/d", "/a@b:c"]),
    route(
        "rest",
        "/**",
        &[
            "/",
            "/secret",
            "/reports/1",
            "/items",
            "/items/1/x",
            "/hosted",
        ],
    ),
];

const fn route(name: &'static str, path: &'static str, targets: &'static [&'static str]) -> Route {
    Route {
        name,
        path,
        targets,
    }
}

/// Returns the policy for a router that has all handlers except `without`.
/// `exact`: the router distinguishes upper and lower case.
#[must_use]
pub fn policy(without: &[&str], exact: bool) -> Value {
    let key = key();
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "kid": key["kid"], "alg": "EdDSA", "x": key["x"],
    });
    let rule = |route: &Route| {
        let mut rule = json!({ "path": route.path });
        if route.name == "hosted" {
            rule["hosts"] = json!([OPEN]);
        }
        if route.name == PUBLIC {
            rule["public"] = json!(true);
        } else {
            rule["require"] = json!({ "scopes": [route.name] });
        }
        rule
    };
    json!({
        "contract": "1",
        "issuers": [{
            "name": "platform",
            "issuer": "https://issuer.example.com",
            "audiences": ["api"],
            "algorithms": ["EdDSA"],
            "keys": { "jwks": { "keys": [jwk] } },
        }],
        "rules": ROUTES
            .iter()
            .filter(|route| !without.contains(&route.name))
            .map(rule)
            .collect::<Vec<_>>(),
        "path_case": if exact { "exact" } else { "refuse" },
        "forward": { "x-auth-subject": "subject" },
    })
}

/// Returns a token of `ada` with only this scope, valid for a day.
#[must_use]
pub fn token(scope: &str) -> String {
    let encode = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let now_s = SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_secs());
    let key = key();
    let header = encode(json!({ "alg": "EdDSA", "kid": key["kid"] }));
    let claims = encode(json!({
        "iss": "https://issuer.example.com", "aud": "api", "sub": "ada",
        "iat": now_s, "exp": now_s + 86_400, "scope": scope,
    }));
    let secret = BASE64_URL_SAFE_NO_PAD.decode(key["d"].as_str().expect("`d`"));
    let secret = secret.expect("base64url").try_into().expect("32 bytes");
    let signed = format!("{header}.{claims}");
    let signature = SigningKey::from_bytes(&secret).sign(signed.as_bytes());
    format!(
        "{signed}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes())
    )
}

/// A published test key.
fn key() -> Value {
    serde_json::from_str(include_str!("../../keys/ed25519.json")).expect("a JWK")
}

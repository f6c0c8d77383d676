//! Policies to open.

use anyhow::Result;
use serde_json::{Value, json};

use crate::token::{self, AUDIENCE, ISSUER, Signer};

/// Path of a request that [`typical`] admits with a token of [`Signer`].
pub(crate) const TARGET: &str = "/assets/logo.svg?size=2";

/// What a service of some size has: token types, scopes, tenants, a few rules.
/// RSA issuers publish two keys, others one.
pub(crate) fn typical(signer: &Signer) -> Result<Vec<u8>> {
    let keys = match signer.algorithm {
        "HS256" => json!({ "secrets": [secret(signer)] }),
        _ => json!({ "jwks": jwks(signer)? }),
    };
    Ok(with_keys(signer.algorithm, &keys).to_string().into())
}

/// [`typical`] without headers for the service: what `jwt_authn` and RBAC
/// decide, and nothing more.
pub(crate) fn deciding(signer: &Signer) -> Result<Vec<u8>> {
    let mut policy: Value = serde_json::from_slice(&typical(signer)?)?;
    if let Some(members) = policy.as_object_mut() {
        members.remove("forward");
    }
    Ok(policy.to_string().into())
}

/// [`typical`], its keys still to be supplied.
pub(crate) fn awaiting_keys(signer: &Signer) -> Vec<u8> {
    let keys = json!({ "jwks_uri": format!("{ISSUER}/.well-known/jwks.json") });
    with_keys(signer.algorithm, &keys).to_string().into()
}

pub(crate) fn jwks(signer: &Signer) -> Result<Value> {
    let mut keys = vec![signer.public_jwk()];
    if signer.algorithm == "RS256" {
        keys.push(token::next_rsa_jwk()?);
    }
    Ok(json!({ "keys": keys }))
}

/// The same key by a hundred names, the signer's first.
pub(crate) fn hundred_keys(signer: &Signer) -> Value {
    let keys = (0..100).map(|number| {
        let mut jwk = signer.public_jwk();
        if number > 0 {
            jwk["kid"] = format!("key-{number}").into();
        }
        jwk
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
}

/// So many issuers and so many rules. Keys are secrets: next to an RSA
/// operation nobody would see what grows.
pub(crate) fn grown(signer: &Signer, issuers: usize, rules: usize) -> Vec<u8> {
    let issuers = (0..issuers).map(|number| {
        json!({
            "name": format!("issuer-{number}"),
            "issuer": nth_issuer(number),
            "audiences": [AUDIENCE],
            "algorithms": [signer.algorithm],
            "keys": { "secrets": [secret(signer)] },
        })
    });
    let rules = (0..rules).map(|number| {
        json!({
            "path": [format!("/service-{number:05}/items/{{id}}"), format!("/service-{number:05}/all/**")],
            "methods": ["GET", "POST"],
            "require": { "scopes": { "all": ["api:assets:read"] } },
        })
    });
    let policy = json!({
        "contract": "1",
        "issuers": issuers.collect::<Vec<_>>(),
        "credentials": [{ "header": "authorization", "scheme": "Bearer" }],
        "rules": rules.collect::<Vec<_>>(),
        "default": "deny",
    });
    policy.to_string().into()
}

/// As long as all the others, so that nothing but their number differs.
pub(crate) fn nth_issuer(number: usize) -> String {
    format!("https://issuer-{number:05}.example.com")
}

/// Path of a request that the rule of this number of [`grown`] admits.
pub(crate) fn nth_target(number: usize) -> String {
    format!("/service-{number:05}/items/42")
}

fn secret(signer: &Signer) -> Value {
    let jwk = signer.public_jwk();
    json!({ "kid": jwk["kid"], "k": jwk["k"] })
}

fn with_keys(algorithm: &str, keys: &Value) -> Value {
    json!({
        "contract": "1",
        "leeway_s": 30,
        "issuers": [{
            "name": "platform",
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "algorithms": [algorithm],
            "keys": keys,
            "token_types": [
                { "name": "pat", "claim": { "typ": "pat" }, "required_claims": ["tenant_id"] },
                { "name": "njt", "claim": { "typ": "njt" }, "scopes_within": ["node:join"] },
                { "name": "nat", "claim": { "typ": "nat" }, "scopes_within": ["node:*"] },
            ],
            "claims": { "tenant": "/tenant_id" },
            "scope_wildcards": true,
        }],
        "credentials": [
            { "header": "authorization", "scheme": "Bearer" },
            { "cookie": "node_session", "same_origin": true },
        ],
        "rules": [
            { "path": ["/.well-known/**", "/healthz"], "public": true },
            { "path": "/assets/**", "methods": ["GET"], "require": {
                "types": ["pat"], "scopes": { "all": ["api:assets:read"] }, "tenant": "present" } },
            { "hosts": ["app.example.com"], "path": "/orgs/{org}/**", "require": {
                "tenant": "{org}", "roles": { "any": ["admin", "editor"] } } },
            { "path": "/ingest/**", "require": {
                "issuers": ["platform"], "types": ["nat"], "scopes": { "all": ["node:ingest"] } } },
            { "path": "/feed", "optional": true },
        ],
        "default": "deny",
        "forward": { "x-auth-subject": "subject", "x-auth-tenant": "tenant", "x-auth-scopes": "scopes" },
        "realm": "platform",
    })
}

//! The policies of the bench.

use anyhow::Result;
use serde_json::{Value, json};

use crate::token::{self, AUDIENCE, ISSUER, Signer};

/// The target of a request that [`typical`] allows with a token of [`Signer`].
pub(crate) const TARGET: &str = "/assets/logo.svg?size=2";

/// The policy of a service of medium size: token types, scopes, tenants and a
/// few rules. An RSA issuer publishes two keys, another issuer one.
pub(crate) fn typical(signer: &Signer) -> Result<Vec<u8>> {
    let keys = match signer.algorithm {
        "HS256" => json!({ "secrets": [secret(signer)] }),
        _ => json!({ "jwks": jwks(signer)? }),
    };
    Ok(with_keys(signer.algorithm, &keys).to_string().into())
}

/// [`typical`] without headers for the service: the same decisions as
/// `jwt_authn` and RBAC.
pub(crate) fn deciding(signer: &Signer) -> Result<Vec<u8>> {
    let mut policy: Value = serde_json::from_slice(&typical(signer)?)?;
    if let Some(members) = policy.as_object_mut() {
        members.remove("forward");
    }
    Ok(policy.to_string().into())
}

/// [`typical`] with keys that the host must supply.
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

/// The same key under a hundred `kid`s. The first is that of the signer.
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

/// The same with issuers that are templates: an `iss` names the tenant.
pub(crate) fn grown_templates(signer: &Signer, templates: usize) -> Vec<u8> {
    let mut policy: Value =
        serde_json::from_slice(&grown(signer, templates, 1)).unwrap_or_default();
    let issuers = policy["issuers"].as_array_mut();
    for (number, issuer) in issuers.into_iter().flatten().enumerate() {
        let template = nth_template(number, "{tenant}");
        issuer["issuer"] = json!({ "template": template, "claims": { "tenant": "/tenant_id" } });
    }
    policy.to_string().into()
}

/// The `iss` that the template with this number has for a tenant.
pub(crate) fn nth_template(number: usize, tenant: &str) -> String {
    format!("{}/{tenant}/v2.0", nth_issuer(number))
}

/// A policy with these numbers of issuers and rules. The keys are secrets,
/// because the time of an RSA operation would hide any growth.
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

/// All names have the same length, so that only their number differs.
pub(crate) fn nth_issuer(number: usize) -> String {
    format!("https://issuer-{number:05}.example.com")
}

/// The target of a request that the rule with this number in [`grown`] allows.
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

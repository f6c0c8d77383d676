//! The policy by which what is shown is verified: each issuer of it is a line of the
//! configuration.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Source;
use crate::{
    config::{AppAssertions, ClientConfig, ClientCredentials, Config, OwnTokens, TrustedIssuer},
    mint::Class,
};

/// Where exchanges are asked for: what a proof names.
pub(super) const PATH: &str = "/oauth/token";

/// Nobody has this name (RFC 6761 §6.4), and nobody is asked.
pub(super) const OWN_KEYS: &str = "https://bridge.invalid/jwks.json";

/// The longest life of an assertion.
const ASSERTION_S: u32 = 60;

/// `typ` of an assertion (RFC 8725 §3.11): none of a client that says who it is, or of
/// something else that the app signs, is taken for one.
const ASSERTION_TYP: &str = "person-assertion+jwt";

/// An issuer of the policy.
pub(super) struct Trusted {
    pub(super) name: String,
    /// Where the configuration has it.
    pub(super) pointer: String,
    pub(super) policy: Value,
    pub(super) source: Source,
}

/// All issuers of the policy.
pub(super) fn trusted(config: &Config) -> Vec<Trusted> {
    let exchange = &config.exchange;
    let mut trusted = Vec::new();
    for (name, issuer) in &exchange.issuers {
        let known = format!("issuer-{name}");
        trusted.push(Trusted {
            policy: of_issuer(&known, issuer),
            name: known,
            pointer: format!("/exchange/issuers/{name}"),
            source: Source::Issuer(Arc::new(issuer.clone())),
        });
    }
    if let Some(own) = &exchange.own {
        trusted.push(Trusted {
            policy: of_bridge(config, own),
            name: "own".to_owned(),
            pointer: "/exchange/own".to_owned(),
            source: Source::Own(Arc::new(own.clone())),
        });
    }
    for (index, (id, app)) in exchange.apps.iter().enumerate() {
        let Some(policy) = config
            .clients
            .get(id)
            .and_then(|client| of_app(config, index, id, client, app))
        else {
            continue;
        };
        trusted.push(Trusted {
            policy,
            name: app_name(index),
            pointer: format!("/exchange/apps/{id}"),
            source: Source::App(id.clone(), Arc::new(app.clone())),
        });
    }
    trusted
}

/// The policy as a whole. Its issuers are in the order of `trusted`.
pub(super) fn policy(config: &Config, trusted: &[Trusted]) -> Value {
    let issuers: Vec<_> = trusted.iter().map(|known| &known.policy).collect();
    json!({
        "contract": "1",
        "issuers": issuers,
        "credentials": [
            { "header": "authorization", "scheme": "Bearer" },
            { "header": "authorization", "scheme": "DPoP" },
        ],
        "dpop": { "origin": config.issuer.as_str() },
        "rules": [{ "path": PATH, "methods": ["POST"], "require": {} }],
    })
}

fn of_issuer(name: &str, issuer: &TrustedIssuer) -> Value {
    let mut policy = json!({
        "name": name,
        "issuer": issuer.issuer,
        "audiences": issuer.audiences,
        "algorithms": issuer.algorithms,
        "keys": issuer.keys,
        "needed_at_start": false,
        "token_types": [{ "name": "subject", "header_typ": issuer.header_typ }],
    });
    for (word, value) in [
        ("claims", &issuer.claims),
        ("role_map", &issuer.role_map),
        ("require", &issuer.require),
    ] {
        if let Some(value) = value {
            policy[word] = value.clone();
        }
    }
    policy
}

/// No token of a node, by its type alone.
fn of_bridge(config: &Config, own: &OwnTokens) -> Value {
    json!({
        "name": "own",
        "issuer": config.issuer.as_str(),
        "audiences": own.audiences,
        "algorithms": ["ES256", "RS256"],
        "keys": { "jwks_uri": OWN_KEYS },
        "needed_at_start": false,
        "token_types": [{
            "name": Class::Pat.as_str(),
            "header_typ": [Class::Pat.header_typ()],
            "max_lifetime_s": config.tokens.pat_s,
            "required_claims": ["sub", "jti", "client_id", "scope", "roles"],
        }],
        "claims": { "tenant": "/tenant_id", "roles": ["/roles"], "scopes": ["/scope"] },
    })
}

/// `aud` is the bridge's issuer as one text, as of each assertion. The person is in
/// `sub_id` (RFC 9493 §3.2.3): `sub` of the app itself would make it one of a client that
/// says who it is (RFC 7523 §3).
fn of_app(
    config: &Config,
    index: usize,
    id: &str,
    client: &ClientConfig,
    app: &AppAssertions,
) -> Option<Value> {
    let ClientCredentials::Keys { source, algorithms } = &client.credentials else {
        return None;
    };
    let mut keys = source.clone();
    if config.issuer.is_http() && keys.get("jwks_uri").is_some() {
        keys["insecure_http"] = json!(true);
    }
    Some(json!({
        "name": app_name(index),
        "issuer": id,
        "audiences": [config.issuer.as_str()],
        "algorithms": algorithms,
        "keys": keys,
        "needed_at_start": false,
        "require": {
            "aud": { "equals": config.issuer.as_str() },
            "sub": { "any_of": [{ "present": false }, { "not": { "equals": id } }] },
            "/sub_id/format": { "equals": "iss_sub" },
            "/sub_id/iss": { "one_of": app.people_of },
        },
        "token_types": [{
            "name": "assertion",
            "header_typ": [ASSERTION_TYP],
            "max_lifetime_s": ASSERTION_S,
            "required_claims": ["jti", "iat", "sub_id", "session_expires_at"],
        }],
        "claims": { "subject": "/sub_id/sub" },
    }))
}

fn app_name(index: usize) -> String {
    format!("app-{index}")
}

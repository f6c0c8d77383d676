//! What gates and clients fetch: the key set, the two discovery documents, and that of the
//! routes.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, header};
use serde_json::json;

use crate::{app::App, config::GrantType, introspect, pairing, revoke, token};

pub(crate) const JWKS: &str = "/.well-known/jwks.json";
const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

const ROUTES: &str = "/openapi.json";

/// The OpenAPI 3.1 document of its routes.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// How long a discovery document may be kept: what is in it changes with a release.
const METADATA_MAX_AGE_S: u32 = 3600;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(JWKS, get(jwks))
        .route(OPENID, get(metadata))
        .route(OAUTH, get(metadata))
        .route(ROUTES, get(openapi))
}

async fn jwks(State(app): State<Arc<App>>) -> Response {
    let (jwks, max_age_s) = app.keys.jwks();
    document(Json(jwks), max_age_s)
}

/// Metadata of the authorization server (RFC 8414 §2), which is also what verifiers read
/// of an OpenID provider. There is no `authorization_endpoint`: people sign in at their
/// own provider, and no client is sent a code.
async fn metadata(State(app): State<Arc<App>>) -> Response {
    let issuer = &app.config.issuer;
    let is_there = |grant: &&GrantType| match grant {
        GrantType::DeviceCode => app.config.pairing.is_some(),
        GrantType::TokenExchange => app.subjects.has_any(),
        _ => true,
    };
    let grants: Vec<_> = token::GRANTS
        .iter()
        .filter(is_there)
        .map(|grant| GrantType::as_str(*grant))
        .collect();
    let mut metadata = json!({
        "issuer": issuer.as_str(),
        "jwks_uri": issuer.at(JWKS),
        "token_endpoint": issuer.at(token::PATH),
        "revocation_endpoint": issuer.at(revoke::PATH),
        "introspection_endpoint": issuer.at(introspect::PATH),
        "grant_types_supported": grants,
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported":
            ["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
        "id_token_signing_alg_values_supported": app.keys.algorithms(),
        "subject_types_supported": ["public"],
    });
    if app.config.pairing.is_some() {
        let endpoint = issuer.at(pairing::DEVICE_AUTHORIZATION);
        metadata["device_authorization_endpoint"] = json!(endpoint);
    }
    document(Json(metadata), Some(METADATA_MAX_AGE_S))
}

async fn openapi() -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    document((json, OPENAPI), Some(METADATA_MAX_AGE_S))
}

/// A public document; `None`: nobody may keep it.
fn document(body: impl IntoResponse, max_age_s: Option<u32>) -> Response {
    let mut response = body.into_response();
    let cache_control = match max_age_s {
        Some(max_age_s) => format!("public, max-age={max_age_s}"),
        None => "no-store".to_owned(),
    };
    if let Ok(cache_control) = HeaderValue::from_str(&cache_control) {
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, cache_control);
    }
    response
}

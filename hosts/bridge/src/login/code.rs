//! The code flow (OpenID Connect Core §3.1) with PKCE (RFC 7636).

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use countersign_host::FetchError;
use openidconnect::{
    AuthType, AuthUrl, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, JsonWebKeySet, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenUrl,
    core::{CoreClient, CoreResponseType},
};
use serde_json::Value;

use crate::{
    egress::Bounds,
    providers::{Metadata, Provider},
    refusal::{Code, Refusal},
};

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// What the library waits for.
type Answer = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send>>;

/// Where a browser is sent, and what its answer is held to.
pub(super) struct Asked {
    pub(super) uri: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

/// The request for a code.
pub(super) fn ask(
    provider: &Provider,
    metadata: &Metadata,
    redirect_uri: &str,
) -> Result<Asked, Refusal> {
    let client = client(provider, metadata, redirect_uri)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let mut request = client.authorize_url(
        AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
        || CsrfToken::new_random_len(32),
        || Nonce::new_random_len(32),
    );
    for scope in &provider.scopes {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    let (uri, state, nonce) = request.set_pkce_challenge(challenge).url();
    Ok(Asked {
        uri: uri.into(),
        state: state.secret().clone(),
        nonce: nonce.secret().clone(),
        verifier: verifier.secret().clone(),
    })
}

/// The ID token for a code. Nobody has verified it yet.
pub(super) async fn redeem(
    provider: &Provider,
    metadata: &Metadata,
    redirect_uri: &str,
    code: &str,
    verifier: String,
) -> Result<String, Refusal> {
    let refused = Refusal::new(Code::AccessDenied, "the provider did not accept the login");
    let client = client(provider, metadata, redirect_uri)?;
    let id_token = Arc::new(Mutex::new(None));
    let (egress, place) = (provider.egress.clone(), id_token.clone());
    let send = move |request: HttpRequest| -> Answer {
        let (egress, place) = (egress.clone(), place.clone());
        Box::pin(async move {
            let response = egress.send(request, Bounds::USUAL).await?;
            Ok(taken(response, &place))
        })
    };
    let request = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier));
    let redeemed = request.request_async(&send).await;
    redeemed.map_err(|error| match error {
        openidconnect::RequestTokenError::Request(error) => {
            tracing::warn!(provider = provider.id, %error, "a token endpoint did not answer");
            Refusal::unavailable()
        }
        _ => refused,
    })?;
    let mut id_token = id_token.lock().unwrap_or_else(PoisonError::into_inner);
    id_token.take().ok_or(refused)
}

/// Takes the ID token out of an answer: the library would read its claims, and refuse those
/// of another form than it expects. The gate reads them.
fn taken(response: HttpResponse, id_token: &Mutex<Option<String>>) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let Ok(Value::Object(mut members)) = serde_json::from_slice(&body) else {
        return HttpResponse::from_parts(parts, body);
    };
    if let Some(Value::String(text)) = members.remove("id_token") {
        let mut place = id_token.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(text);
    }
    let body = Value::Object(members).to_string().into_bytes();
    HttpResponse::from_parts(parts, body)
}

fn client(provider: &Provider, metadata: &Metadata, redirect_uri: &str) -> Result<Client, Refusal> {
    let unusable = |_| Refusal::unavailable();
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(unusable)?;
    let endpoint = &metadata.authorization_endpoint;
    let authorize = AuthUrl::new(endpoint.clone()).map_err(unusable)?;
    let token = TokenUrl::new(metadata.token_endpoint.clone()).map_err(unusable)?;
    let redirect = RedirectUrl::new(redirect_uri.to_owned()).map_err(unusable)?;
    let id = ClientId::new(provider.client_id.clone());
    // Its keys are the gate's.
    let mut client = CoreClient::new(id, issuer, JsonWebKeySet::default())
        .set_auth_uri(authorize)
        .set_token_uri(token)
        .set_redirect_uri(redirect);
    if let Some(secret) = &provider.client_secret {
        client = client.set_client_secret(ClientSecret::new(secret.clone()));
    }
    if metadata.wants_secret_in_body() {
        client = client.set_auth_type(AuthType::RequestBody);
    }
    Ok(client)
}

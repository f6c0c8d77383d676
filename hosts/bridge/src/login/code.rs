//! The code flow (OpenID Connect Core §3.1) with PKCE (RFC 7636).

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use countersign_host::FetchError;
use openidconnect::{
    AsyncHttpClient, AuthType, AuthUrl, AuthenticationFlow, AuthorizationCode, ClientId,
    ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl,
    JsonWebKeySet, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, TokenUrl,
    core::{CoreClient, CoreResponseType},
};
use serde_json::Value;

use crate::{
    egress::{Bounds, Egress},
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

/// The ID token for a code. Nobody has verified it yet. Boxed: the compiler does not see
/// otherwise that the library's future may move between threads.
pub(super) fn redeem<'a>(
    provider: &'a Provider,
    metadata: &'a Metadata,
    redirect_uri: &'a str,
    code: &'a str,
    verifier: String,
) -> Pin<Box<dyn Future<Output = Result<String, Refusal>> + Send + 'a>> {
    Box::pin(async move {
        let description = "the provider did not accept the login";
        let refused = Refusal::new(Code::AccessDenied, description);
        let client = client(provider, metadata, redirect_uri)?;
        let http = Http {
            egress: provider.egress().clone(),
            id_token: Mutex::default(),
        };
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        if let Err(error) = request.request_async(&http).await {
            return Err(match error {
                RequestTokenError::Request(error) => {
                    let provider = &provider.id;
                    tracing::warn!(provider, %error, "a token endpoint did not answer");
                    Refusal::unavailable()
                }
                _ => refused,
            });
        }
        let id_token = http.id_token.into_inner();
        id_token
            .unwrap_or_else(PoisonError::into_inner)
            .ok_or(refused)
    })
}

/// Asks for the library, and keeps the ID token of the answer.
struct Http {
    egress: Egress,
    id_token: Mutex<Option<String>>,
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let response = self.egress.send(request, Bounds::USUAL).await?;
            Ok(taken(response, &self.id_token))
        })
    }
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

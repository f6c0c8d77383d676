//! What a provider says of itself (OpenID Connect Discovery §3).

use countersign_host::FetchError;
use serde::Deserialize;
use url::Url;

use crate::{
    config::is_askable,
    egress::{Bounds, Egress},
};

/// What an address of the provider must not say: it would stand before what the bridge asks.
const RESERVED: [&str; 10] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "state",
];

/// The longest address of an endpoint.
const ENDPOINT_BYTES: usize = 2048;

/// The part of it that is used.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    jwks_uri: Option<String>,
    pub(crate) end_session_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207 §3.
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// Why it is not there. The texts are for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// There was no answer that could be read, or it may not be asked.
    NotThere(String),
    /// It says what cannot be used.
    Unusable(&'static str),
}

impl Metadata {
    /// Asks a provider.
    pub(super) async fn ask(
        egress: &Egress,
        issuer: &str,
        is_development: bool,
    ) -> Result<Self, Missing> {
        let base = issuer.trim_end_matches('/');
        let uri = format!("{base}/.well-known/openid-configuration");
        let document = egress.get(&uri, Bounds::USUAL).await?;
        let metadata: Self = serde_json::from_slice(&document)
            .map_err(|_| Missing::Unusable("it is no metadata of an OpenID provider"))?;
        // Discovery §4.3: otherwise one provider could speak for another.
        if metadata.issuer != issuer {
            return Err(Missing::Unusable("its `issuer` is another one"));
        }
        let endpoints = [
            Some(&metadata.authorization_endpoint),
            Some(&metadata.token_endpoint),
            metadata.end_session_endpoint.as_ref(),
        ];
        let is_usable = |text: &String| is_endpoint(text, is_development);
        if !endpoints.into_iter().flatten().all(is_usable) {
            return Err(Missing::Unusable("an endpoint is no `https` address"));
        }
        // One that says it has PKCE must have the method that is not plain.
        if let Some(methods) = &metadata.code_challenge_methods_supported
            && !methods.iter().any(|method| method == "S256")
        {
            return Err(Missing::Unusable("it has no PKCE with `S256`"));
        }
        Ok(metadata)
    }

    /// Whether what the bridge will ask is within reach: an address of another network
    /// would be refused at each connection, and is better refused at once.
    pub(super) async fn require_reach(
        &self,
        egress: &Egress,
        is_development: bool,
    ) -> Result<(), Missing> {
        let keys = self.jwks_uri.as_ref();
        let keys = keys.ok_or(Missing::Unusable("it names no keys"))?;
        if !is_endpoint(keys, is_development) {
            return Err(Missing::Unusable("its keys are at no `https` address"));
        }
        for uri in [&self.token_endpoint, keys] {
            if egress.require_reach(uri, Bounds::USUAL).await.is_err() {
                return Err(Missing::Unusable("an endpoint is not within reach"));
            }
        }
        Ok(())
    }

    /// Whether the secret is to be sent in the body: `Basic` is the default (Discovery §3).
    pub(crate) fn wants_secret_in_body(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_some_and(|methods| {
            let has = |name| methods.iter().any(|method| method == name);
            has("client_secret_post") && !has("client_secret_basic")
        })
    }
}

/// RFC 6749 §3.1: an endpoint may have a query.
fn is_endpoint(text: &str, is_development: bool) -> bool {
    text.len() <= ENDPOINT_BYTES
        && Url::parse(text).is_ok_and(|mut url| {
            let is_free = url
                .query_pairs()
                .all(|(name, _)| !RESERVED.contains(&&*name));
            url.set_query(None);
            is_free && is_askable(&url, is_development)
        })
}

impl From<FetchError> for Missing {
    fn from(error: FetchError) -> Self {
        Self::NotThere(error.to_string())
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotThere(text) => f.write_str(text),
            Self::Unusable(text) => f.write_str(text),
        }
    }
}

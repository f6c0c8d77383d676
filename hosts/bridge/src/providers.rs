//! OpenID providers: what each says of itself, and the gate that verifies its ID tokens.

use std::{collections::BTreeMap, fmt, sync::Arc};

use countersign_host::{Gate, Requirement};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use url::Url;

use crate::{
    clock::Clock,
    config::{Config, ConfigError, ProviderConfig, Secret, is_askable},
    egress::{Bounds, Egress, Reach},
    gates::{self, Fetching},
    refusal::{Code, Refusal},
};

/// How long what a provider says of itself is used before it is asked again.
const FRESH_MS: i64 = 600_000;

/// After a failure: those who wait for a provider that is gone do not each ask it.
const FAILED_MS: i64 = 5_000;

/// How old an ID token may be: it was made for this login.
const AGE_S: u32 = 600;

/// OpenID Connect Core §2: `sub` has at most 255 characters of ASCII.
const SUBJECT_BYTES: usize = 255;

/// All providers.
#[derive(Debug)]
pub(crate) struct Providers {
    by_id: BTreeMap<String, Arc<Provider>>,
}

/// A provider.
pub(crate) struct Provider {
    pub(crate) id: String,
    /// For pages.
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// The organisation that it signs in to; `None`: it is the platform's.
    pub(crate) tenant: Option<String>,
    /// How it is asked.
    pub(crate) egress: Egress,
    is_development: bool,
    gate: Gate,
    any: Requirement,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

/// What is known of what a provider says.
#[derive(Default)]
struct Known {
    metadata: Option<Arc<Metadata>>,
    /// It is not asked again before.
    until: i64,
}

/// What a provider says of itself (OpenID Connect Discovery §3).
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) end_session_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207 §3.
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// Who has signed in, as a verified ID token says.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) sub: String,
    pub(crate) name: Option<String>,
    pub(crate) sid: Option<String>,
    pub(crate) auth_time_s: Option<i64>,
}

impl Providers {
    /// Opens the providers of the configuration.
    ///
    /// # Errors
    /// Every problem of every one.
    pub(crate) async fn open(
        config: &Config,
        clock: &Arc<dyn Clock>,
        fetching: &Fetching,
    ) -> Result<Self, ConfigError> {
        let is_development = config.issuer.is_http();
        let egress = Egress::open(Reach::CONFIGURED.and_this_machine(is_development))?;
        let mut problems = Vec::new();
        let mut by_id = BTreeMap::new();
        for (id, settings) in &config.login.providers {
            let opened = Provider::open(
                id,
                settings,
                egress.clone(),
                is_development,
                clock,
                fetching,
            );
            match opened.await {
                Ok(provider) => drop(by_id.insert(id.clone(), Arc::new(provider))),
                Err(ConfigError(found)) => problems.extend(found),
            }
        }
        match problems.is_empty() {
            true => Ok(Self { by_id }),
            false => Err(ConfigError(problems)),
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Arc<Provider>> {
        self.by_id.get(id)
    }

    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = &Arc<Provider>> {
        self.by_id.values()
    }
}

impl Provider {
    async fn open(
        id: &str,
        config: &ProviderConfig,
        egress: Egress,
        is_development: bool,
        clock: &Arc<dyn Clock>,
        fetching: &Fetching,
    ) -> Result<Self, ConfigError> {
        let client_secret = config.client_secret.as_ref().map(secret).transpose()?;
        let policy = policy(id, config, is_development);
        let refused = |error| gates::refused(&format!("the provider {id}"), &error);
        let gate = gates::builder(&policy, clock.clone(), fetching.clone());
        let gate = gate.build().await.map_err(refused)?;
        let any = gate.prepare(b"{}").await.map_err(refused)?;
        Ok(Self {
            id: id.to_owned(),
            name: config.name.clone(),
            issuer: config.issuer.clone(),
            client_id: config.client_id.clone(),
            client_secret,
            scopes: config.scopes.clone(),
            tenant: None,
            egress,
            is_development,
            gate,
            any,
            clock: clock.clone(),
            known: Mutex::default(),
        })
    }

    /// What it says of itself. While it does not answer, what it said before holds: login
    /// does not depend on this one document.
    ///
    /// # Errors
    /// It never answered, or says what cannot be used.
    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, Refusal> {
        let mut known = self.known.lock().await;
        let now = self.clock.now_ms();
        if known.until <= now {
            match self.ask().await {
                Ok(metadata) => {
                    known.metadata = Some(Arc::new(metadata));
                    known.until = now.saturating_add(FRESH_MS);
                }
                Err(reason) => {
                    let provider = &self.id;
                    tracing::warn!(provider, reason, "a provider's metadata is not there");
                    known.until = now.saturating_add(FAILED_MS);
                }
            }
        }
        known.metadata.clone().ok_or(Refusal::unavailable())
    }

    async fn ask(&self) -> Result<Metadata, String> {
        let base = self.issuer.trim_end_matches('/');
        let uri = format!("{base}/.well-known/openid-configuration");
        let document = self.egress.get(&uri, Bounds::USUAL).await;
        let document = document.map_err(|error| error.to_string())?;
        let metadata: Metadata = serde_json::from_slice(&document)
            .map_err(|_| "it is no metadata of an OpenID provider".to_owned())?;
        // Discovery §4.3: otherwise one provider could speak for another.
        if metadata.issuer != self.issuer {
            return Err("its `issuer` is another one".to_owned());
        }
        let endpoints = [
            Some(&metadata.authorization_endpoint),
            Some(&metadata.token_endpoint),
            metadata.end_session_endpoint.as_ref(),
        ];
        // RFC 6749 §3.1: an endpoint may have a query.
        let is_usable = |text: &String| {
            Url::parse(text).is_ok_and(|mut url| {
                url.set_query(None);
                is_askable(&url, self.is_development)
            })
        };
        if !endpoints.into_iter().flatten().all(is_usable) {
            return Err("an endpoint is no `https` address".to_owned());
        }
        // One that says it has PKCE must have the method that is not plain.
        if let Some(methods) = &metadata.code_challenge_methods_supported
            && !methods.iter().any(|method| method == "S256")
        {
            return Err("it has no PKCE with `S256`".to_owned());
        }
        Ok(metadata)
    }

    /// Verifies an ID token: by the gate, and that it was made for this attempt.
    ///
    /// # Errors
    /// It is not good, or the provider's keys are not there.
    pub(crate) async fn verify(&self, id_token: &str, nonce: &str) -> Result<Identity, Refusal> {
        let refused = Refusal::new(Code::AccessDenied, "what the provider says is not good");
        let decision = self.gate.check_token(id_token, &self.any).await;
        let principal = gates::principal(decision, refused)?;
        let claims: Value = serde_json::from_str(&principal.claims).map_err(|_| refused)?;
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        let told = text("nonce").ok_or(refused)?;
        if !bool::from(told.as_bytes().ct_eq(nonce.as_bytes())) {
            tracing::debug!("an ID token is of another attempt");
            return Err(refused);
        }
        let sub = text("sub").filter(|sub| (1..=SUBJECT_BYTES).contains(&sub.len()));
        Ok(Identity {
            sub: sub.ok_or(refused)?,
            name: text("name").map(|name| name.chars().take(128).collect()),
            sid: text("sid"),
            auth_time_s: claims["auth_time"].as_i64(),
        })
    }
}

impl Metadata {
    /// Whether the secret is to be sent in the body: `Basic` is the default (Discovery §3).
    pub(crate) fn wants_secret_in_body(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_some_and(|methods| {
            let has = |name| methods.iter().any(|method| method == name);
            has("client_secret_post") && !has("client_secret_basic")
        })
    }
}

/// The policy by which an ID token of this provider is verified (OpenID Connect Core
/// §3.1.3.7).
fn policy(id: &str, config: &ProviderConfig, is_development: bool) -> Value {
    let mut keys = json!({ "discovery": true });
    if is_development {
        keys["insecure_http"] = json!(true);
    }
    json!({
        "contract": "1",
        "issuers": [{
            "name": id,
            "issuer": config.issuer,
            "audiences": [config.client_id],
            "algorithms": config.algorithms,
            "keys": keys,
            "needed_at_start": false,
            "max_token_age_s": AGE_S,
            "require": {
                "azp": { "any_of": [{ "present": false }, { "equals": config.client_id }] },
            },
            "token_types": [{
                "name": "id",
                "claim": { "nonce": { "present": true } },
                "required_claims": ["sub", "iat", "nonce"],
            }],
        }],
        "rules": [],
    })
}

fn secret(secret: &Secret) -> Result<String, ConfigError> {
    let name = match secret {
        Secret::File(path) => path.display().to_string(),
        Secret::Env(variable) => format!("the variable {variable}"),
    };
    let text = String::from_utf8(secret.read()?);
    text.map_err(|_| ConfigError::of_file(name, "secret_invalid", "a secret is a text"))
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

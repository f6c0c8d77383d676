//! OpenID providers: what each says of itself, and the gate that verifies its ID tokens.

mod connected;
mod metadata;
mod provider;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    clock::Clock,
    config::{Config, ConfigError, ProviderConfig, Secret},
    egress::{Egress, Reach},
    gates::{self, Fetching},
    refusal::Refusal,
    seal::Sealer,
    store::{ProviderRow, Store},
};

use connected::Connected;
pub(crate) use connected::{PREFIX, Settings};
pub(crate) use metadata::Metadata;
use provider::{Asking, Opening};
pub(crate) use provider::{Identity, Provider};

/// Where a provider sends a browser back. Each provider has its own address: an answer of
/// one is never taken for another's, also where it does not say who it is (RFC 9700 §4.4).
pub(crate) const CALLBACK: &str = "/auth/callback";

/// All providers.
#[derive(Debug)]
pub(crate) struct Providers {
    by_id: BTreeMap<String, Arc<Provider>>,
    /// Those of organisations, where these may connect them.
    connected: Option<Connected>,
}

/// Why a provider is not opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// What it is described with is no good policy.
    Policy(countersign_host::OpenError),
    /// The requirement of this role is none.
    Role(String, countersign_host::OpenError),
}

/// Why a provider cannot be connected: what its owner may know of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Its metadata cannot be had.
    NotThere,
    /// Its metadata cannot be used.
    Unusable,
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
        let asking = Asking {
            egress: Egress::open(Reach::CONFIGURED.and_this_machine(is_development))?,
            fetching: fetching.clone(),
            is_development,
            clock: clock.clone(),
        };
        let mut problems = Vec::new();
        let mut by_id = BTreeMap::new();
        for (id, settings) in &config.login.providers {
            match configured(id, settings, asking.clone()).await {
                Ok(provider) => drop(by_id.insert(id.clone(), Arc::new(provider))),
                Err(ConfigError(found)) => problems.extend(found),
            }
        }
        match problems.is_empty() {
            true => Ok(Self {
                by_id,
                connected: None,
            }),
            false => Err(ConfigError(problems)),
        }
    }

    /// With those that organisations connect, if they may.
    ///
    /// # Errors
    /// The certificates that the system trusts cannot be read.
    pub(crate) fn with_connected(
        mut self,
        config: &Config,
        store: Store,
        sealer: Arc<Sealer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        if config.login.organisations.is_some() {
            self.connected = Some(Connected::new(config, store, sealer, clock)?);
        }
        Ok(self)
    }

    /// A provider that signs people in now.
    ///
    /// # Errors
    /// Nobody can say it now.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<Provider>>, Refusal> {
        match &self.connected {
            Some(connected) if id.starts_with(PREFIX) => connected.active(id).await,
            _ => Ok(self.by_id.get(id).cloned()),
        }
    }

    /// A provider of an organisation, also one that signs in nobody yet.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub(crate) async fn connected(&self, id: &str) -> Result<Option<Arc<Provider>>, Refusal> {
        match &self.connected {
            Some(connected) => connected.any(id).await,
            None => Ok(None),
        }
    }

    /// Opens a provider that an organisation wants to connect, and seals its secret in its
    /// row.
    ///
    /// # Errors
    /// What it is described with is no good policy.
    pub(crate) async fn try_open(
        &self,
        row: &mut ProviderRow,
        settings: &Settings,
        secret: Option<String>,
    ) -> Result<Result<Provider, OpenError>, Refusal> {
        let connected = self.connected.as_ref().ok_or(Refusal::unavailable())?;
        let sealed = secret.as_ref();
        let sealed = sealed.map(|secret| connected.seal(&row.id, secret));
        row.client_secret = sealed.transpose()?;
        Ok(connected.try_open(row, settings, secret).await)
    }

    /// How many providers of organisations are open.
    pub(crate) fn opened(&self) -> Option<usize> {
        self.connected.as_ref().map(Connected::opened_count)
    }

    /// Those of the configuration.
    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = &Arc<Provider>> {
        self.by_id.values()
    }
}

/// A provider of the configuration.
async fn configured(
    id: &str,
    config: &ProviderConfig,
    asking: Asking,
) -> Result<Provider, ConfigError> {
    let opening = Opening {
        id: id.to_owned(),
        name: config.name.clone(),
        issuer: config.issuer.clone(),
        client_id: config.client_id.clone(),
        client_secret: config.client_secret.as_ref().map(secret).transpose()?,
        scopes: config.scopes.clone(),
        algorithms: config.algorithms.clone(),
        tenant: None,
        roles: None,
    };
    match Provider::open(opening, asking).await {
        Ok(provider) => Ok(provider),
        Err(OpenError::Policy(error) | OpenError::Role(_, error)) => {
            Err(gates::refused(&format!("the provider {id}"), &error))
        }
    }
}

fn secret(secret: &Secret) -> Result<String, ConfigError> {
    let name = match secret {
        Secret::File(path) => path.display().to_string(),
        Secret::Env(variable) => format!("the variable {variable}"),
    };
    let text = String::from_utf8(secret.read()?);
    text.map_err(|_| ConfigError::of_file(name, "secret_invalid", "a secret is a text"))
}

//! Providers that organisations have connected: in the database, thousands of them. Those in
//! use are opened, a bounded number of them.

use std::{
    collections::BTreeMap,
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use lru::LruCache;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    OpenError,
    provider::{Asking, Opening, Provider},
};
use crate::{
    clock::Clock,
    config::{Config, ConfigError},
    egress::{Egress, Reach},
    gates::Fetching,
    refusal::Refusal,
    seal::Sealer,
    store::{ProviderRow, ProviderState, Store},
};

/// How many are open at a time: each has a gate.
const OPEN: NonZeroUsize = NonZeroUsize::new(256).expect("it is not 0");

/// How their ids begin. Those of the configuration cannot.
pub(crate) const PREFIX: &str = "o_";

/// What the column of the settings has.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    pub(crate) scopes: Vec<String>,
    pub(crate) algorithms: Vec<String>,
    /// A role, and what the claims must be for it.
    pub(crate) roles: Option<BTreeMap<String, Value>>,
}

/// All of them.
pub(crate) struct Connected {
    store: Store,
    sealer: Arc<Sealer>,
    asking: Asking,
    /// By id alone: nothing of a provider changes but its state, which is not kept here.
    open: Mutex<LruCache<String, Arc<OnceCell<Arc<Provider>>>>>,
}

impl Connected {
    /// Opens none yet.
    ///
    /// # Errors
    /// The certificates that the system trusts cannot be read.
    pub(super) fn new(
        config: &Config,
        store: Store,
        sealer: Arc<Sealer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let is_development = config.issuer.is_http();
        // Hostile addresses: the gates' documents come by the same client.
        let egress = Egress::open(Reach::PUBLIC.and_this_machine(is_development))?;
        Ok(Self {
            store,
            sealer,
            asking: Asking {
                fetching: Fetching(Arc::new(egress.clone())),
                egress,
                is_development,
                clock,
            },
            open: Mutex::new(LruCache::new(OPEN)),
        })
    }

    /// A provider, if it is active.
    pub(super) async fn active(&self, id: &str) -> Result<Option<Arc<Provider>>, Refusal> {
        match self.store.provider(id).await? {
            Some(row) if row.state == ProviderState::Active => self.opened(&row).await.map(Some),
            _ => Ok(None),
        }
    }

    /// A provider, whatever its state.
    pub(super) async fn any(&self, id: &str) -> Result<Option<Arc<Provider>>, Refusal> {
        match self.store.provider(id).await? {
            Some(row) => self.opened(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Opens one that is not in the database yet.
    ///
    /// # Errors
    /// What it is described with is no good policy.
    pub(super) async fn try_open(
        &self,
        row: &ProviderRow,
        settings: &Settings,
        secret: Option<String>,
    ) -> Result<Provider, OpenError> {
        let opening = Opening {
            id: row.id.clone(),
            name: row.name.clone(),
            issuer: row.issuer.clone(),
            client_id: row.client_id.clone(),
            client_secret: secret,
            scopes: settings.scopes.clone(),
            algorithms: settings.algorithms.clone(),
            tenant: Some(row.tenant.clone()),
            roles: settings.roles.clone(),
        };
        Provider::open(opening, self.asking.clone()).await
    }

    /// How a secret is sealed.
    pub(super) fn seal(&self, id: &str, secret: &str) -> Result<String, Refusal> {
        Ok(self.sealer.seal(&context(id), secret.as_bytes())?)
    }

    /// How many are open.
    pub(super) fn opened_count(&self) -> usize {
        let open = self.open.lock();
        open.unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The lock is held for the look alone. Who opens one keeps only those waiting who want
    /// the same one.
    async fn opened(&self, row: &ProviderRow) -> Result<Arc<Provider>, Refusal> {
        let cell = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.get_or_insert_ref(&row.id, Arc::default).clone()
        };
        let opened = cell.get_or_try_init(|| self.made(row)).await;
        opened.cloned()
    }

    async fn made(&self, row: &ProviderRow) -> Result<Arc<Provider>, Refusal> {
        let provider = &row.id;
        let unusable = |reason: &str| {
            tracing::error!(provider, reason, "a provider cannot be opened");
            Refusal::unavailable()
        };
        let settings: Settings = serde_json::from_str(&row.settings)
            .map_err(|_| unusable("its settings have another form"))?;
        let secret = row.client_secret.as_ref();
        let secret = secret.map(|sealed| self.sealer.unseal(&context(&row.id), sealed));
        let secret = secret.transpose()?.map(String::from_utf8);
        let secret = secret.transpose().map_err(|_| unusable("its secret"))?;
        let opened = self.try_open(row, &settings, secret).await;
        let opened = opened.map_err(|_| unusable("its policy is refused"))?;
        Ok(Arc::new(opened))
    }
}

fn context(id: &str) -> String {
    format!("provider secret {id}")
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected").finish_non_exhaustive()
    }
}

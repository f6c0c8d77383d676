//! What every room needs, opened once.

use std::sync::Arc;

use countersign_host::{Fetcher, HttpsFetcher};

use crate::{
    api_keys::ApiKeys,
    audit::Audit,
    clients::Clients,
    clock::{Clock, SystemClock},
    config::{Config, ConfigError},
    gates::Fetching,
    keys::Keys,
    metrics::Metrics,
    mint::Mint,
    own::Own,
    revocation::Revocations,
    seal::Sealer,
    session::{Nobody, People},
    store::Store,
};

/// What tests and programs that embed the bridge may replace.
#[derive(Clone)]
#[non_exhaustive]
pub struct Parts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fetches the documents of the configuration's issuers and clients.
    pub fetcher: Arc<dyn Fetcher>,
    /// Knows who is signed in, in place of the bridge's own sessions.
    pub people: Option<Arc<dyn People>>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            fetcher: Arc::new(HttpsFetcher::default()),
            people: None,
        }
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// The state of a bridge.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Store,
    /// Seals what is secret in the database.
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) clients: Clients,
    pub(crate) mint: Mint,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) revocations: Revocations,
    pub(crate) api_keys: Option<ApiKeys>,
    pub(crate) own: Own,
    pub(crate) people: Arc<dyn People>,
}

impl App {
    /// Reads every file, connects to the database and opens every gate.
    ///
    /// # Errors
    /// Every problem that was found.
    pub(crate) async fn open(config: Config, parts: Parts) -> Result<Self, ConfigError> {
        let Parts {
            clock,
            fetcher,
            people,
        } = parts;
        let metrics = Arc::new(Metrics::new()?);
        let sealer = Arc::new(Sealer::open(&config.master_keys)?);
        let store = Store::open(&config.database).await?;
        let keys = Keys::open(
            store.clone(),
            sealer.clone(),
            clock.clone(),
            config.keys.clone(),
        );
        let keys = Arc::new(keys.await?);
        let audit = Audit::open(&config.audit, store.clone(), clock.clone(), metrics.clone());
        let audit = Arc::new(audit?);
        let fetching = Fetching(fetcher);
        let clients = Clients::open(&config, store.clone(), clock.clone(), fetching).await?;
        let mint = Mint {
            issuer: config.issuer.clone(),
            settings: config.tokens.clone(),
            keys: keys.clone(),
            store: store.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
        };
        let revocations = Revocations::open(
            &config.revocations,
            store.clone(),
            clock.clone(),
            audit.clone(),
            keys.clone(),
        );
        let revocations = revocations.await?;
        let api_keys = match &config.api_keys {
            Some(settings) => Some(ApiKeys::open(settings, store.clone(), clock.clone()).await?),
            None => None,
        };
        let own = Own::open(&config, keys.clone(), store.clone(), clock.clone()).await?;
        Ok(Self {
            config,
            clock,
            store,
            sealer,
            keys,
            audit,
            clients,
            mint,
            metrics,
            revocations,
            api_keys,
            own,
            people: people.unwrap_or_else(|| Arc::new(Nobody)),
        })
    }

    /// Whether it can answer now.
    pub(crate) async fn is_ready(&self) -> bool {
        let api_keys = self.api_keys.as_ref();
        self.keys.is_ready()
            && self.revocations.is_ready()
            && api_keys.is_none_or(ApiKeys::is_ready)
            && self.store.is_there().await
    }
}

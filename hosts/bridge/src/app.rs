//! What every room needs, opened once.

use std::sync::Arc;

use countersign_host::{Fetcher, HttpsFetcher};

use crate::{
    audit::Audit,
    clients::Clients,
    clock::{Clock, SystemClock},
    config::{Config, ConfigError},
    gates::Fetching,
    keys::Keys,
    members::Members,
    mint::Mint,
    providers::Providers,
    seal::Sealer,
    sessions::Sessions,
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
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            fetcher: Arc::new(HttpsFetcher::default()),
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
    pub(crate) providers: Providers,
    pub(crate) sessions: Sessions,
    pub(crate) members: Members,
}

impl App {
    /// Reads every file, connects to the database and opens every gate.
    ///
    /// # Errors
    /// Every problem that was found.
    pub(crate) async fn open(config: Config, parts: Parts) -> Result<Self, ConfigError> {
        let Parts { clock, fetcher } = parts;
        let sealer = Arc::new(Sealer::open(&config.master_keys)?);
        let store = Store::open(&config.database).await?;
        let keys = Keys::open(
            store.clone(),
            sealer.clone(),
            clock.clone(),
            config.keys.clone(),
        );
        let keys = Arc::new(keys.await?);
        let audit = Arc::new(Audit::open(&config.audit, store.clone(), clock.clone())?);
        let fetching = Fetching(fetcher);
        let providers = Providers::open(&config, &clock, &fetching).await?;
        let clients = Clients::open(&config, store.clone(), clock.clone(), fetching).await?;
        let members = Members::open(&config, store.clone(), clock.clone())?;
        let sessions = Sessions {
            store: store.clone(),
            sealer: sealer.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
            issuer: config.issuer.clone(),
            settings: config.login.clone(),
        };
        let mint = Mint {
            issuer: config.issuer.clone(),
            settings: config.tokens.clone(),
            keys: keys.clone(),
            store: store.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
        };
        Ok(Self {
            config,
            clock,
            store,
            sealer,
            keys,
            audit,
            clients,
            mint,
            providers,
            sessions,
            members,
        })
    }

    /// Whether it can answer now.
    pub(crate) async fn is_ready(&self) -> bool {
        self.keys.is_ready() && self.store.is_there().await
    }
}

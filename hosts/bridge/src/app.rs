//! What every room needs, opened once.

use std::sync::Arc;

use countersign_host::{Fetcher, HttpsFetcher};
use countersign_policy_source::Problem;

use crate::{
    audit::Audit,
    clients::Clients,
    clock::{Clock, SystemClock},
    config::{Config, ConfigError},
    gates::Fetching,
    keys::{self, Keys, Pair},
    members::Members,
    mint::Mint,
    providers::Providers,
    seal::Sealer,
    sessions::Sessions,
    store::Store,
    subjects::Subjects,
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
    pub(crate) subjects: Subjects,
}

/// What the configuration names, read; the database is not asked yet.
struct Read {
    store: Store,
    sealer: Arc<Sealer>,
    files: Vec<Arc<Pair>>,
    clients: Clients,
    providers: Providers,
    members: Members,
    subjects: Subjects,
}

impl App {
    /// Reads every file, connects to the database and opens every gate.
    ///
    /// # Errors
    /// Every problem that was found.
    pub(crate) async fn open(config: Config, parts: Parts) -> Result<Self, ConfigError> {
        let Read {
            store,
            sealer,
            files,
            clients,
            providers,
            members,
            subjects,
        } = read(&config, &parts).await?;
        let clock = parts.clock;
        store.prepare().await?;
        let keys = Keys::open(
            store.clone(),
            sealer.clone(),
            clock.clone(),
            config.keys.clone(),
            files,
        );
        let keys = Arc::new(keys.await?);
        subjects.know(keys.clone());
        let audit = Arc::new(Audit::open(&config.audit, store.clone(), clock.clone())?);
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
            subjects,
        })
    }

    /// What [`Self::open`] does before it asks the database.
    ///
    /// # Errors
    /// Every problem that was found.
    pub(crate) async fn check(config: &Config, parts: &Parts) -> Result<(), ConfigError> {
        read(config, parts).await.map(drop)
    }

    /// Whether it can answer now.
    pub(crate) async fn is_ready(&self) -> bool {
        self.keys.is_ready() && self.store.is_there().await
    }
}

async fn read(config: &Config, parts: &Parts) -> Result<Read, ConfigError> {
    let mut problems = Vec::new();
    let sealer = kept(Sealer::open(&config.master_keys), &mut problems);
    let files = kept(keys::read_files(&config.keys.files), &mut problems);
    let store = kept(Store::of(&config.database), &mut problems);
    let mut clients = None;
    if let Some(store) = &store {
        let fetching = Fetching(parts.fetcher.clone());
        let opened = Clients::open(config, store.clone(), parts.clock.clone(), fetching).await;
        clients = kept(opened, &mut problems);
    }
    let fetching = Fetching(parts.fetcher.clone());
    let providers = Providers::open(config, &parts.clock, &fetching).await;
    let providers = kept(providers, &mut problems);
    let (mut members, mut subjects) = (None, None);
    if let Some(store) = &store {
        let opened = Members::open(config, store.clone(), parts.clock.clone());
        members = kept(opened, &mut problems);
        let fetching = Fetching(parts.fetcher.clone());
        let opened = Subjects::open(config, store.clone(), parts.clock.clone(), fetching).await;
        subjects = kept(opened, &mut problems);
    }
    let all = (sealer, files, store, clients, providers, members, subjects);
    match all {
        (
            Some(sealer),
            Some(files),
            Some(store),
            Some(clients),
            Some(providers),
            Some(members),
            Some(subjects),
        ) if problems.is_empty() => Ok(Read {
            store,
            sealer: sealer.into(),
            files,
            clients,
            providers,
            members,
            subjects,
        }),
        _ => Err(ConfigError(problems)),
    }
}

fn kept<T>(read: Result<T, ConfigError>, problems: &mut Vec<Problem>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(ConfigError(found)) => {
            problems.extend(found);
            None
        }
    }
}

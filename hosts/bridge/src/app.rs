//! What every room needs, opened once.

use std::sync::Arc;

use countersign_host::{Fetcher, HttpsFetcher};
use countersign_policy_source::Problem;

use crate::{
    api_keys::ApiKeys,
    audit::Audit,
    clients::Clients,
    clock::{Clock, SystemClock},
    config::{Config, ConfigError},
    gates::Fetching,
    keys::{self, Keys, Pair},
    members::{Members, Service},
    metrics::Metrics,
    mint::Mint,
    node_gate::NodeGate,
    own::Own,
    people::{Desk, OwnPeople, People},
    providers::Providers,
    revocation::Revocations,
    seal::Sealer,
    sessions::Sessions,
    store::{Store, StoreError},
    subjects::Subjects,
};

/// The window of what a person does now and then.
const HOUR_MS: i64 = 3_600_000;

/// What tests and programs that embed the bridge may replace.
#[derive(Clone)]
#[non_exhaustive]
pub struct Parts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fetches the documents of the configuration's issuers and clients.
    pub fetcher: Arc<dyn Fetcher>,
    /// Knows who is signed in, in place of the bridge's own sessions and members.
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
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) api_keys: Option<ApiKeys>,
    pub(crate) own: Own,
    pub(crate) providers: Providers,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) members: Arc<Members>,
    pub(crate) people: Desk,
    /// Verifies what is shown to be exchanged.
    pub(crate) subjects: Subjects,
    /// Verifies what nodes show; absent without pairing.
    pub(crate) node_gate: Option<NodeGate>,
}

/// What the configuration names, read; the database is not asked yet.
struct Read {
    store: Store,
    sealer: Arc<Sealer>,
    files: Vec<Arc<Pair>>,
    clients: Clients,
    api_keys: Option<ApiKeys>,
    providers: Providers,
    tenancy: Option<Service>,
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
            api_keys,
            providers,
            tenancy,
        } = read(&config, &parts).await?;
        let Parts {
            clock,
            people,
            fetcher,
        } = parts;
        let providers =
            providers.with_connected(&config, store.clone(), sealer.clone(), clock.clone())?;
        let metrics = Arc::new(Metrics::new()?);
        store.prepare().await?;
        let keys = Keys::open(
            store.clone(),
            sealer.clone(),
            clock.clone(),
            config.keys.clone(),
            files,
        );
        let keys = Arc::new(keys.await?);
        let audit = Audit::open(&config.audit, store.clone(), clock.clone(), metrics.clone());
        let audit = Arc::new(audit?);
        let node_gate = match &config.pairing {
            None => None,
            Some(_) => {
                let gate = NodeGate::open(&config, keys.clone(), store.clone(), clock.clone());
                Some(gate.await?)
            }
        };
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
        let revocations = Arc::new(revocations.await?);
        let sessions = Arc::new(Sessions {
            store: store.clone(),
            sealer: sealer.clone(),
            audit: audit.clone(),
            revocations: revocations.clone(),
            clock: clock.clone(),
            settings: config.login.clone(),
        });
        let members = Members::new(
            &config,
            tenancy,
            store.clone(),
            revocations.clone(),
            clock.clone(),
        );
        let members = Arc::new(members);
        let people = people.unwrap_or_else(|| {
            Arc::new(OwnPeople {
                sessions: sessions.clone(),
                members: members.clone(),
            })
        });
        let people = Desk {
            people,
            issuer: config.issuer.clone(),
        };
        let (own_keys, fetching) = (keys.clone(), Fetching(fetcher));
        let subjects = Subjects::open(&config, own_keys, store.clone(), clock.clone(), fetching);
        let subjects = subjects.await?;
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
            providers,
            sessions,
            members,
            people,
            subjects,
            node_gate,
        })
    }

    /// What [`Self::open`] does before it asks the database.
    ///
    /// # Errors
    /// Every problem that was found.
    pub(crate) async fn check(config: &Config, parts: &Parts) -> Result<(), ConfigError> {
        read(config, parts).await.map(drop)
    }

    /// Counts one more of what this person does, and says how often it was in this hour. A
    /// person is a keyed hash of a few bits, so that the rows are bounded.
    pub(crate) async fn count_in_hour(
        &self,
        scope: &'static str,
        person: &str,
    ) -> Result<i64, StoreError> {
        let hash = self
            .sealer
            .keyed_hash("a person's count", person.as_bytes());
        let place = i64::from(u16::from_be_bytes([hash[0], hash[1]]));
        let now = self.clock.now_ms();
        self.store.hit(scope, place, HOUR_MS, now).await
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

async fn read(config: &Config, parts: &Parts) -> Result<Read, ConfigError> {
    let mut problems = Vec::new();
    let sealer = kept(Sealer::open(&config.master_keys), &mut problems);
    let files = kept(keys::read_files(&config.keys.files), &mut problems);
    let store = kept(Store::of(&config.database), &mut problems);
    let (mut clients, mut api_keys) = (None, None);
    if let Some(store) = &store {
        let opened = config.api_keys.as_ref();
        let opened = opened.map(|keys| ApiKeys::open(keys, store.clone(), parts.clock.clone()));
        api_keys = opened.and_then(|opened| kept(opened, &mut problems));
        let fetching = Fetching(parts.fetcher.clone());
        let opened = Clients::open(config, store.clone(), parts.clock.clone(), fetching).await;
        clients = kept(opened, &mut problems);
    }
    let fetching = Fetching(parts.fetcher.clone());
    let providers = Providers::open(config, &parts.clock, &fetching).await;
    let providers = kept(providers, &mut problems);
    let tenancy = kept(Service::read(config), &mut problems);
    kept(Subjects::check(config), &mut problems);
    match (sealer, files, store, clients, providers, tenancy) {
        (Some(sealer), Some(files), Some(store), Some(clients), Some(providers), Some(tenancy))
            if problems.is_empty() =>
        {
            Ok(Read {
                store,
                sealer: sealer.into(),
                files,
                clients,
                api_keys,
                providers,
                tenancy,
            })
        }
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

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

//! One policy in force: its instances, and the documents that they need.

mod candidate;
mod decide;
mod exchange;
mod refresh;
mod respond;
mod supply;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore};

use crate::{
    document::{DocumentStatus, Fetch},
    event::Mode,
    fetch,
    flights::{Address, Asked, Flight, Flights, Landing},
    journal::Entry,
    module::Module,
    pool::{Opened, Pool},
    problem::{OpenError, Trap},
    request::Names,
    rooms::Rooms,
    settings::{Refresh, Settings},
};

pub(crate) use candidate::Heard;
#[cfg(feature = "tower")]
pub(crate) use decide::Course;
pub(crate) use decide::{Decided, Interest, Purpose};
use exchange::Exchanges;

/// The largest number of concurrent fetches that no request waits for.
const BACKGROUND_FETCHES: usize = 32;

pub(crate) struct Generation {
    settings: Arc<Settings>,
    pub(crate) pool: Arc<Pool>,
    /// The headers that decisions read.
    pub(crate) reads: Names,
    /// The digest of the policy, in hexadecimal.
    pub(crate) digest: Arc<str>,
    /// Of its documents: enforced, or that of a candidate.
    mode: Mode,
    is_ready: AtomicBool,
    flights: Flights<Address>,
    /// Requests and proofs.
    asked: Flights<Asked>,
    exchanges: Exchanges,
    /// Held while an instance validates a document and adds it to the journal.
    writing: Mutex<()>,
    rooms: Rooms,
    background: Arc<Semaphore>,
    /// Notified when a document was supplied: another may be due now.
    pub(crate) supplied: Arc<Notify>,
}

impl Generation {
    /// Opens the instances, and blocks meanwhile.
    pub(crate) fn open(
        settings: Arc<Settings>,
        policy: Arc<[u8]>,
        mode: Mode,
    ) -> Result<Self, OpenError> {
        let module = settings.module.clone().map_or_else(Module::sealed, Ok)?;
        let Opened {
            pool,
            reads,
            digest,
            is_ready,
        } = Pool::open(
            module,
            policy,
            settings.instances,
            settings.provider.clone(),
            settings.secrets.clone(),
        )?;
        Ok(Self {
            pool,
            reads: Names::new(reads),
            digest: digest.into(),
            mode,
            is_ready: AtomicBool::new(is_ready),
            flights: Flights::default(),
            asked: Flights::default(),
            exchanges: Exchanges::default(),
            writing: Mutex::default(),
            rooms: Rooms::new(settings.max_waiting),
            background: Arc::new(Semaphore::new(BACKGROUND_FETCHES)),
            supplied: Arc::default(),
            settings,
        })
    }

    pub(crate) fn now_ms(&self) -> Result<u64, Trap> {
        let now_ms = self.settings.clock.now_ms();
        now_ms.ok_or_else(|| Trap::new("the clock has no time"))
    }

    pub(crate) fn refresh(&self) -> Refresh {
        self.settings.refresh
    }

    /// Whether every document was accepted once that decisions cannot do without.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    /// Fetches a document, or joins a fetch that has started already.
    fn start(
        self: &Arc<Self>,
        fetch: &Fetch,
        load: Load,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Option<Flight> {
        let is_over = || match load {
            Load::Anew { read } => self.pool.journal.is_newer(fetch, read),
            Load::Known(_) => false,
        };
        self.flights
            .join(Address::of(fetch), is_over, |landing: Landing<_>| {
                let (generation, fetch, load) = (self.clone(), fetch.clone(), load.clone());
                tokio::spawn(async move {
                    match load {
                        Load::Known(known) => generation.take_over(&fetch, &known).await,
                        Load::Anew { .. } => {
                            let fetcher = generation.settings.fetcher.clone();
                            let fetched = fetch::fetch(fetcher, &fetch).await;
                            // Without the time its age would be unknown.
                            if let Ok(now_ms) = generation.now_ms() {
                                generation.supply(&fetch, fetched, now_ms).await;
                            }
                        }
                    }
                    drop((landing, permit));
                });
            })
    }

    /// Parses a requirement in one instance; each of the others parses it on first
    /// use.
    ///
    /// # Errors
    /// Every problem of the requirement.
    pub(crate) async fn prepare(self: &Arc<Self>, text: &Arc<[u8]>) -> Result<(), OpenError> {
        let prepared = self.pool.call(|reader| reader.number(text)).await?;
        prepared.map(drop).map_err(OpenError::Policy)
    }

    pub(crate) async fn status(&self) -> Result<Vec<DocumentStatus>, Trap> {
        let now_ms = self.now_ms()?;
        self.pool
            .call(|reader| reader.instance.status(now_ms))
            .await
    }
}

/// Where a document comes from.
#[derive(Clone)]
enum Load {
    /// Its URL. `read` is the last journal entry that the instance had read when it
    /// required the fetch: if the document has changed since, no fetch is needed.
    Anew { read: u64 },
    /// The policy that was in force before.
    Known(Arc<Entry>),
}

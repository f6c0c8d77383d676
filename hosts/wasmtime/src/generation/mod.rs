//! One policy in force: its instances, and the documents that they need.

mod refresh;
mod supply;

use std::{pin::pin, sync::Arc};

use tokio::{
    sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore},
    time::{self, Instant},
};

use crate::{
    decision::{Answer, Decision, Denial},
    document::{DocumentStatus, Fetch},
    fetch,
    flights::{Address, Flight, Flights, Landing},
    journal::Entry,
    module::Module,
    pool::{Pool, Reader},
    problem::{OpenError, Trap},
    request::Names,
    rooms::{Places, Rooms},
    settings::{Refresh, Settings},
};

/// The largest number of rounds of fetches for a decision: discovery, the keys
/// that it names, and one retry.
const ROUNDS: usize = 4;

/// The largest number of concurrent fetches that no request waits for.
const BACKGROUND_FETCHES: usize = 32;

pub(crate) struct Generation {
    settings: Arc<Settings>,
    pub(crate) pool: Arc<Pool>,
    /// The headers that decisions read.
    pub(crate) reads: Names,
    flights: Flights,
    /// Held while an instance validates a document and adds it to the journal.
    writing: Mutex<()>,
    rooms: Rooms,
    background: Arc<Semaphore>,
    /// Notified when a document was supplied: another may be due now.
    pub(crate) supplied: Arc<Notify>,
}

impl Generation {
    /// Opens the instances, and blocks meanwhile.
    pub(crate) fn open(settings: Arc<Settings>, policy: Arc<[u8]>) -> Result<Self, OpenError> {
        let module = settings.module.clone().map_or_else(Module::sealed, Ok)?;
        let (pool, reads) = Pool::open(module, policy, settings.instances)?;
        Ok(Self {
            pool,
            reads: Names::new(reads),
            flights: Flights::default(),
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

    /// Repeats `check` until there is a decision, and fetches the documents that it
    /// needs.
    pub(crate) async fn decide(
        self: &Arc<Self>,
        check: impl Fn(&mut Reader, u64) -> Result<Answer, Trap>,
    ) -> Decision {
        if self.settings.refresh == Refresh::Inline {
            self.refresh_inline().await;
        }
        let mut places = Places::default();
        let mut until = None;
        let mut denial = Denial::internal_error();
        for _ in 0..ROUNDS {
            let Ok(now_ms) = self.now_ms() else {
                return Decision::Deny(Denial::internal_error());
            };
            let answer = self
                .pool
                .call(|reader| Ok((check(reader, now_ms)?, reader.read)))
                .await;
            let (fetches, read) = match answer {
                Err(_) => return Decision::Deny(Denial::internal_error()),
                Ok((Answer::Decided(decision), _)) => return decision,
                Ok((Answer::Wait(fetches), read)) => (fetches, read),
            };
            denial = Denial::still_waiting(&fetches);
            // The fetch starts even if the waiting room is full.
            let flights = fetches
                .iter()
                .filter_map(|fetch| self.start(fetch, Load::Anew { read }, None))
                .collect();
            places = match self.rooms.enter(places, &fetches) {
                Ok(places) => places,
                Err(_) => break,
            };
            let until = *until.get_or_insert_with(|| Instant::now() + self.settings.wait);
            if !landed(flights, until).await {
                break;
            }
        }
        Decision::Deny(denial)
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
            .join(Address::of(fetch), is_over, |landing: Landing| {
                let (generation, fetch, load) = (self.clone(), fetch.clone(), load.clone());
                tokio::spawn(async move {
                    match load {
                        Load::Known(known) => {
                            let outcome = known.outcome.clone();
                            generation.supply(&fetch, outcome, known.at_ms).await;
                        }
                        Load::Anew { .. } => {
                            let fetcher = generation.settings.fetcher.clone();
                            let outcome = Arc::new(fetch::fetch(fetcher, &fetch).await);
                            // Without the time its age would be unknown.
                            if let Ok(now_ms) = generation.now_ms() {
                                generation.supply(&fetch, outcome, now_ms).await;
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

/// Whether all fetches ended in time.
async fn landed(flights: Vec<Flight>, until: Instant) -> bool {
    let all = async {
        for flight in flights {
            flight.landed().await;
        }
    };
    time::timeout_at(until, pin!(all)).await.is_ok()
}

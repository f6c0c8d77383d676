//! One policy in force: its instances, and the documents that they ask for.

use std::{pin::pin, sync::Arc};

use http::HeaderName;
use tokio::{
    sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::{self, Instant},
};

use crate::{
    Answer, Decision, Denial, DocumentStatus, Fetch, OpenError, Outcome, Problem, Trap,
    builder::Settings,
    fetch,
    flights::{Flight, Flights, Landing},
    journal::Reader,
    module::Module,
    pool::Pool,
};

/// Discovery, the keys that it names, and one more try.
const ROUNDS: usize = 4;

/// Fetches under way that no request waits for.
const BACKGROUND_FETCHES: usize = 32;

pub(crate) struct Generation {
    settings: Arc<Settings>,
    pub(crate) pool: Arc<Pool>,
    /// The headers that decisions read.
    pub(crate) reads: Vec<HeaderName>,
    flights: Flights,
    /// Held while an instance judges what is then written for all of them.
    writing: Mutex<()>,
    waiting: Semaphore,
    background: Arc<Semaphore>,
    /// Something was supplied: what is due may have changed.
    pub(crate) supplied: Arc<Notify>,
}

impl Generation {
    /// Opens the instances: blocks for that long.
    pub(crate) fn open(settings: Arc<Settings>, policy: Arc<[u8]>) -> Result<Self, OpenError> {
        let module = settings.module.clone().map_or_else(Module::sealed, Ok)?;
        let (pool, reads) = Pool::open(module, policy, settings.instances)?;
        let reads = reads
            .iter()
            .map(|name| HeaderName::from_bytes(name.as_bytes()));
        let reads = reads.collect::<Result<_, _>>();
        Ok(Self {
            pool: Arc::new(pool),
            reads: reads.map_err(|error| OpenError::Module(error.to_string()))?,
            flights: Flights::default(),
            writing: Mutex::default(),
            waiting: Semaphore::new(settings.max_waiting),
            background: Arc::new(Semaphore::new(BACKGROUND_FETCHES)),
            supplied: Arc::default(),
            settings,
        })
    }

    pub(crate) fn now_ms(&self) -> u64 {
        (self.settings.clock)()
    }

    /// Asks until there is a decision, fetching what it waits for.
    pub(crate) async fn decide(
        self: &Arc<Self>,
        ask: impl Fn(&mut Reader, u64) -> Result<Answer, Trap>,
    ) -> Decision {
        let mut patience: Option<(SemaphorePermit<'_>, Instant)> = None;
        let mut denial = Denial::internal_error();
        for _ in 0..ROUNDS {
            let now_ms = self.now_ms();
            let asked = self
                .pool
                .call(|reader| Ok((ask(reader, now_ms)?, reader.read)))
                .await;
            let (fetches, read) = match asked {
                Err(_) => return Decision::Deny(Denial::internal_error()),
                Ok((Answer::Decided(decision), _)) => return decision,
                Ok((Answer::Wait(fetches), read)) => (fetches, read),
            };
            denial = Denial::still_waiting(&fetches);
            let until = match &patience {
                Some((_, until)) => *until,
                None => {
                    let Ok(place) = self.waiting.try_acquire() else {
                        break;
                    };
                    patience
                        .insert((place, Instant::now() + self.settings.wait))
                        .1
                }
            };
            let flights = fetches
                .into_iter()
                .filter_map(|fetch| self.fly(fetch, read, None));
            if !landed(flights.collect(), until).await {
                break;
            }
        }
        Decision::Deny(denial)
    }

    /// Fetches a document, or joins those who do. `read` is what the instance
    /// had read when it asked: what has ended since then needs no fetch.
    fn fly(
        self: &Arc<Self>,
        fetch: Fetch,
        read: u64,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Option<Flight> {
        let (generation, source) = (self.clone(), fetch.source);
        self.flights.join(
            source,
            || self.pool.journal.is_newer(source, read),
            |landing: Landing| {
                tokio::spawn(async move {
                    let outcome = fetch::fetch(&*generation.settings.fetcher, &fetch).await;
                    generation
                        .supply(&fetch, Arc::new(outcome), generation.now_ms())
                        .await;
                    drop((landing, permit));
                });
            },
        )
    }

    /// Has one instance judge how a fetch ended; the others read it from the
    /// journal before they do anything else.
    async fn supply(&self, fetch: &Fetch, outcome: Arc<Outcome>, at_ms: u64) {
        let _turn = self.writing.lock().await;
        let answered = matches!(&*outcome, Outcome::Response(response) if response.status == 200);
        let journal = &self.pool.journal;
        let supplied = self
            .pool
            .call(|reader| reader.supply(journal, fetch, outcome, at_ms))
            .await;
        match supplied {
            Ok(Ok(unusable)) => {
                for problem in unusable {
                    fetch::log(fetch, &format!("a part is not used: {problem}"));
                }
            }
            Ok(Err(problem)) if answered => fetch::log(fetch, &problem.to_string()),
            Ok(Err(_)) => {}
            Err(_) => {
                journal.failed(fetch, at_ms);
            }
        }
        self.supplied.notify_one();
    }

    /// Starts to fetch what is due, if anything. What `old` has from the same
    /// address is taken over instead, as old as it is.
    pub(crate) async fn start_due(self: &Arc<Self>, old: Option<&Self>) -> Result<bool, Trap> {
        let now_ms = self.now_ms();
        let asked = self
            .pool
            .call(|reader| Ok((reader.instance.due(now_ms)?, reader.read)));
        let (due, read) = asked.await?;
        let any = !due.is_empty();
        for fetch in due {
            // Once: this policy may refuse what the old one accepted.
            let known = old
                .filter(|_| !self.pool.journal.is_newer(fetch.source, 0))
                .and_then(|old| old.pool.journal.accepted(fetch.kind, &fetch.uri));
            if let Some(known) = known {
                self.supply(&fetch, known.outcome, known.at_ms).await;
            } else {
                let permit = self.background.clone().acquire_owned().await.ok();
                self.fly(fetch, read, permit);
            }
        }
        Ok(any)
    }

    /// Fetches everything that is due, or takes it over from `old`, and waits
    /// until it is supplied.
    pub(crate) async fn warm(self: &Arc<Self>, old: Option<&Self>) -> Result<(), Trap> {
        let until = Instant::now() + self.settings.wait;
        for _ in 0..ROUNDS {
            let Ok(started) = time::timeout_at(until, self.start_due(old)).await else {
                break;
            };
            let any = started?;
            let flights = self.flights.all();
            if !any && flights.is_empty() || !landed(flights, until).await {
                break;
            }
        }
        Ok(())
    }

    /// Prepares what was prepared for `old`, in the same places.
    ///
    /// # Errors
    /// Every problem of a requirement that this policy refuses.
    pub(crate) async fn prepare_as(&self, old: &Self) -> Result<(), OpenError> {
        for text in old.pool.journal.requirements() {
            self.prepare(&text).await?;
        }
        Ok(())
    }

    /// Parses a requirement for all instances: its place among them.
    ///
    /// # Errors
    /// Every problem of the requirement.
    pub(crate) async fn prepare(&self, text: &[u8]) -> Result<usize, OpenError> {
        let _turn = self.writing.lock().await;
        let journal = &self.pool.journal;
        let prepared = self
            .pool
            .call(|reader| reader.prepare(journal, text))
            .await?;
        prepared.map_err(|problems: Vec<Problem>| OpenError::Policy(problems))
    }

    pub(crate) async fn status(&self) -> Result<Vec<DocumentStatus>, Trap> {
        let now_ms = self.now_ms();
        self.pool
            .call(|reader| reader.instance.status(now_ms))
            .await
    }
}

/// Whether all of them landed in time.
async fn landed(flights: Vec<Flight>, until: Instant) -> bool {
    let all = async {
        for flight in flights {
            flight.landed().await;
        }
    };
    time::timeout_at(until, pin!(all)).await.is_ok()
}

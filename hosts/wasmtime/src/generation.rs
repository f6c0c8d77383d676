//! One policy in force: its instances, and the documents that they ask for.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore},
    task,
    time::{self, Instant},
};

use crate::{
    Answer, Decision, Denial, DocumentStatus, Fetch, OpenError, Outcome, Refresh, Supplied, Trap,
    builder::Settings,
    fetch,
    flights::{Address, Flight, Flights, Landing},
    journal::Entry,
    module::Module,
    pool::{Place, Pool, Reader},
    request::Names,
    rooms::{Places, Rooms},
};

/// Discovery, the keys that it names, and one more try.
const ROUNDS: usize = 4;

/// Fetches under way that no request waits for.
const BACKGROUND_FETCHES: usize = 32;

/// Instances that may die, of something else, while they judge a document.
const DEATHS: usize = 3;

pub(crate) struct Generation {
    settings: Arc<Settings>,
    pub(crate) pool: Arc<Pool>,
    /// The headers that decisions read.
    pub(crate) reads: Names,
    flights: Flights,
    /// Held while an instance judges what is then written for all of them.
    writing: Mutex<()>,
    rooms: Rooms,
    background: Arc<Semaphore>,
    /// Something was supplied: what is due may have changed.
    pub(crate) supplied: Arc<Notify>,
}

impl Generation {
    /// Opens the instances: blocks for that long.
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
        now_ms.ok_or_else(|| Trap::new("the clock does not tell the time"))
    }

    pub(crate) fn refresh(&self) -> Refresh {
        self.settings.refresh
    }

    /// Asks until there is a decision, fetching what it waits for.
    pub(crate) async fn decide(
        self: &Arc<Self>,
        ask: impl Fn(&mut Reader, u64) -> Result<Answer, Trap>,
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
            // The fetch first: a full room is no reason to leave it.
            let flights = fetches
                .iter()
                .filter_map(|fetch| self.fly(fetch, Load::Anew { read }, None))
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

    /// Fetches a document, or joins those who do.
    fn fly(
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
                            // Without the time nobody can say how old it is.
                            if let Ok(now_ms) = generation.now_ms() {
                                generation.supply(&fetch, outcome, now_ms).await;
                            }
                        }
                    }
                    drop((landing, permit));
                });
            })
    }

    /// Has one instance judge how a fetch ended; the others read it from the
    /// journal before they do anything else.
    pub(crate) async fn supply(&self, fetch: &Fetch, outcome: Arc<Outcome>, at_ms: u64) {
        let _turn = self.writing.lock().await;
        match self.judge(fetch, &outcome, at_ms).await {
            Ok(Supplied::Accepted(skipped)) => {
                for problem in skipped {
                    fetch::log(fetch, &format!("a part is not used: {problem}"));
                }
            }
            Ok(Supplied::Refused(problem)) => {
                // What a server answered beside 200 is in the log already.
                if matches!(&*outcome, Outcome::Response(response) if response.status == 200) {
                    fetch::log(fetch, &problem.to_string());
                }
            }
            Ok(Supplied::Outdated | Supplied::Unfinished) => {}
            Err(_) => {
                self.pool.journal.fail(fetch, at_ms);
            }
        }
        self.pool.spread();
        self.supplied.notify_one();
    }

    /// Judges a document, bit by bit, and writes it down. In between, requests
    /// are decided by this instance too, and by the old document.
    async fn judge(
        &self,
        fetch: &Fetch,
        outcome: &Arc<Outcome>,
        at_ms: u64,
    ) -> Result<Supplied, Trap> {
        for _ in 0..DEATHS {
            // For as long as it takes: that none is free is no fault of the
            // document's.
            let mut place = self.pool.take().await;
            if place.catch_up().await.is_err() {
                continue;
            }
            let Some(judged) = self.judge_in(place, fetch, outcome, at_ms).await else {
                continue;
            };
            return judged;
        }
        Err(Trap::new("every instance died that was to judge it"))
    }

    /// None where the instance died of something else in between.
    async fn judge_in(
        &self,
        mut place: Place,
        fetch: &Fetch,
        outcome: &Arc<Outcome>,
        at_ms: u64,
    ) -> Option<Result<Supplied, Trap>> {
        let (id, source) = (place.id, fetch.source);
        let mut judged = place.call(|reader| {
            let supplied = reader.instance.supply(source, &fetch.uri, outcome, at_ms)?;
            reader.write(&self.pool.journal, fetch, outcome, at_ms, &supplied);
            Ok(supplied)
        });
        for call in 1.. {
            let Ok(Supplied::Unfinished) = judged else {
                break;
            };
            drop(place);
            task::yield_now().await;
            place = self.pool.take_again(id).await?;
            judged = place.call(|reader| {
                let supplied = reader.instance.resume(source, outcome.part(call), at_ms)?;
                reader.write(&self.pool.journal, fetch, outcome, at_ms, &supplied);
                Ok(supplied)
            });
        }
        Some(judged)
    }

    /// Starts to fetch what is due, if anything. What `old` has from the same
    /// address is taken over instead, as old as it is.
    pub(crate) async fn start_due(self: &Arc<Self>, old: Option<&Self>) -> Result<bool, Trap> {
        let now_ms = self.now_ms()?;
        let mut place = self.pool.take().await;
        place.catch_up().await?;
        let (due, read) = place.call(|reader| Ok((reader.instance.due(now_ms)?, reader.read)))?;
        drop(place);
        let any = !due.is_empty();
        for fetch in due {
            // Once: this policy may refuse what the old one accepted.
            let known = old
                .filter(|_| !self.pool.journal.is_newer(&fetch, 0))
                .and_then(|old| old.pool.journal.accepted(fetch.kind, &fetch.uri));
            let (load, permit) = match known {
                Some(known) => (Load::Known(known), None),
                None => {
                    let permit = self.background.clone().acquire_owned().await.ok();
                    (Load::Anew { read }, permit)
                }
            };
            self.fly(&fetch, load, permit);
        }
        Ok(any)
    }

    /// How long until [`Self::start_due`] has something, if it ever will.
    pub(crate) async fn next_due(self: &Arc<Self>) -> Option<Duration> {
        let now_ms = self.now_ms().ok()?;
        let next = self.pool.call(|reader| reader.instance.next_due(now_ms));
        next.await.ok()?.map(Duration::from_millis)
    }

    /// Fetches what fell due while nobody looked, and waits for it, but not for
    /// what failed the last time: a request may not pay for that again.
    async fn refresh_inline(self: &Arc<Self>) {
        let until = Instant::now() + self.settings.wait;
        for _ in 0..ROUNDS {
            if self.next_due().await == Some(Duration::ZERO) {
                let started = time::timeout_at(until, self.start_due(None)).await;
                if !matches!(started, Ok(Ok(_))) {
                    return;
                }
            }
            let journal = &self.pool.journal;
            let flights = self
                .flights
                .under_way_from(|from| !journal.is_failing(from.source, &from.uri));
            if flights.is_empty() || !landed(flights, until).await {
                return;
            }
        }
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
            let flights = self.flights.under_way_from(|_| true);
            if !any && flights.is_empty() || !landed(flights, until).await {
                break;
            }
        }
        Ok(())
    }

    /// Parses a requirement in one instance; the others do when they are asked.
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
    /// Its address. `read` is what the instance had read that asked for it:
    /// what has ended since then needs no fetch.
    Anew { read: u64 },
    /// The policy that was in force before.
    Known(Arc<Entry>),
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

//! One policy in force: its instances, and the documents that they need.

mod candidate;
mod exchange;
mod refresh;
mod respond;
mod supply;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub(crate) use candidate::Heard;
use exchange::Exchanges;
use tokio::{
    sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore},
    time::{self, Instant},
};

use crate::{
    decision::{Answer, Decision, Denial},
    document::{DocumentStatus, Fetch},
    event::{Facts, Mode},
    fetch::{self, Fetched},
    flights::{Address, Asked, Flight, Flights, Landing, Learned},
    journal::Entry,
    module::Module,
    need::Need,
    pool::{Opened, Pool, Reader},
    problem::{OpenError, Trap},
    proofs::Proofs,
    report::Step,
    request::{Names, Request},
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

    /// Repeats `check` until there is a decision, and does what it needs.
    pub(crate) async fn decide(
        self: &Arc<Self>,
        interest: Interest,
        check: impl FnMut(&mut Reader, u64) -> Result<Answer, Trap>,
    ) -> Decided {
        let mut course = Course::default();
        let decision = self.run(interest, &mut course, check).await;
        Decided { decision, course }
    }

    async fn run(
        self: &Arc<Self>,
        interest: Interest,
        course: &mut Course,
        mut check: impl FnMut(&mut Reader, u64) -> Result<Answer, Trap>,
    ) -> Decision {
        if self.settings.refresh == Refresh::Inline {
            course.waited = self.refresh_inline().await;
        }
        let mut places = Places::default();
        let mut until = None;
        // The instance that has the response to its request.
        let mut same = None;
        let mut denial = Denial::internal_error();
        for _ in 0..ROUNDS {
            let Ok(now_ms) = self.now_ms() else {
                return Decision::Deny(Denial::internal_error());
            };
            // What is needed starts even if the waiting room is full, and before
            // the instance is free, so that no response comes in between.
            let answer = self.pool.call_in(same, |reader| {
                let answer = self.check_at_once(reader, now_ms, course, &mut check)?;
                if interest != Interest::Nothing {
                    let key = self.settings.hooks.key();
                    let effects = interest == Interest::Comparison;
                    course.facts = reader.instance.last_event(key, effects)?;
                }
                Ok(match answer {
                    Answer::Decided(decision) => Err(decision),
                    Answer::Wait(needs) => Ok(self.begin(needs, reader)),
                })
            });
            let begun = match answer.await {
                Err(_) => return Decision::Deny(Denial::internal_error()),
                Ok(Err(decision)) => return decision,
                Ok(Ok(begun)) => begun,
            };
            same = begun.same;
            denial = Denial::still_waiting(&begun.needs);
            places = match self.rooms.enter(places, &begun.needs) {
                Ok(places) => places,
                Err(_) => break,
            };
            let until = *until.get_or_insert_with(|| Instant::now() + self.settings.wait);
            let began = Instant::now();
            let (of, flights): (Vec<_>, Vec<_>) = begun.flights.into_iter().unzip();
            let learned = landed(flights, until).await;
            course.waited += began.elapsed();
            let Some(learned) = learned else {
                break;
            };
            if interest == Interest::Comparison {
                for (need, learned) in of.into_iter().zip(learned) {
                    let needed = begun.needs.get(need).zip(learned);
                    if let Some((need, learned)) = needed {
                        course.heard.take(need, learned);
                    }
                }
            }
        }
        Decision::Deny(denial)
    }

    /// Decides, and explains the decision in the instance that made it: only that
    /// one knows which signatures were verified. `None` if there was none.
    pub(crate) async fn decide_and_explain(
        self: &Arc<Self>,
        request: Request<'_>,
    ) -> Option<Vec<Step>> {
        let mut steps = None;
        self.decide(Interest::Nothing, |reader, now_ms| {
            let answer = reader.instance.check(request, now_ms)?;
            if let Answer::Decided(_) = answer {
                steps = Some(reader.instance.explain(request, now_ms)?);
            }
            Ok(answer)
        })
        .await;
        steps
    }

    /// Checks, and looks up proofs in the table of this process, which needs no
    /// wait.
    fn check_at_once(
        &self,
        reader: &mut Reader,
        now_ms: u64,
        course: &mut Course,
        check: &mut impl FnMut(&mut Reader, u64) -> Result<Answer, Trap>,
    ) -> Result<Answer, Trap> {
        let mut answer = check(reader, now_ms)?;
        if let Proofs::Table(table) = &self.settings.proofs
            && let Answer::Wait(needs) = &answer
            && let [Need::Proof(proof)] = &**needs
        {
            let first = table.first_use(proof, now_ms);
            course.heard.take(&needs[0], Learned::Proof(first));
            reader.instance.proven(proof.ticket, first)?;
            answer = check(reader, now_ms)?;
        }
        Ok(answer)
    }

    /// Starts what a decision needs.
    fn begin(self: &Arc<Self>, needs: Vec<Need>, reader: &Reader) -> Begun {
        let (read, by) = (reader.read, reader.id);
        let mut same = None;
        let start = |need: &Need| match need {
            Need::Document(fetch) => self.start(fetch, Load::Anew { read }, None),
            Need::Request(request) => {
                same = Some(by);
                self.send(request, by)
            }
            Need::Proof(proof) => {
                same = Some(by);
                self.record(proof, by)
            }
        };
        let flights = needs.iter().map(start).enumerate();
        let flights = flights.filter_map(|(need, flight)| Some((need, flight?)));
        let flights = flights.collect();
        Begun {
            needs,
            flights,
            same,
        }
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
                        Load::Known(known) => {
                            let known_again = Fetched {
                                outcome: known.outcome.clone(),
                                failure: None,
                            };
                            generation.supply(&fetch, known_again, known.at_ms).await;
                        }
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

/// What is asked of a decision beside itself. Nothing costs nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    Nothing,
    /// The facts for an event.
    Event,
    /// What a candidate is compared by, too.
    Comparison,
}

/// A decision, and how it came about.
pub(crate) struct Decided {
    pub(crate) decision: Decision,
    pub(crate) course: Course,
}

#[derive(Default)]
pub(crate) struct Course {
    pub(crate) facts: Facts,
    /// For documents, requests and proofs.
    pub(crate) waited: Duration,
    pub(crate) heard: Heard,
}

/// What a decision waits for.
struct Begun {
    needs: Vec<Need>,
    /// Each with the index of its need.
    flights: Vec<(usize, Flight)>,
    /// The instance that a request is for, which then has the response.
    same: Option<u64>,
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

/// What each has brought, if all ended in time.
async fn landed(flights: Vec<Flight>, until: Instant) -> Option<Vec<Option<Learned>>> {
    let all = async {
        let mut learned = Vec::with_capacity(flights.len());
        for flight in flights {
            learned.push(flight.landed().await);
        }
        learned
    };
    time::timeout_at(until, pin!(all)).await.ok()
}

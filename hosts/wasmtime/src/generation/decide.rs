//! Decisions of a policy in force: repeated until everything that they need is there.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{self, Instant};

use super::{Generation, Heard, Load};
use crate::{
    decision::{Answer, Decision, Denial},
    event::Facts,
    flights::{Flight, Learned},
    need::Need,
    pool::Reader,
    problem::Trap,
    proofs::{FirstUse, Proof, Proofs},
    report::Step,
    request::Request,
    rooms::Places,
    settings::Refresh,
};

/// The largest number of checks for a decision. Each principal of a request can need
/// its introspection, the discovery document, the keys that it names, and the use of
/// its proof. The time is bounded too.
pub(super) const ROUNDS: usize = 16;

/// The largest number of checks in a row that ask about proofs. A request has few.
const PROOF_ROUNDS: usize = 8;

/// What a decision is for, beside itself.
#[derive(Clone, Copy)]
pub(crate) struct Purpose<'a> {
    pub(crate) interest: Interest,
    /// Nothing is enforced: then the decision uses up no proof.
    pub(crate) is_observed: bool,
    /// Is set before the decision waits for documents, responses or proofs.
    pub(crate) waits: Option<&'a AtomicBool>,
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

impl Generation {
    /// Repeats `check` until there is a decision, and does what it needs.
    pub(crate) async fn decide(
        self: &Arc<Self>,
        purpose: Purpose<'_>,
        check: impl FnMut(&mut Reader, u64) -> Result<Answer, Trap>,
    ) -> Decided {
        let mut course = Course::default();
        let decision = self.run(purpose, &mut course, check).await;
        Decided { decision, course }
    }

    async fn run(
        self: &Arc<Self>,
        purpose: Purpose<'_>,
        course: &mut Course,
        mut check: impl FnMut(&mut Reader, u64) -> Result<Answer, Trap>,
    ) -> Decision {
        let interest = purpose.interest;
        if self.settings.refresh == Refresh::Inline {
            purpose.will_wait();
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
                let answer = self.check_at_once(reader, now_ms, purpose, course, &mut check)?;
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
            purpose.will_wait();
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
        let purpose = Purpose {
            interest: Interest::Nothing,
            // An explanation uses up no proof either.
            is_observed: true,
            waits: None,
        };
        self.decide(purpose, |reader, now_ms| {
            let answer = reader.instance.check(request, now_ms)?;
            if let Answer::Decided(_) = answer {
                steps = Some(reader.instance.explain(request, now_ms)?);
            }
            Ok(answer)
        })
        .await;
        steps
    }

    /// Checks, and answers questions about proofs that need no wait.
    fn check_at_once(
        &self,
        reader: &mut Reader,
        now_ms: u64,
        purpose: Purpose<'_>,
        course: &mut Course,
        check: &mut impl FnMut(&mut Reader, u64) -> Result<Answer, Trap>,
    ) -> Result<Answer, Trap> {
        let mut answer = check(reader, now_ms)?;
        for _ in 0..PROOF_ROUNDS {
            let Answer::Wait(needs) = &answer else {
                break;
            };
            let mut is_answered = false;
            for need in needs {
                if let Need::Proof(proof) = need
                    && let Some(first) = self.first_use_at_once(proof, now_ms, purpose)
                {
                    course.heard.take(need, Learned::Proof(first));
                    reader.instance.proven(proof.ticket, first)?;
                    is_answered = true;
                }
            }
            if !is_answered {
                break;
            }
            answer = check(reader, now_ms)?;
        }
        Ok(answer)
    }

    /// By the table of this process. `None` if a store has to be asked.
    fn first_use_at_once(
        &self,
        proof: &Proof,
        now_ms: u64,
        purpose: Purpose<'_>,
    ) -> Option<FirstUse> {
        if purpose.is_observed {
            // It has no effect: the same request can pass another gate of this
            // process, which enforces.
            return Some(FirstUse::Yes);
        }
        match &self.settings.proofs {
            Proofs::Table(table) => Some(table.first_use(proof, now_ms)),
            Proofs::Store(_) => None,
        }
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
}

impl Purpose<'_> {
    fn will_wait(&self) {
        if let Some(waits) = self.waits {
            waits.store(true, Ordering::Relaxed);
        }
    }
}

/// What each has brought, if all ended in time.
pub(super) async fn landed(flights: Vec<Flight>, until: Instant) -> Option<Vec<Option<Learned>>> {
    let all = async {
        let mut learned = Vec::with_capacity(flights.len());
        for flight in flights {
            learned.push(flight.landed().await);
        }
        learned
    };
    time::timeout_at(until, pin!(all)).await.ok()
}

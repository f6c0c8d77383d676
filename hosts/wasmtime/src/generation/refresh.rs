//! Documents that are due: fetched in the background, before a request, or before
//! a policy is put in force.

use std::{sync::Arc, time::Duration};

use tokio::time::{self, Instant};

use super::{Generation, Load, decide::landed};
use crate::problem::Trap;

/// The longest chain of documents that name each other, and one retry.
const ROUNDS: usize = 4;

impl Generation {
    /// Starts to fetch the documents that are due; the result is whether there are
    /// any. A document that `old` has fetched in the same way is taken over instead,
    /// with its age.
    pub(crate) async fn start_due(self: &Arc<Self>, old: Option<&Self>) -> Result<bool, Trap> {
        let now_ms = self.now_ms()?;
        let mut lease = self.pool.take().await;
        lease.catch_up().await?;
        let (due, read) = lease.call(|reader| Ok((reader.instance.due(now_ms)?, reader.read)))?;
        drop(lease);
        let any = !due.is_empty();
        for fetch in due {
            // Only once: this policy may refuse a document that the old one accepted.
            let known = old
                .filter(|_| !self.pool.journal.is_newer(&fetch, 0))
                .and_then(|old| old.pool.journal.accepted(&fetch));
            let (load, permit) = match known {
                Some(known) => (Load::Known(known), None),
                None => {
                    let permit = self.background.clone().acquire_owned().await.ok();
                    (Load::Anew { read }, permit)
                }
            };
            self.start(&fetch, load, permit);
        }
        Ok(any)
    }

    /// How long until a document is due; `None` if none will be.
    pub(crate) async fn next_due(self: &Arc<Self>) -> Option<Duration> {
        let now_ms = self.now_ms().ok()?;
        let next = self.pool.call(|reader| reader.instance.next_due(now_ms));
        next.await.ok()?.map(Duration::from_millis)
    }

    /// Fetches the documents that are due, and waits for them, except for those
    /// whose last fetch failed: these must not delay requests again. The result is how
    /// long they were waited for.
    pub(super) async fn refresh_inline(self: &Arc<Self>) -> Duration {
        let mut waited = Duration::ZERO;
        let until = Instant::now() + self.settings.wait;
        for _ in 0..ROUNDS {
            if self.next_due().await == Some(Duration::ZERO) {
                let started = time::timeout_at(until, self.start_due(None)).await;
                if !matches!(started, Ok(Ok(_))) {
                    return waited;
                }
            }
            let journal = &self.pool.journal;
            let flights = self
                .flights
                .under_way_from(|from| !journal.is_failing(from.source, &from.uri));
            if flights.is_empty() {
                return waited;
            }
            let began = Instant::now();
            let learned = landed(flights, until).await;
            waited += began.elapsed();
            if learned.is_none() {
                return waited;
            }
        }
        waited
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
            if !any && flights.is_empty() || landed(flights, until).await.is_none() {
                break;
            }
        }
        Ok(())
    }
}

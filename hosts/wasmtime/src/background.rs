//! The refresh of documents in the background, on a monotonic timer: setting the
//! wall clock must not delay it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{self, Instant},
};

use crate::{generation::Generation, random, settings::Refresh};

/// The longest wait before the next look at what is due: the timer stops while the
/// machine sleeps, and the wall clock does not.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The shortest wait, so that documents that arrive together cause one look.
const SHORTEST_WAIT: Duration = Duration::from_millis(20);

/// A generation in force. With [`Refresh::Background`] it fetches documents as
/// they fall due, until this is dropped.
pub(crate) struct InForce {
    pub(crate) generation: Arc<Generation>,
    background: Option<AbortHandle>,
}

impl InForce {
    pub(crate) fn new(generation: Arc<Generation>) -> Self {
        let background = (generation.refresh() == Refresh::Background).then(|| {
            let keep_fresh = keep_fresh(Arc::downgrade(&generation), generation.supplied.clone());
            tokio::spawn(keep_fresh).abort_handle()
        });
        Self {
            generation,
            background,
        }
    }
}

impl Drop for InForce {
    fn drop(&mut self) {
        if let Some(background) = &self.background {
            background.abort();
        }
    }
}

async fn keep_fresh(generation: Weak<Generation>, supplied: Arc<Notify>) {
    let mut timer = Timer::default();
    while let Some(generation) = generation.upgrade() {
        let left = generation.next_due().await;
        let wait = timer.wait(left, Instant::now());
        if wait.is_zero() {
            // A trap is logged where it happens; the next look tries again.
            let _ = generation.start_due(None).await;
            timer = Timer::default();
        }
        drop(generation);
        time::sleep(SHORTEST_WAIT).await;
        if time::timeout(wait.min(LONGEST_WAIT), supplied.notified())
            .await
            .is_ok()
        {
            timer = Timer::default();
        }
    }
}

/// When to look next: a random time after a document is due, so that many gates do
/// not fetch at the same time.
#[derive(Default)]
struct Timer {
    due: Option<Due>,
}

struct Due {
    at: Instant,
    jitter: Duration,
}

impl Timer {
    /// How long until a document is due, jitter included. A known due time is never
    /// moved to a later time: the gate computes it from the wall clock, which may
    /// have been set back since.
    fn wait(&mut self, left: Option<Duration>, now: Instant) -> Duration {
        if let Some(left) = left
            && let Some(at) = now.checked_add(left)
        {
            // Jitter is drawn once, not at each look.
            let is_sooner = |due: &Due| at + SHORTEST_WAIT < due.at;
            if self.due.as_ref().is_none_or(is_sooner) {
                let jitter = random::up_to((left / 10).min(LONGEST_WAIT));
                self.due = Some(Due { at, jitter });
            }
        }
        self.due.as_ref().map_or(LONGEST_WAIT, |due| {
            (due.at + due.jitter).saturating_duration_since(now)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Timer;

    #[test]
    fn what_is_due_is_never_put_off_by_a_clock_that_was_set_back() {
        let (start, mut timer) = (Instant::now(), Timer::default());
        let minute = Duration::from_secs(60);
        let wait = timer.wait(Some(minute), start);
        assert!(wait >= minute && wait <= minute + minute / 10);
        // The gate counts anew, from a clock that says eight hours less.
        let later = start + minute / 2;
        let again = timer.wait(Some(480 * minute), later);
        assert_eq!(again, wait - minute / 2);
        assert_eq!(timer.wait(None, later), again);
        assert!(timer.wait(Some(480 * minute), start + 2 * minute).is_zero());
    }

    #[test]
    fn what_falls_due_sooner_than_it_was_said_is_fetched_sooner() {
        let (start, mut timer) = (Instant::now(), Timer::default());
        timer.wait(Some(Duration::from_secs(600)), start);
        assert!(timer.wait(Some(Duration::ZERO), start).is_zero());
        // As far off as no timer counts.
        assert_eq!(
            Timer::default().wait(Some(Duration::MAX), start),
            super::LONGEST_WAIT
        );
    }
}

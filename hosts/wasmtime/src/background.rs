//! Refreshing documents that no request waits for, on a monotonic timer: the
//! wall clock may be set, and nobody may wait until it has caught up.

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

/// The longest nap between two looks at what is due: the timer stands still
/// while the machine sleeps, and the wall clock does not.
const LONGEST_NAP: Duration = Duration::from_secs(5);

/// The shortest, so that documents that arrive together are one reason to look.
const SHORTEST_NAP: Duration = Duration::from_millis(20);

/// A generation that fetches what is due by itself, where it is to, until this
/// is dropped.
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
        let nap = timer.nap(left, Instant::now());
        if nap.is_zero() {
            // A trap is logged where it happens; the next look tries again.
            let _ = generation.start_due(None).await;
            timer = Timer::default();
        }
        drop(generation);
        time::sleep(SHORTEST_NAP).await;
        if time::timeout(nap.min(LONGEST_NAP), supplied.notified())
            .await
            .is_ok()
        {
            timer = Timer::default();
        }
    }
}

/// When to look next: a little after the gate asks for it, and not when all
/// the fleet does.
#[derive(Default)]
struct Timer {
    due: Option<Due>,
}

struct Due {
    at: Instant,
    jitter: Duration,
}

impl Timer {
    /// How long until something is due, jitter included. What was once heard is
    /// never put off: the gate counts by the wall clock, which may have been
    /// set back since.
    fn nap(&mut self, left: Option<Duration>, now: Instant) -> Duration {
        if let Some(left) = left
            && let Some(at) = now.checked_add(left)
        {
            // Jitter is drawn once, not at each look.
            let is_sooner = |due: &Due| at + SHORTEST_NAP < due.at;
            if self.due.as_ref().is_none_or(is_sooner) {
                let jitter = random::up_to((left / 10).min(LONGEST_NAP));
                self.due = Some(Due { at, jitter });
            }
        }
        self.due.as_ref().map_or(LONGEST_NAP, |due| {
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
        let nap = timer.nap(Some(minute), start);
        assert!(nap >= minute && nap <= minute + minute / 10);
        // The gate counts anew, from a clock that says eight hours less.
        let later = start + minute / 2;
        let again = timer.nap(Some(480 * minute), later);
        assert_eq!(again, nap - minute / 2);
        assert_eq!(timer.nap(None, later), again);
        assert!(timer.nap(Some(480 * minute), start + 2 * minute).is_zero());
    }

    #[test]
    fn what_falls_due_sooner_than_it_was_said_is_fetched_sooner() {
        let (start, mut timer) = (Instant::now(), Timer::default());
        timer.nap(Some(Duration::from_secs(600)), start);
        assert!(timer.nap(Some(Duration::ZERO), start).is_zero());
        // As far off as no timer counts.
        assert_eq!(
            Timer::default().nap(Some(Duration::MAX), start),
            super::LONGEST_NAP
        );
    }
}

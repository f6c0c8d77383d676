//! Refreshing documents that no request waits for.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{sync::Notify, task::AbortHandle, time};

use crate::{generation::Generation, random};

/// The longest nap between two looks at the clock, which may be set or stand
/// still with the machine.
const LONGEST_NAP: Duration = Duration::from_secs(5);

/// The shortest, so that documents that arrive together are one reason to look.
const SHORTEST_NAP: Duration = Duration::from_millis(20);

/// A generation that fetches what is due by itself, until this is dropped.
pub(crate) struct InForce {
    pub(crate) generation: Arc<Generation>,
    background: AbortHandle,
}

impl InForce {
    pub(crate) fn new(generation: Arc<Generation>) -> Self {
        let background = keep_fresh(Arc::downgrade(&generation), generation.supplied.clone());
        Self {
            generation,
            background: tokio::spawn(background).abort_handle(),
        }
    }
}

impl Drop for InForce {
    fn drop(&mut self) {
        self.background.abort();
    }
}

async fn keep_fresh(generation: Weak<Generation>, supplied: Arc<Notify>) {
    let mut plan = Plan::default();
    while let Some(generation) = generation.upgrade() {
        let next = generation
            .pool
            .call(|reader| reader.instance.next_due())
            .await;
        let now_ms = generation.now_ms();
        let nap = plan.nap(next.unwrap_or(None), now_ms);
        if nap.is_zero() {
            // A trap is logged where it happens; the next look tries again.
            let _ = generation.start_due(None).await;
        }
        drop(generation);
        time::sleep(SHORTEST_NAP).await;
        let _ = time::timeout(nap.min(LONGEST_NAP), supplied.notified()).await;
    }
}

/// When to look next: a little after the gate asks for it, and not when all
/// the fleet does.
#[derive(Default)]
struct Plan {
    due_ms: Option<u64>,
    jitter: Duration,
}

impl Plan {
    /// How long until something is due, jitter included.
    fn nap(&mut self, due_ms: Option<u64>, now_ms: u64) -> Duration {
        let Some(at_ms) = due_ms else {
            return LONGEST_NAP;
        };
        let left = Duration::from_millis(at_ms.saturating_sub(now_ms));
        if self.due_ms != due_ms {
            self.due_ms = due_ms;
            self.jitter = random::up_to((left / 10).min(LONGEST_NAP));
        }
        Duration::from_millis(at_ms)
            .saturating_add(self.jitter)
            .saturating_sub(Duration::from_millis(now_ms))
    }
}

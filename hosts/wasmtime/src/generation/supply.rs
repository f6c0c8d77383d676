//! Documents that were fetched: one instance validates each, the others read the
//! result from the journal.

use std::sync::Arc;

use tokio::task;

use super::Generation;
use crate::{
    document::{Fetch, Outcome, Supplied},
    fetch,
    pool::Lease,
    problem::Trap,
};

/// How many instances may trap in other calls before a document is given up.
const TRAPS: usize = 3;

impl Generation {
    /// Supplies the outcome of a fetch to one instance; the others read it from the
    /// journal before their next call.
    pub(crate) async fn supply(&self, fetch: &Fetch, outcome: Arc<Outcome>, at_ms: u64) {
        let _turn = self.writing.lock().await;
        match self.validate(fetch, &outcome, at_ms).await {
            Ok(Supplied::Accepted(skipped)) => {
                for problem in skipped {
                    fetch::log(fetch, &format!("a part is not used: {problem}"));
                }
            }
            Ok(Supplied::Refused(problem)) => {
                // Another status than 200 is in the log already.
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

    /// Validates a document in several short calls, and adds it to the journal.
    /// Between these calls the instance decides requests with the old document.
    async fn validate(
        &self,
        fetch: &Fetch,
        outcome: &Arc<Outcome>,
        at_ms: u64,
    ) -> Result<Supplied, Trap> {
        for _ in 0..TRAPS {
            // Without a time limit: a busy pool is no failure of the document.
            let mut lease = self.pool.take().await;
            if lease.catch_up().await.is_err() {
                continue;
            }
            let Some(validated) = self.validate_in(lease, fetch, outcome, at_ms).await else {
                continue;
            };
            return validated;
        }
        Err(Trap::new(
            "every instance trapped before it had validated the document",
        ))
    }

    /// `None` where the instance trapped in another call.
    async fn validate_in(
        &self,
        mut lease: Lease,
        fetch: &Fetch,
        outcome: &Arc<Outcome>,
        at_ms: u64,
    ) -> Option<Result<Supplied, Trap>> {
        let (id, source) = (lease.id, fetch.source);
        let mut validated = lease.call(|reader| {
            let supplied = reader.instance.supply(source, &fetch.uri, outcome, at_ms)?;
            reader.write(&self.pool.journal, fetch, outcome, at_ms, &supplied);
            Ok(supplied)
        });
        for call in 1.. {
            let Ok(Supplied::Unfinished) = validated else {
                break;
            };
            drop(lease);
            task::yield_now().await;
            lease = self.pool.take_again(id).await?;
            validated = lease.call(|reader| {
                let supplied = reader.instance.resume(source, outcome.part(call), at_ms)?;
                reader.write(&self.pool.journal, fetch, outcome, at_ms, &supplied);
                Ok(supplied)
            });
        }
        Some(validated)
    }
}

//! Documents that were fetched: one instance validates each, the others read the
//! result from the journal.

use std::sync::Arc;

use tokio::task;

use super::Generation;
use crate::{
    document::{Fetch, Outcome, Supplied},
    fetch,
    pool::Place,
    problem::Trap,
};

/// Instances that may die, of something else, while they judge a document.
const DEATHS: usize = 3;

impl Generation {
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
}

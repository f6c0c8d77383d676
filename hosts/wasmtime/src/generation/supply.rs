//! Documents that were fetched: one instance validates each, the others read the
//! result from the journal.

use std::sync::{Arc, atomic::Ordering};

use tokio::task;

use super::Generation;
use crate::{
    document::{Fetch, Outcome, Supplied},
    event::{DocumentEvent, DocumentOutcome},
    fetch::{self, Failure, Fetched, Reason},
    journal::Entry,
    pool::{Lease, Reader},
    problem::{Problem, Trap},
};

/// How many instances may trap in other calls before a document is given up.
const TRAPS: usize = 3;

impl Generation {
    /// Supplies the outcome of a fetch to one instance; the others read it from the
    /// journal before their next call. The hooks are told.
    pub(crate) async fn supply(self: &Arc<Self>, fetch: &Fetch, fetched: Fetched, at_ms: u64) {
        self.supply_one(fetch, fetched, at_ms, true).await;
    }

    /// Supplies what another policy had. It was not fetched, so nobody is told.
    pub(super) async fn take_over(self: &Arc<Self>, fetch: &Fetch, known: &Entry) {
        let known_again = Fetched {
            outcome: known.outcome.clone(),
            failure: None,
        };
        self.supply_one(fetch, known_again, known.at_ms, false)
            .await;
    }

    async fn supply_one(
        self: &Arc<Self>,
        fetch: &Fetch,
        fetched: Fetched,
        at_ms: u64,
        is_told: bool,
    ) {
        let _turn = self.writing.lock().await;
        let Fetched { outcome, failure } = fetched;
        let supplied = self.validate(fetch, &outcome, at_ms).await;
        match &supplied {
            Ok(Supplied::Accepted(accepted)) => {
                for problem in &accepted.skipped {
                    fetch::log(fetch, &format!("a part is not used: {problem}"));
                }
            }
            Ok(Supplied::Refused(problem)) => {
                // What did not come is in the log already.
                if failure.is_none() {
                    fetch::log(fetch, &problem.to_string());
                }
            }
            Ok(Supplied::Outdated | Supplied::Unfinished) => {}
            Err(_) => {
                self.pool.journal.fail(fetch, at_ms);
            }
        }
        if is_told {
            self.tell(fetch, &supplied, failure).await;
        }
        self.pool.spread();
        self.supplied.notify_one();
    }

    /// Tells the hooks, if there are any.
    async fn tell(
        self: &Arc<Self>,
        fetch: &Fetch,
        supplied: &Result<Supplied, Trap>,
        failure: Option<Failure>,
    ) {
        if !self.settings.hooks.want_documents() {
            return;
        }
        let (mut used, mut skipped) = (None, None);
        let (outcome, reason, detail) = match (supplied, failure) {
            (Ok(Supplied::Outdated | Supplied::Unfinished), _) => return,
            (Ok(Supplied::Accepted(accepted)), _) => {
                used = Some(accepted.used);
                skipped = accepted.skipped.len().try_into().ok();
                (DocumentOutcome::Accepted, None, None)
            }
            (_, Some(failure)) => {
                let status = failure.status.map(|status| status.to_string());
                (DocumentOutcome::Failed, Some(failure.reason), status)
            }
            (Ok(Supplied::Refused(Problem { code, pointer, .. })), None) => {
                let detail = match pointer.as_str() {
                    "" => code.clone(),
                    pointer => format!("{code} {pointer}"),
                };
                (
                    DocumentOutcome::Refused,
                    Some(Reason::Refused),
                    Some(detail),
                )
            }
            (Err(_), None) => {
                let detail = "internal_error".to_owned();
                (
                    DocumentOutcome::Refused,
                    Some(Reason::Refused),
                    Some(detail),
                )
            }
        };
        let status = self.status().await.unwrap_or_default();
        let in_force = usize::try_from(fetch.source).ok();
        let in_force = in_force.and_then(|source| status.get(source));
        self.settings.hooks.supplied(&DocumentEvent {
            kind: fetch.kind,
            issuer: fetch.issuer.clone(),
            outcome,
            reason,
            detail,
            age_ms: in_force.and_then(|document| document.age_ms),
            used,
            skipped,
            mode: self.mode,
            policy_digest: self.digest.clone(),
        });
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
            self.take(reader, fetch, outcome, at_ms, &supplied)?;
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
                self.take(reader, fetch, outcome, at_ms, &supplied)?;
                Ok(supplied)
            });
        }
        Some(validated)
    }

    fn take(
        &self,
        reader: &mut Reader,
        fetch: &Fetch,
        outcome: &Arc<Outcome>,
        at_ms: u64,
        supplied: &Supplied,
    ) -> Result<(), Trap> {
        reader.write(&self.pool.journal, fetch, outcome, at_ms, supplied);
        if matches!(supplied, Supplied::Accepted(_)) && !self.is_ready() {
            let is_ready = reader.instance.ready()?;
            self.is_ready.store(is_ready, Ordering::Relaxed);
        }
        Ok(())
    }
}

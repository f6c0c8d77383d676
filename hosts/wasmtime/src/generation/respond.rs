//! Requests that a decision needs: the response goes to the instance that asked.

use std::{future::Future, sync::Arc};

use super::Generation;
use crate::{
    document::Outcome,
    fetch,
    flights::{Asked, Flight, Landing, Learned},
    need::Outgoing,
    proofs::{Proof, Proofs},
};

impl Generation {
    /// Sends a request of the instance `by`, or joins one that is under way.
    pub(super) fn send(self: &Arc<Self>, request: &Outgoing, by: u64) -> Option<Flight> {
        let request = request.clone();
        self.serve(by, request.ticket, |generation| async move {
            let fetcher = generation.settings.fetcher.clone();
            let send = || fetch::send(fetcher, &request);
            let outcome = generation.exchanges.outcome(&request, send).await;
            generation.respond(&request, by, &outcome).await;
            Learned::Response(outcome)
        })
    }

    /// Records the use of a proof in a store that several processes share. The table
    /// of this process has answered already.
    pub(super) fn record(self: &Arc<Self>, proof: &Proof, by: u64) -> Option<Flight> {
        let Proofs::Store(store) = self.settings.proofs.clone() else {
            return None;
        };
        let proof = proof.clone();
        self.serve(by, proof.ticket, |generation| async move {
            let first = store.first_use(&proof).await;
            if let Some(mut lease) = generation.pool.take_again(by).await {
                // A trap is logged where it happens.
                let _ = lease.call(|reader| reader.instance.proven(proof.ticket, first));
            }
            Learned::Proof(first)
        })
    }

    /// Starts what a question of the instance `by` needs, or joins it.
    fn serve<F: Future<Output = Learned> + Send + 'static>(
        self: &Arc<Self>,
        by: u64,
        ticket: u64,
        work: impl FnOnce(Arc<Self>) -> F,
    ) -> Option<Flight> {
        let start = |landing: Landing<_>| {
            let work = work(self.clone());
            tokio::spawn(async move {
                landing.tell(work.await);
                drop(landing);
            });
        };
        self.asked.join(Asked { by, ticket }, || false, start)
    }

    /// Without the instance or the time there is no response: the next check asks
    /// again.
    async fn respond(&self, request: &Outgoing, by: u64, outcome: &Outcome) {
        let Some(mut lease) = self.pool.take_again(by).await else {
            return;
        };
        let Ok(now_ms) = self.now_ms() else {
            return;
        };
        let ticket = request.ticket;
        // A trap is logged where it happens.
        let refused = lease.call(|reader| reader.instance.respond(ticket, outcome, now_ms));
        if let Ok(Some(problem)) = refused {
            fetch::log_request(request, &problem.to_string());
        }
    }
}

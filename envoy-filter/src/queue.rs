//! Requests that wait for documents, in the order in which they came.

use countersign::{Code, Denial, Fetch, FetchKind};

use crate::answer;

/// When somebody may come back who has waited in vain.
const RETRY_AFTER_S: u32 = 5;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) request: u32,
    /// The documents of which each could end its waiting.
    pub(crate) sources: Vec<u32>,
    /// Whether all of them are revocation documents.
    pub(crate) for_revocations: bool,
    pub(crate) until_ms: u64,
}

impl Waiting {
    pub(crate) fn for_documents(request: u32, fetches: &[Fetch], until_ms: u64) -> Self {
        Self {
            request,
            sources: fetches.iter().map(|fetch| fetch.source).collect(),
            for_revocations: fetches.iter().all(|f| f.kind == FetchKind::Revocations),
            until_ms,
        }
    }

    /// The answer where the documents did not come in time.
    pub(crate) fn given_up(&self) -> Denial {
        let code = if self.for_revocations {
            Code::RevocationsUnavailable
        } else {
            Code::KeysUnavailable
        };
        answer::unavailable(code, RETRY_AFTER_S)
    }
}

/// All of a plugin, in this worker.
#[derive(Debug, Default)]
pub(crate) struct Queue(Vec<Waiting>);

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, waiting: Waiting) {
        self.0.push(waiting);
    }

    /// The client has left.
    pub(crate) fn forget(&mut self, request: u32) {
        self.0.retain(|waiting| waiting.request != request);
    }

    /// Those whose waiting these documents may end, and all that have waited
    /// for long enough.
    pub(crate) fn take(&mut self, landed: &[u32], now_ms: u64) -> Vec<Waiting> {
        self.0
            .extract_if(.., |waiting| {
                waiting.until_ms <= now_ms || waiting.sources.iter().any(|s| landed.contains(s))
            })
            .collect()
    }

    /// Puts back those that wait on, before all that came after them.
    pub(crate) fn put_back(&mut self, mut waiting: Vec<Waiting>) {
        waiting.append(&mut self.0);
        // Stable; who came first also waits until earlier.
        waiting.sort_by_key(|waiting| waiting.until_ms);
        self.0 = waiting;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(waiting: &[(u32, u32, u64)]) -> Queue {
        Queue(
            waiting
                .iter()
                .map(|&(request, source, until_ms)| Waiting {
                    request,
                    sources: vec![source],
                    for_revocations: false,
                    until_ms,
                })
                .collect(),
        )
    }

    fn requests(waiting: &[Waiting]) -> Vec<u32> {
        waiting.iter().map(|waiting| waiting.request).collect()
    }

    #[test]
    fn a_document_ends_the_waiting_of_those_who_wait_for_it() {
        let mut queue = queue(&[(1, 7, 10), (2, 8, 11), (3, 7, 12)]);
        assert_eq!(requests(&queue.take(&[7], 0)), [1, 3]);
        assert_eq!(requests(&queue.0), [2]);
    }

    #[test]
    fn nobody_waits_for_longer_than_they_may() {
        let mut queue = queue(&[(1, 7, 10), (2, 8, 11), (3, 7, 12)]);
        assert_eq!(requests(&queue.take(&[], 11)), [1, 2]);
    }

    #[test]
    fn who_has_to_wait_on_keeps_their_place() {
        let mut queue = queue(&[(1, 7, 10), (2, 8, 11), (3, 7, 12)]);
        let taken = queue.take(&[7], 0);
        queue.put_back(taken);
        assert_eq!(requests(&queue.0), [1, 2, 3]);
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let mut queue = queue(&[(1, 7, 10), (2, 7, 11)]);
        queue.forget(1);
        assert_eq!(requests(&queue.take(&[7], 0)), [2]);
        assert!(queue.is_empty());
    }
}

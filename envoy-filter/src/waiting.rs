//! A request that waits for documents.

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

    /// Whether these documents may end the waiting, or it has been long enough.
    pub(crate) fn is_over(&self, landed: &[u32], now_ms: u64) -> bool {
        self.until_ms <= now_ms || self.sources.iter().any(|s| landed.contains(s))
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

#[cfg(test)]
mod tests {
    use super::*;

    const WAITING: Waiting = Waiting {
        request: 1,
        sources: Vec::new(),
        for_revocations: false,
        until_ms: 10,
    };

    #[test]
    fn a_document_ends_the_waiting_of_those_who_wait_for_it() {
        let sources = vec![7, 8];
        let waiting = Waiting { sources, ..WAITING };
        assert!(waiting.is_over(&[1, 8], 0));
        assert!(!waiting.is_over(&[9], 0) && !waiting.is_over(&[], 0));
    }

    #[test]
    fn nobody_waits_for_longer_than_they_may() {
        assert!(!WAITING.is_over(&[], 9) && WAITING.is_over(&[], 10));
    }

    #[test]
    fn who_waited_in_vain_is_told_for_what() {
        assert_eq!(WAITING.given_up().code, Code::KeysUnavailable);
        let for_revocations = true;
        let waiting = Waiting {
            for_revocations,
            ..WAITING
        };
        assert_eq!(waiting.given_up().code, Code::RevocationsUnavailable);
    }
}

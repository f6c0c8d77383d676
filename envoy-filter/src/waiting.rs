//! A request that waits for documents.

use std::sync::Arc;

use countersign::{Code, Denial, Fetch, FetchKind};

use crate::answer;

/// When somebody may come back who has waited in vain.
const RETRY_AFTER_S: u32 = 5;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) request: u32,
    /// In whose room it is.
    pub(crate) issuer: Arc<str>,
    /// The documents of which each could end its waiting.
    pub(crate) sources: Vec<u32>,
    /// Whether all of them are revocation documents.
    pub(crate) for_revocations: bool,
    /// By the plugin's [`Uptime`](crate::uptime::Uptime).
    pub(crate) until_ms: u64,
    /// There is news of one of its documents.
    pub(crate) called: bool,
}

impl Waiting {
    pub(crate) fn for_documents(request: u32, fetches: &[Fetch], until_ms: u64) -> Self {
        Self {
            request,
            issuer: fetches
                .first()
                .map(|f| Arc::clone(&f.issuer))
                .unwrap_or_default(),
            sources: fetches.iter().map(|fetch| fetch.source).collect(),
            for_revocations: fetches.iter().all(|f| f.kind == FetchKind::Revocations),
            until_ms,
            called: false,
        }
    }

    /// Whether one of these documents may end the waiting.
    pub(crate) fn is_for(&self, landed: &[u32]) -> bool {
        self.sources.iter().any(|source| landed.contains(source))
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

    fn waiting(for_revocations: bool) -> Waiting {
        Waiting {
            request: 1,
            issuer: "a".into(),
            sources: vec![7, 8],
            for_revocations,
            until_ms: 10,
            called: false,
        }
    }

    #[test]
    fn a_document_ends_the_waiting_of_those_who_wait_for_it() {
        let waiting = waiting(false);
        assert!(waiting.is_for(&[1, 8]));
        assert!(!waiting.is_for(&[9]) && !waiting.is_for(&[]));
    }

    #[test]
    fn who_waited_in_vain_is_told_for_what() {
        assert_eq!(waiting(false).given_up().code, Code::KeysUnavailable);
        assert_eq!(waiting(true).given_up().code, Code::RevocationsUnavailable);
    }
}

//! A request that waits for documents.

use std::sync::Arc;

use countersign::{Code, Denial, Fetch, FetchKind};

use crate::answer;

/// `Retry-After` of a request whose waiting time ended.
const RETRY_AFTER_S: u32 = 5;

/// A waiting request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) request: u32,
    /// The issuer in whose room it waits.
    pub(crate) issuer: Arc<str>,
    /// The documents it waits for. Each of them could end the wait.
    pub(crate) sources: Vec<u32>,
    /// Whether all of them are revocation documents.
    pub(crate) for_revocations: bool,
    /// The end of its waiting time, in the plugin's
    /// [`Uptime`](crate::uptime::Uptime).
    pub(crate) until_ms: u64,
    /// Whether one of its documents has a new result.
    pub(crate) marked: bool,
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
            marked: false,
        }
    }

    /// Returns whether one of these documents could end the wait.
    pub(crate) fn is_for(&self, updated: &[u32]) -> bool {
        self.sources.iter().any(|source| updated.contains(source))
    }

    /// Returns the denial of a request whose documents did not arrive in time.
    pub(crate) fn timeout_denial(&self) -> Denial {
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
            marked: false,
        }
    }

    #[test]
    fn a_document_ends_the_wait_of_requests_that_need_it() {
        let waiting = waiting(false);
        assert!(waiting.is_for(&[1, 8]));
        assert!(!waiting.is_for(&[9]) && !waiting.is_for(&[]));
    }

    #[test]
    fn a_timeout_names_the_missing_document() {
        assert_eq!(waiting(false).timeout_denial().code, Code::KeysUnavailable);
        assert_eq!(
            waiting(true).timeout_denial().code,
            Code::RevocationsUnavailable
        );
    }
}

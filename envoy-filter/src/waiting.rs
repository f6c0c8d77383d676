//! A request that waits for documents, or for responses to other requests.

use std::sync::Arc;

use countersign::{Code, Denial, Fetch, FetchKind, Outgoing};

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
    /// The requests it waits for.
    pub(crate) tickets: Vec<u64>,
    /// The code of its denial, if they do not arrive in time.
    pub(crate) missing: Code,
    /// The end of its waiting time, in the plugin's
    /// [`Uptime`](crate::uptime::Uptime).
    pub(crate) until_ms: u64,
    /// Whether one of its documents has a new result.
    pub(crate) marked: bool,
}

impl Waiting {
    pub(crate) fn new(request: u32, needs: &Needs, until_ms: u64) -> Self {
        let first = needs.fetches.first().map(|fetch| &fetch.issuer);
        let first = first.or_else(|| needs.requests.first().map(|request| &request.issuer));
        Self {
            request,
            issuer: first.map(Arc::clone).unwrap_or_default(),
            sources: needs.fetches.iter().map(|fetch| fetch.source).collect(),
            tickets: needs.requests.iter().map(|asked| asked.ticket).collect(),
            missing: needs.missing(),
            until_ms,
            marked: false,
        }
    }

    /// Returns whether one of these documents or requests could end the wait.
    pub(crate) fn is_for(&self, updated: &[u32], ended: &[u64]) -> bool {
        self.sources.iter().any(|source| updated.contains(source))
            || self.tickets.iter().any(|ticket| ended.contains(ticket))
    }

    /// Returns the denial of a request whose documents did not arrive in time.
    pub(crate) fn timeout_denial(&self) -> Denial {
        answer::unavailable(self.missing, RETRY_AFTER_S)
    }
}

/// What a request waits for.
#[derive(Default)]
pub(crate) struct Needs {
    pub(crate) fetches: Vec<Fetch>,
    pub(crate) requests: Vec<Outgoing>,
}

impl Needs {
    pub(crate) fn clear(&mut self) {
        self.fetches.clear();
        self.requests.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fetches.is_empty() && self.requests.is_empty()
    }

    /// Returns the code of what is missing. The keys come first.
    fn missing(&self) -> Code {
        let mut missing = Code::IntrospectionUnavailable;
        for fetch in &self.fetches {
            missing = match fetch.kind {
                FetchKind::Discovery | FetchKind::Jwks => return Code::KeysUnavailable,
                FetchKind::Revocations => Code::RevocationsUnavailable,
                FetchKind::ApiKeys => Code::ApiKeysUnavailable,
            };
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(kinds: &[FetchKind]) -> Waiting {
        let fetch = |(source, kind): (u32, &FetchKind)| Fetch {
            source,
            issuer: "a".into(),
            kind: *kind,
            uri: "https://a.test/".into(),
            headers: Arc::default(),
            timeout_ms: 1,
            max_bytes: 1,
        };
        let requests = vec![Outgoing {
            ticket: 5,
            issuer: "a".into(),
            method: "POST",
            uri: "https://a.test/".into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: 1,
            max_bytes: 1,
        }];
        let needs = Needs {
            fetches: (7..).zip(kinds).map(fetch).collect(),
            requests,
        };
        Waiting::new(1, &needs, 10)
    }

    #[test]
    fn a_document_ends_the_wait_of_requests_that_need_it() {
        let waiting = waiting(&[FetchKind::Jwks, FetchKind::Jwks]);
        assert!(waiting.is_for(&[1, 8], &[]));
        assert!(waiting.is_for(&[], &[5]));
        assert!(!waiting.is_for(&[9], &[7]) && !waiting.is_for(&[], &[]));
    }

    #[test]
    fn a_timeout_names_the_missing_document() {
        let code = |kinds: &[FetchKind]| waiting(kinds).timeout_denial().code;
        use FetchKind::{ApiKeys, Jwks, Revocations};
        assert_eq!(code(&[Revocations, Jwks]), Code::KeysUnavailable);
        assert_eq!(code(&[Revocations]), Code::RevocationsUnavailable);
        assert_eq!(code(&[ApiKeys]), Code::ApiKeysUnavailable);
        assert_eq!(code(&[]), Code::IntrospectionUnavailable);
    }
}

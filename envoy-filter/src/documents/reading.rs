//! What came goes to the gate, and then to the other workers.

use std::sync::Arc;

use countersign::{FetchKind, Supplied};

use super::{Documents, NEWS, Parts, index};
use crate::{
    document::{Origin, Step},
    host::shared,
    pace::Pace,
};

impl Documents {
    /// Goes on with what came or is taken, for as long as there is time: whether
    /// there is news.
    pub(super) fn read_on(
        &mut self,
        parts: &mut Parts<'_>,
        source: u32,
        pace: &mut Pace,
        now_ms: u64,
    ) -> bool {
        while let Some(document) = self.known(source)
            && let Some(reading) = document.reading.take()
        {
            match document.step(parts.gate, reading, now_ms) {
                Step::Given(supplied, origin) => {
                    return self.given(parts, source, supplied, origin, now_ms);
                }
                Step::More(reading) => document.reading = Some(reading),
                // A newer one is there, or somebody fetches it when it is due.
                Step::Lost => return false,
            }
            if !pace.has_time() {
                self.unread.push_back(source);
                return false;
            }
        }
        false
    }

    /// The gate has answered to what it was given; the other workers are told
    /// what this one fetched. Whether there is news.
    pub(super) fn given(
        &mut self,
        parts: &mut Parts<'_>,
        source: u32,
        supplied: Supplied,
        origin: Origin,
        now_ms: u64,
    ) -> bool {
        if let (Supplied::Accepted { .. }, Origin::Fetched(_)) = (&supplied, &origin) {
            self.lease_what_follows(parts, source, now_ms);
        }
        let Some(known) = self.known.get_mut(index(source)) else {
            return false;
        };
        known.queued = false;
        let Some(document) = known.document.as_mut() else {
            return false;
        };
        match (supplied, origin) {
            (_, Origin::Shared(_)) => {
                self.landed.push(source);
                return true;
            }
            (Supplied::Accepted { skipped }, Origin::Fetched(fetched)) => {
                for part in &skipped {
                    document.log(&["a part is not used: ", &part.message].concat());
                }
                if document.fetch.kind == FetchKind::Jwks && fetched.has_no_keys {
                    document.log("there is no key in it: no token is good");
                    parts.metrics.fetches_empty.add();
                }
                document.accepted(fetched, now_ms);
                parts.metrics.fetches_ok.add();
            }
            (Supplied::Outdated, origin) => document.released(&origin),
            (supplied, origin) => {
                if let (Supplied::Refused(problem), Origin::Fetched(_)) = (&supplied, &origin) {
                    document.log(&problem.message);
                }
                document.failed(&origin, now_ms);
                parts.metrics.fetches_failed.add();
            }
        }
        shared::set(NEWS, b"");
        self.landed.push(source);
        true
    }

    /// What a document has made due: the lease of what discovery has named is
    /// this worker's before the others read of it.
    fn lease_what_follows(&mut self, parts: &mut Parts<'_>, source: u32, now_ms: u64) {
        let document = self.known(source);
        let issuer = document.map(|document| Arc::clone(&document.fetch.issuer));
        for fetch in parts.gate.due(now_ms) {
            if issuer.as_ref() == Some(&fetch.issuer) {
                self.want(parts, fetch, now_ms);
            } else {
                self.put_off(fetch);
            }
        }
    }
}

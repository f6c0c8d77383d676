//! Passes documents to the gate, and then to the other workers.

use std::sync::Arc;

use countersign::{FetchKind, Supplied};

use super::{CHANGES, Documents, Parts, index};
use crate::{
    document::{Origin, Step},
    host::shared,
    pace::Budget,
};

impl Documents {
    /// Continues to read a document while there is time. Returns whether there
    /// is a new result.
    pub(super) fn continue_reading(
        &mut self,
        parts: &mut Parts<'_>,
        source: u32,
        budget: &mut Budget,
        now_ms: u64,
    ) -> bool {
        while let Some(document) = self.known(source)
            && let Some(reading) = document.reading.take()
        {
            match document.step(parts.gate, reading, now_ms) {
                Step::Processed(supplied, origin) => {
                    return self.finish(parts, source, supplied, origin, now_ms);
                }
                Step::More(reading) => document.reading = Some(reading),
                // There is a newer copy, or a worker fetches the document when it is due.
                Step::Lost => return false,
            }
            if !budget.has_time() {
                self.unread.push_back(source);
                return false;
            }
        }
        false
    }

    /// Handles the result of a supplied document and publishes what this worker
    /// fetched. Returns whether there is a new result.
    pub(super) fn finish(
        &mut self,
        parts: &mut Parts<'_>,
        source: u32,
        supplied: Supplied,
        origin: Origin,
        now_ms: u64,
    ) -> bool {
        if let (Supplied::Accepted { .. }, Origin::Fetched(_)) = (&supplied, &origin) {
            self.lease_dependents(parts, source, now_ms);
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
                self.updated.push(source);
                return true;
            }
            (Supplied::Accepted { skipped, .. }, Origin::Fetched(fetched)) => {
                for part in &skipped {
                    document.log(&["a part is not used: ", &part.message].concat());
                }
                if document.fetch.kind == FetchKind::Jwks && fetched.has_no_keys {
                    document.log("the set has no keys: no token of this issuer is valid");
                    parts.fetches.empty.add();
                }
                document.accepted(fetched, now_ms);
                parts.fetches.ok.add();
            }
            (Supplied::Outdated, origin) => document.released(&origin),
            (supplied, origin) => {
                if let (Supplied::Refused(problem), Origin::Fetched(_)) = (&supplied, &origin) {
                    document.log(&problem.message);
                }
                document.failed(&origin, now_ms);
                parts.fetches.failed.add();
            }
        }
        shared::set(CHANGES, b"");
        self.updated.push(source);
        true
    }

    /// Fetches the documents that became due. This worker takes the lease of
    /// the keys that discovery names before it publishes the metadata.
    fn lease_dependents(&mut self, parts: &mut Parts<'_>, source: u32, now_ms: u64) {
        let document = self.known(source);
        let issuer = document.map(|document| Arc::clone(&document.fetch.issuer));
        for fetch in parts.gate.due(now_ms) {
            if issuer.as_ref() == Some(&fetch.issuer) {
                self.want(parts, fetch, now_ms);
            } else {
                self.enqueue(fetch);
            }
        }
    }
}

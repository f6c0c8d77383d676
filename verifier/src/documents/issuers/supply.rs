//! Accepts or refuses supplied documents. After a refusal the old document
//! stays. Large documents are read in slices.

use alloc::{sync::Arc, vec::Vec};

use super::{
    Held, Issuers,
    reading::{Reading, Step, Target, begin, length},
};
use crate::{
    base::Problem,
    documents::{Outcome, Supplied},
    jose::{Accepted, Keyring},
    model::{KeySource, Keys, Kind, Policy},
};

impl Issuers {
    /// Processes the outcome of a fetch from `uri`. A refused document changes
    /// nothing.
    pub(crate) fn supply(
        &mut self,
        policy: &Policy,
        id: u32,
        uri: &str,
        outcome: Outcome<'_>,
        now_ms: u64,
    ) -> Supplied {
        let Some(source) = self.sources.get_mut(id as usize) else {
            return Supplied::Refused(unknown_source());
        };
        let Some(place) = source.documents.iter().position(|d| d.is_at(uri)) else {
            return Supplied::Outdated;
        };
        match begin(outcome, source.kind, &policy.limits) {
            // A newer response replaces the one that is being read.
            Ok(reading) => self.read_slice(policy, id, place, reading, now_ms),
            Err(problem) => self.fail(id, place, problem, now_ms),
        }
    }

    /// Continues to read a document that is not read completely.
    pub(crate) fn resume(
        &mut self,
        policy: &Policy,
        id: u32,
        part: &[u8],
        now_ms: u64,
    ) -> Supplied {
        let Some(source) = self.sources.get_mut(id as usize) else {
            return Supplied::Refused(unknown_source());
        };
        // Only a source of one document reads in slices.
        let document = source.documents.first_mut();
        let Some(mut reading) = document.and_then(|document| document.reading.take()) else {
            let message = "no document is being read";
            return Supplied::Refused(Problem::error("", "not_supplied", message));
        };
        match reading.stage.append(part) {
            Ok(()) => self.read_slice(policy, id, 0, reading, now_ms),
            Err(problem) => self.fail(id, 0, problem, now_ms),
        }
    }

    fn fail(&mut self, id: u32, place: usize, problem: Problem, now_ms: u64) -> Supplied {
        if let Some(source) = self.sources.get_mut(id as usize)
            && let Some(document) = source.documents.get_mut(place)
        {
            document.reading = None;
            document.schedule.fail(now_ms);
            source.forget_lost(now_ms);
        }
        Supplied::Refused(problem)
    }

    /// Reads one slice of the received bytes.
    fn read_slice(
        &mut self,
        policy: &Policy,
        id: u32,
        place: usize,
        Reading { stage, fresh_ms }: Reading,
        now_ms: u64,
    ) -> Supplied {
        let parts = self.sources.get_mut(id as usize).and_then(|source| {
            let issuer = policy.issuers.get(source.issuer)?;
            Some((issuer, self.states.get_mut(source.issuer)?, source))
        });
        let Some((issuer, state, source)) = parts else {
            return Supplied::Refused(unknown_source());
        };
        // Of an issuer without signed tokens.
        let none = KeySource {
            accepted: Accepted::default(),
            keys: Keys::Inline(Keyring::default()),
            stale_ms: 0,
        };
        let keys = issuer.keys.get(source.keys).unwrap_or(&none);
        let Some(document) = source.documents.get_mut(place) else {
            return Supplied::Outdated;
        };
        let target = Target {
            kind: source.kind,
            issuer,
            keys,
            limits: &policy.limits,
            uri: document.uri.as_deref().unwrap_or_default(),
        };
        let step = match stage.step(&target, &document.ring) {
            // Another document of the source could come between two parts.
            Ok(Step::Unfinished(_)) if source.by_kid => Err(length("ends before")),
            step => step,
        };
        // A refresh is due at 80 % of the freshness, so that requests do not
        // wait for it.
        let mut refresh_ms = fresh_ms / 5 * 4;
        let mut keep_ms = fresh_ms.saturating_add(keys.stale_ms);
        let mut reported = Vec::new();
        let mut used = 0;
        let mut moved = None;
        match step {
            Ok(Step::Unfinished(stage)) => {
                document.reading = Some(Reading { stage, fresh_ms });
                return Supplied::Unfinished;
            }
            Err(problem) => return self.fail(id, place, problem, now_ms),
            Ok(Step::Metadata { jwks_uri }) => moved = Some(jwks_uri),
            Ok(Step::Keys(ring, skipped)) => {
                used = ring.len();
                document.ring = ring;
                reported = skipped;
            }
            Ok(Step::Revocations(revoked)) => {
                let configured = issuer.revocations.as_ref();
                used = revoked.len();
                state.revoked = *revoked;
                refresh_ms = configured.map_or(fresh_ms, |r| r.refresh_ms);
                // Without a maximum age, an old list stays in force: it is
                // better than none.
                keep_ms = configured.and_then(|r| r.max_stale_ms).unwrap_or(u64::MAX);
            }
            Ok(Step::ApiKeys(table, skipped)) => {
                used = table.len();
                state.key_table = *table;
                reported = skipped;
                if let Kind::ApiKeys(keys) = &issuer.kind {
                    (refresh_ms, keep_ms) = (keys.refresh_ms, keys.max_stale_ms);
                }
            }
        }
        document.reading = None;
        document.schedule.succeed(now_ms, refresh_ms, keep_ms);
        if source.by_kid {
            document.touch(now_ms);
            source.drop_unused(place);
        }
        if let (Some(uri), Some(Held::Fetched(jwks))) = (moved, state.keys.get(source.keys)) {
            let jwks = *jwks;
            self.set_jwks_uri(jwks, uri);
        }
        Supplied::Accepted {
            used: u32::try_from(used).unwrap_or(u32::MAX),
            skipped: reported,
        }
    }

    /// Sets the address of the keys. At a new address they are due at once, and
    /// a fetch from the old address no longer counts.
    fn set_jwks_uri(&mut self, jwks: u32, uri: Arc<str>) {
        if let Some(source) = self.sources.get_mut(jwks as usize)
            && let Some(document) = source.documents.first_mut()
            && document.uri.as_ref() != Some(&uri)
        {
            document.uri = Some(uri);
            document.reading = None;
            document.schedule.change_address();
        }
    }
}

fn unknown_source() -> Problem {
    Problem::error("", "source_unknown", "no document has this source number")
}

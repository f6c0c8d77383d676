//! Accepts or refuses supplied documents. After a refusal the old document
//! stays. Large documents are read in slices.

use alloc::{sync::Arc, vec::Vec};

use super::{
    Issuers, Source, State,
    reading::{Reading, Step, begin},
};
use crate::{
    base::Problem,
    documents::{Outcome, Supplied},
    model::{Issuer, Keys, Policy},
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
        let Some((source, ..)) = self.source_parts(policy, id) else {
            return Supplied::Refused(unknown_source());
        };
        if source.uri.as_deref() != Some(uri) {
            return Supplied::Outdated;
        }
        // A newer response replaces the one that is being read.
        source.reading = None;
        match begin(outcome, source.kind, &policy.limits) {
            Ok(reading) => {
                source.reading = Some(reading);
                self.read_slice(policy, id, now_ms)
            }
            Err(problem) => {
                source.schedule.fail(now_ms);
                Supplied::Refused(problem)
            }
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
        let Some((source, ..)) = self.source_parts(policy, id) else {
            return Supplied::Refused(unknown_source());
        };
        let Some(reading) = &mut source.reading else {
            let message = "no document is being read";
            return Supplied::Refused(Problem::error("", "not_supplied", message));
        };
        if let Err(problem) = reading.stage.append(part) {
            source.reading = None;
            source.schedule.fail(now_ms);
            return Supplied::Refused(problem);
        }
        self.read_slice(policy, id, now_ms)
    }

    /// Reads one slice of the received bytes.
    fn read_slice(&mut self, policy: &Policy, id: u32, now_ms: u64) -> Supplied {
        let Some((source, state, issuer)) = self.source_parts(policy, id) else {
            return Supplied::Refused(unknown_source());
        };
        let Some(Reading { stage, fresh_ms }) = source.reading.take() else {
            return Supplied::Unfinished;
        };
        match stage.step(state, source.kind, issuer, &policy.limits) {
            Ok(Step::Unfinished(stage)) => {
                source.reading = Some(Reading { stage, fresh_ms });
                Supplied::Unfinished
            }
            Ok(Step::Metadata { jwks_uri }) => {
                let keep_ms = fresh_ms.saturating_add(stale_ms(issuer));
                source
                    .schedule
                    .succeed(now_ms, refresh_ms(fresh_ms), keep_ms);
                self.set_jwks_uri(id, jwks_uri);
                Supplied::Accepted {
                    skipped: Vec::new(),
                }
            }
            Ok(Step::Keys { skipped }) => {
                let keep_ms = fresh_ms.saturating_add(stale_ms(issuer));
                source
                    .schedule
                    .succeed(now_ms, refresh_ms(fresh_ms), keep_ms);
                Supplied::Accepted { skipped }
            }
            Ok(Step::Revocations) => {
                let configured = issuer.revocations.as_ref();
                let refresh_ms = configured.map_or(fresh_ms, |r| r.refresh_ms);
                // Without a maximum age, an old list stays in force: it is
                // better than none.
                let keep_ms = configured.and_then(|r| r.max_stale_ms).unwrap_or(u64::MAX);
                source.schedule.succeed(now_ms, refresh_ms, keep_ms);
                Supplied::Accepted {
                    skipped: Vec::new(),
                }
            }
            Err(problem) => {
                source.schedule.fail(now_ms);
                Supplied::Refused(problem)
            }
        }
    }

    fn source_parts<'i>(
        &'i mut self,
        policy: &'i Policy,
        id: u32,
    ) -> Option<(&'i mut Source, &'i mut State, &'i Issuer)> {
        let source = self.sources.get_mut(id as usize)?;
        let state = self.states.get_mut(source.issuer)?;
        let issuer = policy.issuers.get(source.issuer)?;
        Some((source, state, issuer))
    }

    /// Sets the address of the keys. At a new address they are due at once, and
    /// a fetch from the old address no longer counts.
    fn set_jwks_uri(&mut self, discovery: u32, uri: Arc<str>) {
        let issuer = self
            .sources
            .get(discovery as usize)
            .map(|source| source.issuer);
        let state = issuer.and_then(|issuer| self.states.get(issuer));
        let jwks = state.and_then(|state| state.jwks);
        if let Some(source) = jwks.and_then(|jwks| self.sources.get_mut(jwks as usize))
            && source.uri.as_ref() != Some(&uri)
        {
            source.uri = Some(uri);
            source.reading = None;
            source.schedule.change_address();
        }
    }
}

/// A refresh is due at 80 % of the freshness, so that requests do not wait for
/// it.
fn refresh_ms(fresh_ms: u64) -> u64 {
    fresh_ms / 5 * 4
}

fn unknown_source() -> Problem {
    Problem::error("", "source_unknown", "no document has this source number")
}

fn stale_ms(issuer: &Issuer) -> u64 {
    match issuer.keys {
        Keys::JwksUri { stale_ms, .. } | Keys::Discovery { stale_ms, .. } => stale_ms,
        Keys::Inline(_) => 0,
    }
}

//! Documents that come in: accepted whole, or refused with what was there kept.
//! Large ones are read in slices.

use alloc::{borrow::Cow, boxed::Box, format, sync::Arc, vec::Vec};

use super::{Issuers, Source, State};
use crate::{
    FetchKind, Limits, Outcome, Problem, Supplied,
    document::fresh_for_ms,
    json::Value,
    key::{self, parse_document},
    policy::{Issuer, Keys, Policy},
    revocation, uri,
};

/// A document that is being read.
pub(super) struct Reading {
    parts: Parts,
    /// How long it is fresh.
    fresh_ms: u64,
}

enum Parts {
    Keys(Box<key::Reading>),
    Revocations(Box<revocation::Reading>),
}

impl Issuers {
    /// Takes in how the fetch of a document from `uri` ended. What a refused
    /// document said changes nothing.
    pub(crate) fn supply(
        &mut self,
        policy: &Policy,
        id: u32,
        uri: &str,
        outcome: Outcome<'_>,
        now_ms: u64,
    ) -> Supplied {
        let Some((source, _, issuer)) = self.parts(policy, id) else {
            return Supplied::Refused(unknown_source());
        };
        if source.uri.as_deref() != Some(uri) {
            return Supplied::Outdated;
        }
        // A newer answer takes the place of one that is being read.
        source.reading = None;
        let begun = body(outcome).and_then(|(body, fresh_ms)| {
            let parts = match source.kind {
                FetchKind::Discovery => {
                    let jwks_uri = read_metadata(&body, issuer, &policy.limits)?;
                    return Ok(Begun::Metadata { jwks_uri, fresh_ms });
                }
                FetchKind::Jwks => key::Reading::new(body.into_owned(), &policy.limits)
                    .map(Box::new)
                    .map(Parts::Keys)?,
                FetchKind::Revocations => {
                    revocation::Reading::new(body.into_owned(), &policy.limits)
                        .map(Box::new)
                        .map(Parts::Revocations)?
                }
            };
            Ok(Begun::Reading(Reading { parts, fresh_ms }))
        });
        match begun {
            Ok(Begun::Reading(reading)) => {
                source.reading = Some(reading);
                self.resume(policy, id, now_ms)
            }
            Ok(Begun::Metadata { jwks_uri, fresh_ms }) => {
                let keep_ms = fresh_ms.saturating_add(stale_ms(issuer));
                source
                    .schedule
                    .succeed(now_ms, refresh_ms(fresh_ms), keep_ms);
                self.name_jwks(id, jwks_uri);
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

    /// Goes on with a document that was not read to its end.
    pub(crate) fn resume(&mut self, policy: &Policy, id: u32, now_ms: u64) -> Supplied {
        let Some((source, state, issuer)) = self.parts(policy, id) else {
            return Supplied::Refused(unknown_source());
        };
        let Some(reading) = &mut source.reading else {
            let message = "no document is being read";
            return Supplied::Refused(Problem::error("", "not_supplied", message));
        };
        let fresh_ms = reading.fresh_ms;
        let ended = match &mut reading.parts {
            Parts::Keys(reading) => {
                let keys = reading.step(&issuer.algorithms, &state.ring);
                keys.map(|keys| {
                    keys.map(|(ring, skipped)| {
                        state.ring = ring;
                        let keep_ms = fresh_ms.saturating_add(stale_ms(issuer));
                        (skipped, refresh_ms(fresh_ms), keep_ms)
                    })
                })
            }
            Parts::Revocations(reading) => reading.step().map(|revoked| {
                revoked.map(|revoked| {
                    state.revoked = revoked;
                    let configured = issuer.revocations.as_ref();
                    let refresh_ms = configured.map_or(fresh_ms, |r| r.refresh_ms);
                    // Else an old list is better than none, for as long as it takes.
                    let keep_ms = configured.and_then(|r| r.max_stale_ms).unwrap_or(u64::MAX);
                    (Vec::new(), refresh_ms, keep_ms)
                })
            }),
        };
        match ended {
            Ok(None) => Supplied::Unfinished,
            Ok(Some((skipped, refresh_ms, keep_ms))) => {
                source.reading = None;
                source.schedule.succeed(now_ms, refresh_ms, keep_ms);
                Supplied::Accepted { skipped }
            }
            Err(problem) => {
                source.reading = None;
                source.schedule.fail(now_ms);
                Supplied::Refused(problem)
            }
        }
    }

    fn parts<'i>(
        &'i mut self,
        policy: &'i Policy,
        id: u32,
    ) -> Option<(&'i mut Source, &'i mut State, &'i Issuer)> {
        let source = self.sources.get_mut(id as usize)?;
        let state = self.states.get_mut(source.issuer)?;
        let issuer = policy.issuers.get(source.issuer)?;
        Some((source, state, issuer))
    }

    /// Discovery says where the keys are: at another place they are due at
    /// once, and what was asked of the old one counts no more.
    fn name_jwks(&mut self, discovery: u32, uri: Arc<str>) {
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
            source.schedule.move_address();
        }
    }
}

/// What an answer begins.
enum Begun {
    Reading(Reading),
    Metadata { jwks_uri: Arc<str>, fresh_ms: u64 },
}

/// Ahead of time, so that a refresh never makes a request wait.
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

/// The body of an answer that supplies a document, and how long it is fresh.
fn body(outcome: Outcome<'_>) -> Result<(Cow<'_, [u8]>, u64), Problem> {
    match outcome {
        Outcome::Response {
            status: 200,
            cache_control,
            body,
        } => Ok((body, fresh_for_ms(cache_control))),
        Outcome::Response { status, .. } => {
            let message = format!("the server answered with status {status}");
            Err(Problem::error("", "document_status", message))
        }
        Outcome::Failed => Err(Problem::error(
            "",
            "document_failed",
            "the document could not be fetched",
        )),
    }
}

/// The `jwks_uri` of OpenID Provider metadata, whose `issuer` must be exactly
/// the configured one (OpenID Connect Discovery 1.0 §4.3).
fn read_metadata(body: &[u8], issuer: &Issuer, limits: &Limits) -> Result<Arc<str>, Problem> {
    let value = parse_document(body, limits)?;
    let member = |name| {
        value
            .as_object()
            .and_then(|o| o.get(name))
            .and_then(Value::as_str)
    };
    if member("issuer") != Some(&*issuer.issuer) {
        let message =
            "the metadata is not of this issuer: its `issuer` must be exactly the configured one";
        return Err(Problem::error("/issuer", "issuer_mismatch", message));
    }
    let insecure_http = matches!(
        issuer.keys,
        Keys::Discovery {
            insecure_http: true,
            ..
        }
    );
    match member("jwks_uri") {
        Some(uri) if uri::fetchable(uri, insecure_http).is_ok() => Ok(Arc::from(uri)),
        _ => {
            let message =
                "the metadata has no `jwks_uri` that may be fetched: an absolute https URL";
            Err(Problem::error("/jwks_uri", "uri_invalid", message))
        }
    }
}

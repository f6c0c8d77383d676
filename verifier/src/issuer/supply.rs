//! Documents that come in: accepted whole, or refused with what was there kept.
//! Large ones are read in slices.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};

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
    stage: Stage,
    /// How long it is fresh.
    fresh_ms: u64,
}

enum Stage {
    Body(Body),
    Keys(Box<key::Reading>),
    Revocations(Box<revocation::Reading>),
}

/// A body that comes in parts.
struct Body {
    bytes: Vec<u8>,
    length: usize,
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
        let Some((source, ..)) = self.parts(policy, id) else {
            return Supplied::Refused(unknown_source());
        };
        if source.uri.as_deref() != Some(uri) {
            return Supplied::Outdated;
        }
        // A newer answer takes the place of one that is being read.
        source.reading = None;
        match begin(outcome, source.kind, &policy.limits) {
            Ok(reading) => {
                source.reading = Some(reading);
                self.go_on(policy, id, now_ms)
            }
            Err(problem) => {
                source.schedule.fail(now_ms);
                Supplied::Refused(problem)
            }
        }
    }

    /// Goes on with a document that was not read to its end.
    pub(crate) fn resume(
        &mut self,
        policy: &Policy,
        id: u32,
        part: &[u8],
        now_ms: u64,
    ) -> Supplied {
        let Some((source, ..)) = self.parts(policy, id) else {
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
        self.go_on(policy, id, now_ms)
    }

    /// Reads one slice of what is there.
    fn go_on(&mut self, policy: &Policy, id: u32, now_ms: u64) -> Supplied {
        let Some((source, state, issuer)) = self.parts(policy, id) else {
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
                self.name_jwks(id, jwks_uri);
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
                // Else an old list is better than none, for as long as it takes.
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

/// What one slice of a document came to. Where it is its end, what it says is
/// in the issuer's state.
enum Step {
    Unfinished(Stage),
    Metadata { jwks_uri: Arc<str> },
    Keys { skipped: Vec<Problem> },
    Revocations,
}

impl Stage {
    /// Takes in the next part of the body.
    fn append(&mut self, part: &[u8]) -> Result<(), Problem> {
        match self {
            Self::Body(body) if !part.is_empty() => body.append(part),
            Self::Body(_) => Err(length("ends before")),
            Self::Keys(_) | Self::Revocations(_) if part.is_empty() => Ok(()),
            Self::Keys(_) | Self::Revocations(_) => Err(length("goes on after")),
        }
    }

    fn step(
        self,
        state: &mut State,
        kind: FetchKind,
        issuer: &Issuer,
        limits: &Limits,
    ) -> Result<Step, Problem> {
        match self {
            Self::Body(body) if body.bytes.len() < body.length => {
                Ok(Step::Unfinished(Self::Body(body)))
            }
            Self::Body(Body { bytes, .. }) => {
                let next = match kind {
                    FetchKind::Discovery => {
                        let jwks_uri = read_metadata(&bytes, issuer, limits)?;
                        return Ok(Step::Metadata { jwks_uri });
                    }
                    FetchKind::Jwks => Self::Keys(Box::new(key::Reading::new(bytes, limits))),
                    FetchKind::Revocations => {
                        Self::Revocations(Box::new(revocation::Reading::new(bytes, limits)))
                    }
                };
                next.step(state, kind, issuer, limits)
            }
            Self::Keys(mut reading) => Ok(match reading.step(&issuer.algorithms, &state.ring)? {
                None => Step::Unfinished(Self::Keys(reading)),
                Some((ring, skipped)) => {
                    state.ring = ring;
                    Step::Keys { skipped }
                }
            }),
            Self::Revocations(mut reading) => Ok(match reading.step()? {
                None => Step::Unfinished(Self::Revocations(reading)),
                Some(revoked) => {
                    state.revoked = revoked;
                    Step::Revocations
                }
            }),
        }
    }
}

impl Body {
    fn append(&mut self, part: &[u8]) -> Result<(), Problem> {
        if part.len() > self.length.saturating_sub(self.bytes.len()) {
            return Err(length("goes on after"));
        }
        self.bytes.extend_from_slice(part);
        Ok(())
    }
}

fn length(fault: &str) -> Problem {
    let message = format!("the body {fault} its length");
    Problem::error("", "document_length", message)
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

/// What an answer begins, after its size. Room for all of a body is made at
/// once, and filled part by part.
fn begin(outcome: Outcome<'_>, kind: FetchKind, limits: &Limits) -> Result<Reading, Problem> {
    match outcome {
        Outcome::Response {
            status: 200,
            cache_control,
            length: bytes,
            body,
        } => {
            let most = match kind {
                FetchKind::Discovery | FetchKind::Jwks => limits.document_bytes,
                FetchKind::Revocations => limits.revocation_bytes,
            };
            if bytes > most {
                let message = format!("the document has more than {most} bytes");
                return Err(Problem::error("", "document_too_large", message));
            }
            if body.len() > bytes {
                return Err(length("goes on after"));
            }
            let mut body = Body {
                bytes: body.into_owned(),
                length: bytes,
            };
            body.bytes
                .reserve_exact(bytes.saturating_sub(body.bytes.len()));
            Ok(Reading {
                stage: Stage::Body(body),
                fresh_ms: fresh_for_ms(cache_control),
            })
        }
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

//! Reads one document: first it receives the body in parts, then it parses it
//! in slices.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};

use crate::{
    base::{Limits, Problem, uri},
    documents::{FetchKind, Outcome, api_keys, fresh_for_ms, revocation},
    jose::{self, Keyring, parse_document},
    json::Value,
    model::{Issuer, KeySource, Keys, Kind},
};

/// A document that is being read.
pub(super) struct Reading {
    pub(super) stage: Stage,
    /// How long the document is fresh.
    pub(super) fresh_ms: u64,
}

pub(super) enum Stage {
    Body(Body),
    Keys(Box<jose::Reading>),
    Revocations(Box<revocation::Reading>),
    ApiKeys(Box<api_keys::Reading>),
}

/// A body that arrives in parts.
pub(super) struct Body {
    bytes: Vec<u8>,
    length: usize,
}

/// What a document is for.
pub(super) struct Target<'p> {
    pub(super) kind: FetchKind,
    pub(super) issuer: &'p Issuer,
    pub(super) keys: &'p KeySource,
    pub(super) limits: &'p Limits,
    pub(super) uri: &'p str,
}

/// The result of one slice.
pub(super) enum Step {
    Unfinished(Stage),
    Metadata { jwks_uri: Arc<str> },
    Keys(Keyring, Vec<Problem>),
    Revocations(Box<revocation::Revoked>),
    ApiKeys(Box<api_keys::KeyTable>, Vec<Problem>),
}

impl Stage {
    /// Adds the next part of the body.
    pub(super) fn append(&mut self, part: &[u8]) -> Result<(), Problem> {
        match self {
            Self::Body(body) if !part.is_empty() => body.append(part),
            Self::Body(_) => Err(length("ends before")),
            _ if part.is_empty() => Ok(()),
            _ => Err(length("goes on after")),
        }
    }

    /// Reads one slice. `old` are the keys that the document had before.
    pub(super) fn step(self, target: &Target<'_>, old: &Keyring) -> Result<Step, Problem> {
        let (accepted, limits) = (&target.keys.accepted, target.limits);
        match self {
            Self::Body(body) if body.bytes.len() < body.length => {
                Ok(Step::Unfinished(Self::Body(body)))
            }
            Self::Body(Body { bytes, .. }) => {
                let next = match (target.kind, &target.keys.keys) {
                    (FetchKind::Discovery, _) => {
                        let jwks_uri = read_metadata(&bytes, target)?;
                        return Ok(Step::Metadata { jwks_uri });
                    }
                    (FetchKind::Jwks, Keys::PemByKid { before, after }) => {
                        let kid = target.uri.strip_prefix(&**before);
                        let kid = kid.and_then(|kid| kid.strip_suffix(&**after));
                        let kid = kid.unwrap_or_default();
                        let ring = Keyring::from_pem(kid, &bytes, accepted, old)?;
                        return Ok(Step::Keys(ring, Vec::new()));
                    }
                    (FetchKind::Jwks, keys) => {
                        let is_map = matches!(keys, Keys::PemMap(_));
                        Self::Keys(Box::new(jose::Reading::new(bytes, limits, is_map)))
                    }
                    (FetchKind::ApiKeys, _) => {
                        Self::ApiKeys(Box::new(api_keys::Reading::new(bytes, limits)))
                    }
                    (FetchKind::Revocations, _) => {
                        Self::Revocations(Box::new(revocation::Reading::new(bytes, limits)))
                    }
                };
                next.step(target, old)
            }
            Self::Keys(mut reading) => Ok(match reading.step(accepted, old)? {
                None => Step::Unfinished(Self::Keys(reading)),
                Some((ring, skipped)) => Step::Keys(ring, skipped),
            }),
            Self::Revocations(mut reading) => Ok(match reading.step()? {
                None => Step::Unfinished(Self::Revocations(reading)),
                Some(revoked) => Step::Revocations(Box::new(revoked)),
            }),
            Self::ApiKeys(mut reading) => {
                let Kind::ApiKeys(keys) = &target.issuer.kind else {
                    return Err(Problem::error("", "source_unknown", "it has no API keys"));
                };
                Ok(match reading.step(keys)? {
                    None => Step::Unfinished(Self::ApiKeys(reading)),
                    Some((table, skipped)) => Step::ApiKeys(Box::new(table), skipped),
                })
            }
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

pub(super) fn length(fault: &str) -> Problem {
    let message = format!("the body {fault} its length");
    Problem::error("", "document_length", message)
}

/// Starts reading a response after it checks the status and the size. It
/// allocates the memory for the whole body at once.
pub(super) fn begin(
    outcome: Outcome<'_>,
    kind: FetchKind,
    limits: &Limits,
) -> Result<Reading, Problem> {
    match outcome {
        Outcome::Response {
            status: 200,
            cache_control,
            length: bytes,
            body,
        } => {
            let max_bytes = match kind {
                FetchKind::Discovery | FetchKind::Jwks => limits.document_bytes,
                FetchKind::Revocations => limits.revocation_bytes,
                FetchKind::ApiKeys => limits.api_keys_bytes,
            };
            if bytes > max_bytes {
                let message = format!("the document has more than {max_bytes} bytes");
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

/// Returns the `jwks_uri` of OpenID Provider metadata. Its `issuer` must equal
/// the configured one exactly (OpenID Connect Discovery 1.0 §4.3).
fn read_metadata(body: &[u8], target: &Target<'_>) -> Result<Arc<str>, Problem> {
    let value = parse_document(body, target.limits)?;
    let member = |name| {
        value
            .as_object()
            .and_then(|o| o.get(name))
            .and_then(Value::as_str)
    };
    if member("issuer") != Some(&*target.issuer.issuer) {
        let message =
            "the metadata is not of this issuer: its `issuer` must be exactly the configured one";
        return Err(Problem::error("/issuer", "issuer_mismatch", message));
    }
    let insecure_http = matches!(
        target.keys.keys,
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

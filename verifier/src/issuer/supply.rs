//! Documents that come in: accepted whole, or refused with what was there kept.

use alloc::{format, sync::Arc, vec::Vec};

use super::Issuers;
use crate::{
    FetchKind, Limits, Outcome, Problem, Supplied,
    document::fresh_for_ms,
    json::Value,
    key::{Keyring, parse_document},
    policy::{Issuer, Keys, Policy},
    revocation::Revoked,
    uri,
};

/// What a document that was accepted says of its own refresh.
struct Accepted {
    skipped: Vec<Problem>,
    jwks_uri: Option<Arc<str>>,
    refresh_ms: u64,
    keep_ms: u64,
}

impl Issuers {
    /// Takes in how a fetch ended. What a refused document said changes
    /// nothing.
    pub(crate) fn supply(
        &mut self,
        policy: &Policy,
        id: u32,
        outcome: Outcome<'_>,
        now_ms: u64,
    ) -> Result<Supplied, Problem> {
        let accepted = self.accept(policy, id, outcome);
        let Some(source) = self.sources.get_mut(id as usize) else {
            return Err(unknown_source());
        };
        match accepted {
            Ok(Accepted {
                skipped,
                jwks_uri,
                refresh_ms,
                keep_ms,
            }) => {
                source.schedule.succeed(now_ms, refresh_ms, keep_ms);
                let jwks = self.states.get(source.issuer).and_then(|state| state.jwks);
                if let (Some(uri), Some(jwks)) = (jwks_uri, jwks) {
                    self.name_jwks(jwks, uri);
                }
                Ok(Supplied { skipped })
            }
            Err(problem) => {
                source.schedule.fail(now_ms);
                Err(problem)
            }
        }
    }

    fn accept(
        &mut self,
        policy: &Policy,
        id: u32,
        outcome: Outcome<'_>,
    ) -> Result<Accepted, Problem> {
        let source = self.sources.get(id as usize).ok_or_else(unknown_source)?;
        let issuer = policy
            .issuers
            .get(source.issuer)
            .ok_or_else(unknown_source)?;
        let state = self
            .states
            .get_mut(source.issuer)
            .ok_or_else(unknown_source)?;
        let (body, cache_control) = body(outcome)?;
        let fresh_ms = fresh_for_ms(cache_control);
        let mut accepted = Accepted {
            skipped: Vec::new(),
            jwks_uri: None,
            // Ahead of time, so that a refresh never makes a request wait.
            refresh_ms: fresh_ms / 5 * 4,
            keep_ms: fresh_ms.saturating_add(stale_ms(issuer)),
        };
        match source.kind {
            FetchKind::Jwks => {
                let (mut ring, skipped) = Keyring::parse(body, &issuer.algorithms, &policy.limits)?;
                ring.adopt(&state.ring);
                state.ring = ring;
                accepted.skipped = skipped;
            }
            FetchKind::Discovery => {
                accepted.jwks_uri = Some(read_metadata(body, issuer, &policy.limits)?);
            }
            FetchKind::Revocations => {
                state.revoked = Revoked::parse(body, &policy.limits)?;
                accepted.refresh_ms = issuer
                    .revocations
                    .as_ref()
                    .map_or(fresh_ms, |r| r.refresh_ms);
                // An old list is better than none, for as long as it takes.
                accepted.keep_ms = u64::MAX;
            }
        }
        Ok(accepted)
    }

    /// Discovery says where the keys are: another place is due at once.
    fn name_jwks(&mut self, jwks: u32, uri: Arc<str>) {
        if let Some(source) = self.sources.get_mut(jwks as usize)
            && source.uri.as_ref() != Some(&uri)
        {
            source.uri = Some(uri);
            source.schedule.hurry();
        }
    }
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

/// The body of an answer that supplies a document, and its `Cache-Control`.
fn body(outcome: Outcome<'_>) -> Result<(&[u8], &str), Problem> {
    match outcome {
        Outcome::Response {
            status: 200,
            cache_control,
            body,
        } => Ok((body, cache_control)),
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

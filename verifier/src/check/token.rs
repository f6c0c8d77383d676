//! The checks of a token, independent of the request: first signature and
//! claims, then the checks of every use.

use alloc::{borrow::Cow, boxed::Box, format, string::String, sync::Arc};

use super::{Admitted, Checks, presented::Held};
use crate::{
    jose::Jws,
    json,
    refusal::{Code, Halt, Refusal, Trace, quoted_or_none},
    token::{HeaderFacts, Verified, admit_age, admit_expiry, admit_start, list},
};

impl Checks<'_> {
    /// Verifies a token, independently of any rule but the places that hold it
    /// and how long it is accepted after its `exp`.
    pub(super) fn verify_token<'t>(
        &self,
        token: Cow<'t, [u8]>,
        held: Option<Held<'_>>,
        accept_expired_ms: i64,
        trace: &mut Trace<'_>,
    ) -> Result<Admitted<'t>, Halt> {
        // A new verification needs usable keys, so a remembered token needs
        // them too.
        let known = self.memory.and_then(|memory| memory.recall(&token));
        let (verified, fresh) = match known {
            // The place is never remembered. It is checked before keys.
            Some(known) if !self.is_good_from(held, known.issuer) => {
                return Err(Code::IssuerUnknown.into());
            }
            Some(known) if self.issuers.has_usable_keys(known.issuer, self.now_ms) => {
                (Arc::clone(known), false)
            }
            _ => (Arc::new(self.verify_signature(&token, held, trace)?), true),
        };
        self.check_current(&verified, accept_expired_ms, trace)?;
        if fresh {
            self.number.set(verified.number.saturating_add(1));
        }
        Ok(Admitted {
            token,
            verified,
            fresh,
        })
    }

    /// Verifies the signature and reads the claims.
    fn verify_signature(
        &self,
        token: &[u8],
        held: Option<Held<'_>>,
        trace: &mut Trace<'_>,
    ) -> Result<Verified, Halt> {
        let limits = &self.policy.limits;
        let jws = trace.record("token", Jws::open(token, limits), || shape(token))?;
        // `iss` is unverified here and only selects the issuer. Faults of the
        // claims are reported after the signature check.
        let (iss, claims) = json::parse_claims(&jws.payload, limits.into());
        let index = iss.as_deref().and_then(|iss| self.issuers.index(iss));
        let routed = index.and_then(|index| Some((index, self.policy.issuers.get(index)?)));
        let is_elsewhere = routed.is_some_and(|(index, _)| !self.is_good_from(held, index));
        let routed = routed.filter(|_| !is_elsewhere);
        let (index, issuer) = trace.record("issuer", routed.ok_or(Code::IssuerUnknown), || {
            let place = match is_elsewhere {
                true => ", whose tokens are not good from this place",
                false => "",
            };
            format!("`iss` {}{place}", quoted_or_none(iss.as_deref()))
        })?;
        let allowed = issuer.algorithms.contains(&jws.algorithm);
        trace.record(
            "algorithm",
            allowed.then_some(()).ok_or(Code::AlgorithmNotAllowed),
            || {
                format!(
                    "`alg` `{}`, issuer `{}`",
                    jws.algorithm.as_str(),
                    issuer.name
                )
            },
        )?;
        let key = self
            .issuers
            .key(index, jws.kid.as_deref(), jws.algorithm, self.now_ms);
        let key = trace.record("key", key, || {
            format!("`kid` {}", quoted_or_none(jws.kid.as_deref()))
        })?;
        let is_valid = key.verify(jws.signing_input, &jws.signature);
        trace.record(
            "signature",
            is_valid.then_some(()).ok_or(Code::SignatureInvalid),
            || format!("{} bytes", jws.signature.len()),
        )?;
        let verified = claims
            .map_err(|_| Refusal::from(Code::ClaimsInvalid))
            .and_then(|claims| {
                let text = core::str::from_utf8(&jws.payload).map_err(|_| Code::ClaimsInvalid)?;
                let header = HeaderFacts {
                    named_key: jws.kid.is_some(),
                    typ: jws.typ.as_deref(),
                };
                Verified::new(
                    self.number.get(),
                    self.policy,
                    index,
                    key,
                    header,
                    claims,
                    Box::from(text),
                )
            });
        trace.record("claims", verified, || {
            format!("{} bytes", jws.payload.len())
        })
    }

    /// Makes the checks of every use: audience, times, type, required claims
    /// and revocation.
    fn check_current(
        &self,
        verified: &Verified,
        accept_expired_ms: i64,
        trace: &mut Trace<'_>,
    ) -> Result<(), Halt> {
        let issuer = self
            .policy
            .issuers
            .get(verified.issuer)
            .ok_or(Code::InternalError)?;
        let now = i64::try_from(self.now_ms).unwrap_or(i64::MAX);
        let leeway = self.policy.leeway_ms;
        let times = &verified.times;
        trace.record("audience", verified.audience.clone(), || {
            format!("`aud` {}", list(&verified.audiences))
        })?;
        trace.record(
            "expiry",
            admit_expiry(
                times.exp,
                issuer.exp_required,
                leeway.saturating_add(accept_expired_ms),
                now,
            ),
            || format!("`exp` {}", relative_time(times.exp, now)),
        )?;
        match times.nbf {
            None => trace.skip("not_before", "it has no `nbf`"),
            Some(_) => {
                let started = admit_start("nbf", times.nbf, leeway, now);
                trace.record("not_before", started, || {
                    format!("`nbf` {}", relative_time(times.nbf, now))
                })?;
            }
        }
        let age =
            admit_start("iat", times.iat, leeway, now).and_then(|()| match issuer.max_age_ms {
                Some(max_age_ms) => admit_age(times, max_age_ms, leeway, now),
                None => Ok(()),
            });
        trace.record("issued_at", age, || {
            format!("`iat` {}", relative_time(times.iat, now))
        })?;
        trace.record("type", verified.token_type.clone(), || {
            match &verified.principal.token_type {
                Some(name) => format!("it is a `{name}`"),
                None if issuer.token_types.is_empty() => "the issuer has no token types".into(),
                None => "it matches none of the issuer's types, or more than one".into(),
            }
        })?;
        trace.record(
            "required_claims",
            verified.required.clone(),
            || match &verified.required {
                Ok(()) => "the requirements of the type and the issuer".into(),
                Err(refusal) => format!("claim {}", quoted_or_none(refusal.claim.as_deref())),
            },
        )?;
        if !self.issuers.has_revocations(verified.issuer) {
            trace.skip("revocation", "the issuer has no revocation document");
            return Ok(());
        }
        let required = issuer.revocations.as_ref().is_some_and(|r| r.required);
        let revocable = verified.revocable();
        let unrevoked =
            self.issuers
                .check_revocation(verified.issuer, required, &revocable, self.now_ms);
        trace.record("revocation", unrevoked, || {
            "the issuer's revocation document".into()
        })
    }
}

fn shape(token: &[u8]) -> String {
    let parts = token.split(|b| *b == b'.').count();
    format!("{} bytes in {parts} parts", token.len())
}

/// Formats a time: `12 s relative_time`, `in 12 s`.
fn relative_time(time: Option<i64>, now: i64) -> String {
    match time {
        None => "none".into(),
        Some(time) if time <= now => format!("{} s ago", now.saturating_sub(time) / 1000),
        Some(time) => format!("in {} s", time.saturating_sub(now) / 1000),
    }
}

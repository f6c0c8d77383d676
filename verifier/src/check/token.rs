//! A token by itself, whoever brings it: from bytes to claims that their issuer
//! signed, then what must hold on every use.

use alloc::{boxed::Box, format, string::String, sync::Arc};

use super::{Admitted, Checks};
use crate::{
    jose::Jws,
    json,
    refusal::{Code, Halt, Refusal, Trace, quoted_or_none},
    token::{HeaderFacts, Verified, admit_age, admit_expiry, admit_start, list},
};

impl Checks<'_> {
    /// A token that is good by itself, whoever asks.
    pub(super) fn good_token<'t>(
        &self,
        token: &'t [u8],
        trace: &mut Trace<'_>,
    ) -> Result<Admitted<'t>, Halt> {
        // A fresh check would ask for the keys first, so a remembered token
        // is not spared when they are too old.
        let known = self.memory.and_then(|memory| memory.recall(token));
        let known = known.filter(|v| self.issuers.has_usable_keys(v.issuer, self.now_ms));
        let (verified, fresh) = match known {
            Some(verified) => (Arc::clone(verified), false),
            None => (Arc::new(self.verify(token, trace)?), true),
        };
        self.check_current(&verified, trace)?;
        Ok(Admitted {
            token,
            verified,
            fresh,
        })
    }

    /// From bytes to claims that their issuer signed.
    fn verify(&self, token: &[u8], trace: &mut Trace<'_>) -> Result<Verified, Halt> {
        let limits = &self.policy.limits;
        let jws = trace.record("token", Jws::open(token, limits), || form(token))?;
        // Read unverified, for routing only; what is wrong with the claims is
        // said after the signature.
        let (iss, claims) = json::parse_claims(&jws.payload, limits.into());
        let index = iss.as_deref().and_then(|iss| self.issuers.index(iss));
        let routed = index.and_then(|index| Some((index, self.policy.issuers.get(index)?)));
        let (index, issuer) = trace.record("issuer", routed.ok_or(Code::IssuerUnknown), || {
            format!("`iss` {}", quoted_or_none(iss.as_deref()))
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
        let genuine = key.verify(jws.signing_input, &jws.signature);
        trace.record(
            "signature",
            genuine.then_some(()).ok_or(Code::SignatureInvalid),
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
                    self.number,
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

    /// What must hold on every use: audience, times, type, required claims,
    /// revocation.
    fn check_current(&self, verified: &Verified, trace: &mut Trace<'_>) -> Result<(), Halt> {
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
            admit_expiry(times.exp, issuer.exp_required, leeway, now),
            || format!("`exp` {}", ago(times.exp, now)),
        )?;
        match times.nbf {
            None => trace.skip("not_before", "it has no `nbf`"),
            Some(_) => {
                let begun = admit_start("nbf", times.nbf, leeway, now);
                trace.record("not_before", begun, || {
                    format!("`nbf` {}", ago(times.nbf, now))
                })?;
            }
        }
        let age =
            admit_start("iat", times.iat, leeway, now).and_then(|()| match issuer.max_age_ms {
                Some(oldest) => admit_age(times, oldest, leeway, now),
                None => Ok(()),
            });
        trace.record("issued_at", age, || {
            format!("`iat` {}", ago(times.iat, now))
        })?;
        trace.record("type", verified.token_type.clone(), || {
            match &verified.principal.token_type {
                Some(name) => format!("it is a `{name}`"),
                None if issuer.token_types.is_empty() => "the issuer has no token types".into(),
                None => "it is none of the issuer's types, or several".into(),
            }
        })?;
        trace.record(
            "required_claims",
            verified.required.clone(),
            || match &verified.required {
                Ok(()) => "what the type and the issuer ask for".into(),
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

fn form(token: &[u8]) -> String {
    let parts = token.split(|b| *b == b'.').count();
    format!("{} bytes in {parts} parts", token.len())
}

/// `12 s ago`, `in 12 s`.
fn ago(time: Option<i64>, now: i64) -> String {
    match time {
        None => "none".into(),
        Some(time) if time <= now => format!("{} s ago", now.saturating_sub(time) / 1000),
        Some(time) => format!("in {} s", time.saturating_sub(now) / 1000),
    }
}

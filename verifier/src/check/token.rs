//! The checks of a token, independent of the request: first signature and
//! claims, then the checks of every use.

use alloc::{borrow::Cow, format, string::String, sync::Arc};

use super::{Admitted, Checks, Proven, presented::Held};
use crate::{
    base::limits,
    jose::{Asked, Jws, Key},
    json,
    model::{Accepts, Kind, key_is_for},
    refusal::{Code, Halt, Refusal, Trace, quoted_or_none},
    token::{
        HeaderFacts, Origin, Question, Verified, admit_age, admit_expiry, admit_start,
        describe_claims, describe_form, list,
    },
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
        let known = match self.explains {
            true => None,
            false => self.memory.recall(&token),
        };
        let mut remembered = false;
        let (verified, fresh) = match known {
            // The place is never remembered. It is checked before keys.
            Some(known) if !self.is_good_from(held, known.issuer) => {
                return Err(Code::IssuerUnknown.into());
            }
            Some(known) if self.is_usable(known) => {
                remembered = true;
                (Arc::clone(known), false)
            }
            _ => match self.by_host(&token, held) {
                Some(verified) => (verified, true),
                None => self.verify(&token, held, trace)?,
            },
        };
        self.seen.token(&verified, remembered);
        self.check_current(&verified, accept_expired_ms, trace)?;
        if fresh {
            let next = verified.number.saturating_add(1);
            self.number.set(self.number.get().max(next));
        }
        Ok(Admitted {
            token,
            verified,
            fresh,
            tenant: None,
            proven: Proven::default(),
        })
    }

    /// Returns whether what vouches for a token is recent enough to use.
    pub(super) fn is_usable(&self, known: &Verified) -> bool {
        match &known.origin {
            Origin::Key { key, .. } => self.issuers.has_usable(known.issuer, key, self.now_ms),
            Origin::ApiKeys => self.issuers.has_api_keys(known.issuer, self.now_ms),
            Origin::Introspection { since_ms, until_ms } => {
                (*since_ms..*until_ms).contains(&self.now_ms)
            }
        }
    }

    /// Verifies a credential by what it is. Returns its content, and whether the
    /// memory takes it from the decision.
    fn verify(
        &self,
        token: &[u8],
        held: Option<Held<'_>>,
        trace: &mut Trace<'_>,
    ) -> Result<(Arc<Verified>, bool), Halt> {
        let Some(index) = self.policy.by_prefix.find(token) else {
            let verified = self.verify_signature(token, held, trace)?;
            return Ok((Arc::new(verified), true));
        };
        let fits = token.len() <= self.policy.limits.token_bytes;
        trace.record(
            "token",
            fits.then_some(()).ok_or(Code::TokenTooLarge),
            || format!("{} bytes", token.len()),
        )?;
        let issuer = self.policy.issuers.get(index).ok_or(Code::InternalError)?;
        let is_good = self.is_good_from(held, index).then_some(());
        trace.record("issuer", is_good.ok_or(Code::IssuerUnknown), || {
            format!("by its form one of issuer `{}`", issuer.name)
        })?;
        self.seen.issuer(index);
        match &issuer.kind {
            Kind::ApiKeys(keys) => {
                let verified = self.verify_api_key(token, index, keys, trace)?;
                Ok((Arc::new(verified), true))
            }
            Kind::Opaque(introspection) => {
                let verified = self.look_up(token, index, introspection, trace)?;
                Ok((verified, false))
            }
            Kind::Signed => Err(Code::InternalError.into()),
        }
    }

    /// Returns the content of a token whose signature the host has verified
    /// since the last check, as if it was remembered.
    fn by_host(&self, token: &[u8], held: Option<Held<'_>>) -> Option<Arc<Verified>> {
        if self.native.is_none() || self.explains {
            return None;
        }
        let known = self.tickets.recall(token, self.now_ms)?;
        let is_current = self.is_good_from(held, known.issuer) && self.is_usable(known);
        is_current.then(|| Arc::clone(known))
    }

    /// Verifies the signature and reads the claims.
    fn verify_signature(
        &self,
        token: &[u8],
        held: Option<Held<'_>>,
        trace: &mut Trace<'_>,
    ) -> Result<Verified, Halt> {
        let bounds = &self.policy.limits;
        let jws = trace.record("token", Jws::open(token, bounds), || {
            describe_form(token, bounds)
        })?;
        // `iss` is unverified here and only selects the issuer. Faults of the
        // claims are reported after the signature check.
        let (iss, claims) = json::parse_claims(&jws.payload, bounds.into());
        // `null` or an unreadable payload is no token without `iss`.
        let is_absent = matches!(&claims, Ok(claims) if claims.get("iss").is_none());
        let index = match iss.as_deref() {
            None if !is_absent => None,
            iss => self.policy.by_iss.find(iss),
        };
        let routed = index.and_then(|index| Some((index, self.policy.issuers.get(index)?)));
        let is_elsewhere = routed.is_some_and(|(index, _)| !self.is_good_from(held, index));
        let routed = routed.filter(|_| !is_elsewhere);
        let (index, issuer) = trace.record("issuer", routed.ok_or(Code::IssuerUnknown), || {
            let mut detail = self.describe_iss(iss.as_deref());
            if is_elsewhere {
                detail.push_str(", whose tokens are not good from this place");
            }
            detail
        })?;
        self.seen.issuer(index);
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
        let serves = |member: &str| match (&issuer.accepts, iss.as_deref()) {
            (Accepts::Template(captures), Some(iss)) => key_is_for(member, captures, iss),
            _ => true,
        };
        let asked = Asked {
            kid: jws.kid.as_deref(),
            algorithm: jws.algorithm,
            serves: matches!(issuer.accepts, Accepts::Template(_)).then_some(&serves),
        };
        let found = self.issuers.candidates(index, issuer, &asked, self.now_ms);
        let without_key = || {
            self.issuers
                .without_key(index, issuer, &asked, &found, self.now_ms)
        };
        let any = (found.fitting > 0).then_some(());
        trace.record("key", any.ok_or_else(without_key), || {
            let mut detail = format!("`kid` {}", quoted_or_none(asked.kid));
            if found.too_many() {
                detail.push_str(match asked.kid {
                    None => "; a fifth key without `kid` is not tried",
                    Some(_) => "; a fifth key of this `kid` is not tried",
                });
            }
            detail
        })?;
        let read = |key: &Arc<Key>| {
            let claims = claims.map_err(|_| Refusal::from(Code::ClaimsInvalid))?;
            let text = core::str::from_utf8(&jws.payload).map_err(|_| Code::ClaimsInvalid)?;
            let header = HeaderFacts {
                origin: Origin::Key {
                    key: Arc::clone(key),
                    named: jws.kid.is_some(),
                },
                typ: jws.typ.as_deref(),
            };
            Verified::new(
                self.number.get(),
                self.policy,
                index,
                header,
                claims,
                Arc::from(text),
            )
        };
        let key = self.verifying(token, &jws, &found);
        let key = key.and_then(|key| key.ok_or_else(without_key));
        let key = trace.record("signature", key, || {
            format!("{} bytes", jws.signature.len())
        });
        if let Err(Halt::Ask) = key {
            self.read_ahead(found.fitting, read);
            return Err(Halt::Ask);
        }
        let key = key?;
        let verified = read(key);
        let failed = verified
            .as_ref()
            .err()
            .and_then(|refusal| refusal.claim.clone());
        trace.record("claims", verified, || {
            let needed = match failed.as_deref() {
                None => "",
                Some("exp" | "nbf" | "iat") => ", a number is needed",
                Some(_) => ", text is needed",
            };
            describe_claims(&jws.payload, bounds, failed.as_deref()) + needed
        })
    }

    /// Reads a token about which the host is asked, so that the next check does
    /// not parse it again.
    fn read_ahead(
        &self,
        fitting: usize,
        read: impl FnOnce(&Arc<Key>) -> Result<Verified, Refusal>,
    ) {
        let Some(Question::Signature(mut question)) = self.question.take() else {
            return;
        };
        if let ([key], 1, false) = (&*question.keys, fitting, self.explains) {
            let verified = read(key).ok();
            question.verified = verified
                .filter(|verified| verified.weight() <= limits::AHEAD_BYTES)
                .map(Arc::new);
        }
        self.question.set(Some(Question::Signature(question)));
    }

    /// Says which `iss` a token has, and that it differs from a known one in a
    /// slash.
    fn describe_iss(&self, iss: Option<&str>) -> String {
        let mut detail = format!("`iss` {}", quoted_or_none(iss));
        if let Some(iss) = iss
            && self.policy.by_iss.find(Some(iss)).is_none()
        {
            let without = iss.strip_suffix('/').unwrap_or(iss);
            let other = [without, "/"].concat();
            if self.policy.by_iss.find(Some(&other)).is_some() {
                detail.push_str("; the configured one ends in a slash");
            } else if self.policy.by_iss.find(Some(without)).is_some() {
                detail.push_str("; the configured one has no slash at its end");
            }
        }
        detail
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
        let leeway = issuer.leeway_ms.unwrap_or(self.policy.leeway_ms);
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
        let age = admit_start("iat", times.iat, leeway, now).and_then(|()| {
            match issuer.max_token_age_ms {
                Some(max_age_ms) => admit_age(times, max_age_ms, leeway, now),
                None => Ok(()),
            }
        });
        trace.record("issued_at", age, || {
            format!("`iat` {}", relative_time(times.iat, now))
        })?;
        trace.record("type", verified.token_type.clone(), || {
            match &verified.principal.token_type {
                Some(name) => format!("it is a `{name}`"),
                None if issuer.token_types.is_empty() => match verified.token_type {
                    Ok(()) => "the issuer has no token types".into(),
                    Err(_) => "its `typ` says that it is no access token".into(),
                },
                None => "it matches none of the issuer's types, or more than one".into(),
            }
        })?;
        trace.record(
            "required_claims",
            verified.required.clone(),
            || match &verified.required {
                Ok(()) => "the requirements of the type and the issuer".into(),
                Err(refusal) => {
                    let claims = verified.principal.claims.as_bytes();
                    describe_claims(claims, &self.policy.limits, refusal.claim.as_deref())
                }
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

/// Formats a time: `12 s relative_time`, `in 12 s`.
fn relative_time(time: Option<i64>, now: i64) -> String {
    match time {
        None => "none".into(),
        Some(time) if time <= now => format!("{} s ago", now.saturating_sub(time) / 1000),
        Some(time) => format!("in {} s", time.saturating_sub(now) / 1000),
    }
}

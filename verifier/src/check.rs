//! The order of checks: it is part of the contract, because the code that a
//! caller sees depends on it.

use alloc::{borrow::Cow, boxed::Box, format, string::String, sync::Arc};

use crate::{
    Code, Jws, Request,
    claims::{HeaderFacts, Verified, list},
    credential,
    explain::{Trace, named, quoted},
    issuer::Issuers,
    json, limits,
    memory::Memory,
    policy::{Access, Policy},
    refusal::{Halt, Refusal},
    requirement::{Requirement, Subject, admit_age},
    router::{self, Router},
    target::{self, Target},
};

/// Everything that a check may look at.
pub(crate) struct Checks<'g> {
    pub(crate) policy: &'g Policy,
    pub(crate) router: &'g Router,
    pub(crate) issuers: &'g Issuers,
    /// `None`: look at every signature again.
    pub(crate) memory: Option<&'g Memory>,
    /// The number of the next token that was not remembered.
    pub(crate) number: u64,
    pub(crate) now_ms: u64,
}

/// What may pass.
pub(crate) enum Pass<'t> {
    /// Without an identity.
    Anonymous,
    Token(Admitted<'t>),
}

/// A good token.
pub(crate) struct Admitted<'t> {
    pub(crate) token: &'t [u8],
    pub(crate) verified: Arc<Verified>,
    /// It was not remembered.
    pub(crate) fresh: bool,
}

impl Checks<'_> {
    /// Path, rule, credential, token, rule's requirement.
    pub(crate) fn request<'r>(
        &self,
        request: &Request<'r>,
        trace: &mut Trace<'_>,
    ) -> Result<Pass<'r>, Halt> {
        // A query may hold a token.
        let path = || {
            quoted(
                request
                    .target
                    .split(|b| *b == b'?')
                    .next()
                    .unwrap_or_default(),
            )
        };
        let (request, host, method, target) = trace.note("path", self.read(request), path)?;
        let request = &request;
        let found = self.router.find(&host, &target, method);
        let rule = found.and_then(|found| {
            let found = found.ok_or(Code::RuleDenied)?;
            let rule = self.policy.rules.get(found.rule);
            let rule = rule.ok_or(Code::InternalError)?;
            let pattern = rule.paths.get(found.pattern);
            Ok((rule, pattern.ok_or(Code::InternalError)?))
        });
        let (rule, pattern) = trace.note("rule", rule, || match found {
            Ok(Some(found)) => format!("/rules/{}", found.rule),
            Ok(None) => "no rule of the policy matches".into(),
            Err(_) => {
                "backends may read this path in another way, to which another rule belongs".into()
            }
        })?;
        let (requirement, optional) = match &rule.access {
            Access::Public => {
                trace.skip("credential", "the rule is public");
                return Ok(Pass::Anonymous);
            }
            Access::Optional(requirement) => (requirement, true),
            Access::Required(requirement) => (requirement, false),
        };
        let presented = credential::present(&self.policy.credentials, request);
        let presented = match presented {
            Ok(None) if optional => {
                trace.skip("credential", "none came, and the rule does not ask for one");
                return Ok(Pass::Anonymous);
            }
            presented => presented.and_then(|p| p.ok_or(Code::TokenMissing.into())),
        };
        let presented = trace.note("credential", presented, || {
            "the places of the policy".into()
        })?;
        let admitted = self.good_token(presented.token, trace)?;
        self.admit_origin(presented.same_origin, request, trace)?;
        let segment = |name: &str| router::captured(pattern, &target, name);
        self.require(requirement, &admitted.verified, &segment, trace)?;
        Ok(Pass::Token(admitted))
    }

    /// The token, then the requirement.
    pub(crate) fn token<'t>(
        &self,
        token: &'t [u8],
        requirement: &Requirement,
        trace: &mut Trace<'_>,
    ) -> Result<Pass<'t>, Halt> {
        if token.is_empty() {
            return Err(Code::TokenMissing.into());
        }
        let admitted = self.good_token(token, trace)?;
        self.require(requirement, &admitted.verified, &|_| None, trace)?;
        Ok(Pass::Token(admitted))
    }

    fn read<'r>(
        &self,
        request: &Request<'r>,
    ) -> Result<(Request<'r>, Cow<'r, str>, &'r str, Target<'r>), Code> {
        if request.headers.len() > limits::FIELDS {
            return Err(Code::RequestAmbiguous);
        }
        let target = Target::parse(request.target)?;
        let authority = target::authority(request)?;
        let set = self.policy.forward.iter().map(|(name, _)| &**name);
        if credential::is_dropped(request, set) {
            return Err(Code::RequestAmbiguous);
        }
        Ok((
            Request {
                authority,
                ..*request
            },
            target::host(authority)?,
            target::method(request.method)?,
            target,
        ))
    }

    fn admit_origin(
        &self,
        by_cookie: bool,
        request: &Request<'_>,
        trace: &mut Trace<'_>,
    ) -> Result<(), Halt> {
        if !by_cookie {
            trace.skip("rule.origin", "no same-origin cookie");
            return Ok(());
        }
        let admitted = credential::is_same_origin(request);
        trace.note(
            "rule.origin",
            admitted.then_some(()).ok_or(Code::OriginDenied),
            || "`sec-fetch-site`, or `origin` and the authority".into(),
        )
    }

    /// A token that is good by itself, whoever asks.
    fn good_token<'t>(&self, token: &'t [u8], trace: &mut Trace<'_>) -> Result<Admitted<'t>, Halt> {
        // A fresh check would ask for the keys first, so a remembered token
        // is not spared when they are too old.
        let known = self.memory.and_then(|memory| memory.recall(token));
        let known = known.filter(|v| self.issuers.has_usable_keys(v.issuer, self.now_ms));
        let (verified, fresh) = match known {
            Some(verified) => (Arc::clone(verified), false),
            None => (Arc::new(self.verify(token, trace)?), true),
        };
        self.stand(&verified, trace)?;
        Ok(Admitted {
            token,
            verified,
            fresh,
        })
    }

    /// From bytes to claims that their issuer signed.
    fn verify(&self, token: &[u8], trace: &mut Trace<'_>) -> Result<Verified, Halt> {
        let limits = &self.policy.limits;
        let jws = trace.note("token", Jws::open(token, limits), || form(token))?;
        // Read unverified, for routing only; what is wrong with the claims is
        // said after the signature.
        let (iss, claims) = json::parse_claims(&jws.payload, limits.json_bounds());
        let index = iss.as_deref().and_then(|iss| self.issuers.index(iss));
        let routed = index.and_then(|index| Some((index, self.policy.issuers.get(index)?)));
        let (index, issuer) = trace.note("issuer", routed.ok_or(Code::IssuerUnknown), || {
            format!("`iss` {}", named(iss.as_deref()))
        })?;
        let allowed = issuer.algorithms.contains(&jws.algorithm);
        trace.note(
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
        let key = trace.note("key", key, || {
            format!("`kid` {}", named(jws.kid.as_deref()))
        })?;
        let genuine = key.verify(jws.signing_input, &jws.signature);
        trace.note(
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
        trace.note("claims", verified, || {
            format!("{} bytes", jws.payload.len())
        })
    }

    /// What must hold on every use: audience, times, type, required claims,
    /// revocation.
    fn stand(&self, verified: &Verified, trace: &mut Trace<'_>) -> Result<(), Halt> {
        let issuer = self
            .policy
            .issuers
            .get(verified.issuer)
            .ok_or(Code::InternalError)?;
        let now = i64::try_from(self.now_ms).unwrap_or(i64::MAX);
        let leeway = self.policy.leeway_ms;
        let times = &verified.times;
        trace.note("audience", verified.audience.clone(), || {
            format!("`aud` {}", list(&verified.audiences))
        })?;
        trace.note(
            "expiry",
            admit_expiry(times.exp, issuer.exp_required, leeway, now),
            || format!("`exp` {}", ago(times.exp, now)),
        )?;
        match times.nbf {
            None => trace.skip("not_before", "it has no `nbf`"),
            Some(_) => {
                let begun = admit_start("nbf", times.nbf, leeway, now);
                trace.note("not_before", begun, || {
                    format!("`nbf` {}", ago(times.nbf, now))
                })?;
            }
        }
        let age =
            admit_start("iat", times.iat, leeway, now).and_then(|()| match issuer.max_age_ms {
                Some(oldest) => admit_age(times, oldest, leeway, now),
                None => Ok(()),
            });
        trace.note("issued_at", age, || {
            format!("`iat` {}", ago(times.iat, now))
        })?;
        trace.note("type", verified.token_type.clone(), || {
            match &verified.principal.token_type {
                Some(name) => format!("it is a `{name}`"),
                None if issuer.token_types.is_empty() => "the issuer has no token types".into(),
                None => "it is none of the issuer's types, or several".into(),
            }
        })?;
        trace.note(
            "required_claims",
            verified.required.clone(),
            || match &verified.required {
                Ok(()) => "what the type and the issuer ask for".into(),
                Err(refusal) => format!("claim {}", named(refusal.claim.as_deref())),
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
                .admit_unrevoked(verified.issuer, required, &revocable, self.now_ms);
        trace.note("revocation", unrevoked, || {
            "the issuer's revocation document".into()
        })
    }

    /// What the rule requires.
    fn require<'s>(
        &self,
        requirement: &Requirement,
        verified: &'s Verified,
        segment: &'s dyn Fn(&str) -> Option<&'s [u8]>,
        trace: &mut Trace<'_>,
    ) -> Result<(), Halt> {
        let issuer = self
            .policy
            .issuers
            .get(verified.issuer)
            .ok_or(Code::InternalError)?;
        let subject = Subject {
            token: verified,
            scope_wildcards: issuer.scope_wildcards,
            segment,
            now_ms: i64::try_from(self.now_ms).unwrap_or(i64::MAX),
            leeway_ms: self.policy.leeway_ms,
        };
        requirement.explain(&subject, trace)
    }
}

/// `exp == now` is expired (RFC 7519 §4.1.4: "on or after").
fn admit_expiry(exp: Option<i64>, required: bool, leeway: i64, now: i64) -> Result<(), Refusal> {
    match exp {
        Some(exp) if now >= exp.saturating_add(leeway) => {
            Err(Refusal::claim(Code::TokenExpired, "exp"))
        }
        None if required => Err(Refusal::claim(Code::ClaimMissing, "exp")),
        _ => Ok(()),
    }
}

/// `nbf` (RFC 7519 §4.1.5), and `iat`: nobody issues in the future.
fn admit_start(claim: &str, time: Option<i64>, leeway: i64, now: i64) -> Result<(), Refusal> {
    match time {
        Some(time) if now.saturating_add(leeway) < time => {
            Err(Refusal::claim(Code::TokenNotYetValid, claim))
        }
        _ => Ok(()),
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

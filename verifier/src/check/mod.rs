//! The order of checks. It is part of the contract, because it determines the
//! code that a caller sees. Uses `base`, `json`, `refusal`, `jose`, `model`,
//! `documents`, `token`, `request` and `decision`.

mod token;

use alloc::{borrow::Cow, boxed::Box, format, string::String, sync::Arc, vec::Vec};
use core::cell::Cell;

use crate::{
    base::limits,
    decision::Subject,
    documents::Issuers,
    model::{Access, Challenge, Context, Policy, RequestValue, Requirement, Rule},
    refusal::{Code, Halt, Trace, quoted},
    request::{
        Request, compared, credential,
        router::{self, Router},
        target::{self, Target},
    },
    token::{Memory, Verified},
};

/// Everything that a check reads.
pub(crate) struct Checks<'g> {
    pub(crate) policy: &'g Policy,
    pub(crate) router: &'g Router,
    pub(crate) issuers: &'g Issuers,
    /// `None` means to verify every signature again.
    pub(crate) memory: Option<&'g Memory>,
    /// The number for a token that is not remembered.
    pub(crate) number: u64,
    pub(crate) now_ms: u64,
}

/// The result of a check that passes.
pub(crate) enum Pass<'t> {
    /// Without a principal.
    Anonymous,
    Token(Admitted<'t>),
    /// The metadata document with this index.
    Metadata(usize),
}

/// An admitted token.
pub(crate) struct Admitted<'t> {
    pub(crate) token: &'t [u8],
    pub(crate) verified: Arc<Verified>,
    /// Whether the token was not remembered.
    pub(crate) fresh: bool,
    /// The index of the tenant that the requirement names, of several.
    pub(crate) tenant: Option<usize>,
}

impl<'g> Checks<'g> {
    /// Checks a request: path, rule, credential, token, and the rule's
    /// requirement.
    pub(crate) fn request<'r>(
        &self,
        request: &Request<'r>,
        trace: &mut Trace<'_>,
    ) -> Result<Pass<'r>, Halt> {
        let mut decisive = None;
        let result = self.request_under(request, &mut decisive, trace);
        result.map_err(
            |halt| match decisive.map(|rule| (&rule.access, &rule.challenge)) {
                Some((Access::Required(wanted) | Access::Optional(wanted), challenge)) => {
                    self.challenged(halt, challenge.as_ref(), wanted)
                }
                _ => halt,
            },
        )
    }

    /// Completes the challenge of a denial.
    fn challenged(
        &self,
        mut halt: Halt,
        challenge: Option<&Challenge>,
        wanted: &Requirement,
    ) -> Halt {
        let challenge = challenge.unwrap_or(&self.policy.challenge);
        if let Halt::Deny(refusal) = &mut halt
            && refusal.has_challenge()
        {
            let mut scopes = String::new();
            if challenge.scope {
                wanted.add_scopes(&mut scopes);
            }
            refusal.challenge_with(scopes, challenge.resource_metadata.as_deref());
        }
        halt
    }

    /// Checks a request, and says which rule decides about it.
    fn request_under<'r>(
        &self,
        request: &Request<'r>,
        decisive: &mut Option<&'g Rule>,
        trace: &mut Trace<'_>,
    ) -> Result<Pass<'r>, Halt> {
        // The trace does not show the query: it can contain a token.
        let path = || {
            quoted(
                request
                    .target
                    .split(|b| *b == b'?')
                    .next()
                    .unwrap_or_default(),
            )
        };
        let (request, host, method, target) =
            trace.record("path", self.read_request(request), path)?;
        let request = &request;
        if matches!(method, "GET" | "HEAD")
            && let Some(index) = self.policy.metadata.find(&host, &target.segments)
        {
            trace.skip("rule", "the gate answers this address itself (RFC 9728)");
            return Ok(Pass::Metadata(index));
        }
        let found = self.router.find(&host, &target, method);
        let has_slash = !target.at_slashes.is_empty();
        let rule = found.and_then(|found| {
            let rule = found.and_then(|found| self.policy.rules.get(found.rule));
            if has_slash && rule.is_none_or(|rule| !rule.keeps_slash) {
                return Err(Code::RequestAmbiguous);
            }
            let found = found.ok_or(Code::RuleDenied)?;
            let rule = rule.ok_or(Code::InternalError)?;
            let pattern = rule.paths.get(found.pattern);
            Ok((rule, pattern.ok_or(Code::InternalError)?))
        });
        let (rule, pattern) = trace.record("rule", rule, || {
            let mut detail = match found {
                Ok(Some(found)) => format!("/rules/{}", found.rule),
                Ok(None) => "no rule of the policy matches".into(),
                Err(_) => "a backend could read this path in another way, which leads to another \
                           rule"
                    .into(),
            };
            if has_slash {
                detail.insert_str(0, "`%2f` in the path: ");
            }
            detail
        })?;
        *decisive = Some(rule);
        let (requirement, optional) = match &rule.access {
            Access::Public => {
                trace.skip("credential", "the rule is public");
                return Ok(Pass::Anonymous);
            }
            Access::Optional(requirement) => (requirement, true),
            Access::Required(requirement) => (requirement, false),
        };
        let compared = compared(request, &rule.compared);
        let compared = match compared {
            Ok(compared) => compared,
            // The step is recorded only if it fails: most rules compare none.
            Err(code) => trace.record("rule.headers", Err(code), || {
                "a header that the rule compares is sent twice, as a list or in another spelling".into()
            })?,
        };
        let presented = credential::find(&self.policy.credentials, request);
        let presented = match presented {
            Ok(None) if optional => {
                trace.skip(
                    "credential",
                    "the request has none, and the rule does not require one",
                );
                return Ok(Pass::Anonymous);
            }
            presented => presented.and_then(|p| p.ok_or(Code::TokenMissing.into())),
        };
        let presented = trace.record("credential", presented, || {
            "the places of the policy".into()
        })?;
        let mut admitted = self.verify_token(presented.token, trace)?;
        self.admit_origin(presented.same_origin, request, trace)?;
        admitted.tenant = self.check_requirement(
            requirement,
            &admitted.verified,
            &|value| match value {
                RequestValue::Segment(name) => router::captured(pattern, &target, name),
                RequestValue::Host => host.as_bytes().split(|b| *b == b'.').next(),
                RequestValue::Header(name) => {
                    let at = rule.compared.iter().position(|known| known == name)?;
                    *compared.get(at)?
                }
            },
            trace,
        )?;
        Ok(Pass::Token(admitted))
    }

    /// Checks a token, then the requirement.
    pub(crate) fn token<'t>(
        &self,
        token: &'t [u8],
        requirement: &Requirement,
        trace: &mut Trace<'_>,
    ) -> Result<Pass<'t>, Halt> {
        let mut check = || {
            if token.is_empty() {
                return Err(Code::TokenMissing.into());
            }
            let mut admitted = self.verify_token(token, trace)?;
            admitted.tenant =
                self.check_requirement(requirement, &admitted.verified, &|_| None, trace)?;
            Ok(Pass::Token(admitted))
        };
        check().map_err(|halt| self.challenged(halt, None, requirement))
    }

    fn read_request<'r>(
        &self,
        request: &Request<'r>,
    ) -> Result<(Request<'r>, Cow<'r, str>, &'r str, Target<'r>), Code> {
        if request.headers.len() > limits::FIELDS {
            return Err(Code::RequestAmbiguous);
        }
        let target = Target::parse(request.target)?;
        let authority = target::authority(request)?;
        let set = self.policy.forward.iter().map(|(name, _)| &**name);
        let named = set.chain(self.policy.compared.iter().map(|name| &**name));
        if credential::connection_names(request, named) {
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
        trace.record(
            "rule.origin",
            admitted.then_some(()).ok_or(Code::OriginDenied),
            || "`sec-fetch-site`, or `origin` and the authority".into(),
        )
    }

    /// Checks the requirement of the rule. Returns the index of the request's
    /// tenant, if the token has several and the requirement names one.
    fn check_requirement<'s>(
        &'s self,
        requirement: &Requirement,
        verified: &'s Verified,
        request: &'s dyn Fn(&RequestValue) -> Option<&'s [u8]>,
        trace: &mut Trace<'_>,
    ) -> Result<Option<usize>, Halt> {
        let issuer = self
            .policy
            .issuers
            .get(verified.issuer)
            .ok_or(Code::InternalError)?;
        let subject = Subject {
            token: verified,
            scope_wildcards: issuer.scope_wildcards,
            context: Context {
                limits: &self.policy.limits,
                request,
            },
            tenant: Cell::new(None),
            now_ms: i64::try_from(self.now_ms).unwrap_or(i64::MAX),
            leeway_ms: issuer.leeway_ms.unwrap_or(self.policy.leeway_ms),
        };
        requirement.explain(&subject, trace)?;
        let several = verified.principal.tenants.len() > 1;
        Ok(subject.tenant.get().filter(|_| several))
    }
}

/// Returns the values of the headers that a rule compares.
fn compared<'r>(request: &Request<'r>, names: &[Box<str>]) -> Result<Vec<Option<&'r [u8]>>, Code> {
    let mut values = Vec::with_capacity(names.len());
    for name in names {
        values.push(compared::value(request, name)?);
    }
    Ok(values)
}

//! The order of checks. It is part of the contract, because it determines the
//! code that a caller sees. Uses `base`, `json`, `refusal`, `jose`, `model`,
//! `documents`, `token`, `request` and `decision`.

mod token;

use alloc::{borrow::Cow, format, sync::Arc};

use crate::{
    base::limits,
    decision::Subject,
    documents::Issuers,
    model::{Access, Policy, Requirement},
    refusal::{Code, Halt, Trace, quoted},
    request::{
        Request, credential,
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
}

/// An admitted token.
pub(crate) struct Admitted<'t> {
    pub(crate) token: &'t [u8],
    pub(crate) verified: Arc<Verified>,
    /// Whether the token was not remembered.
    pub(crate) fresh: bool,
}

impl Checks<'_> {
    /// Checks a request: path, rule, credential, token, and the rule's
    /// requirement.
    pub(crate) fn request<'r>(
        &self,
        request: &Request<'r>,
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
        let found = self.router.find(&host, &target, method);
        let rule = found.and_then(|found| {
            let found = found.ok_or(Code::RuleDenied)?;
            let rule = self.policy.rules.get(found.rule);
            let rule = rule.ok_or(Code::InternalError)?;
            let pattern = rule.paths.get(found.pattern);
            Ok((rule, pattern.ok_or(Code::InternalError)?))
        });
        let (rule, pattern) = trace.record("rule", rule, || match found {
            Ok(Some(found)) => format!("/rules/{}", found.rule),
            Ok(None) => "no rule of the policy matches".into(),
            Err(_) => {
                "a backend could read this path in another way, which leads to another rule".into()
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
        let admitted = self.verify_token(presented.token, trace)?;
        self.admit_origin(presented.same_origin, request, trace)?;
        let segment = |name: &str| router::captured(pattern, &target, name);
        self.check_requirement(requirement, &admitted.verified, &segment, trace)?;
        Ok(Pass::Token(admitted))
    }

    /// Checks a token, then the requirement.
    pub(crate) fn token<'t>(
        &self,
        token: &'t [u8],
        requirement: &Requirement,
        trace: &mut Trace<'_>,
    ) -> Result<Pass<'t>, Halt> {
        if token.is_empty() {
            return Err(Code::TokenMissing.into());
        }
        let admitted = self.verify_token(token, trace)?;
        self.check_requirement(requirement, &admitted.verified, &|_| None, trace)?;
        Ok(Pass::Token(admitted))
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
        if credential::connection_names(request, set) {
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

    /// Checks the requirement of the rule.
    fn check_requirement<'s>(
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
            leeway_ms: issuer.leeway_ms.unwrap_or(self.policy.leeway_ms),
        };
        requirement.explain(&subject, trace)
    }
}

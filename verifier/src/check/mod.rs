//! The order of checks: it is part of the contract, because the code that a
//! caller sees depends on it.

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
        let (request, host, method, target) = trace.record("path", self.read(request), path)?;
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
        let presented = credential::find(&self.policy.credentials, request);
        let presented = match presented {
            Ok(None) if optional => {
                trace.skip("credential", "none came, and the rule does not ask for one");
                return Ok(Pass::Anonymous);
            }
            presented => presented.and_then(|p| p.ok_or(Code::TokenMissing.into())),
        };
        let presented = trace.record("credential", presented, || {
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

//! The order of checks. It is part of the contract, because it determines the
//! code that a caller sees. Uses `base`, `json`, `refusal`, `jose`, `model`,
//! `documents`, `token`, `request` and `decision`.

mod presented;
mod token;

use alloc::{borrow::Cow, format, sync::Arc, vec::Vec};
use core::cell::Cell;

use presented::present;

use crate::{
    base::limits,
    decision::Subject,
    documents::Issuers,
    model::{Access, Policy, Requirement, Rule},
    refusal::{Code, Halt, Trace, quoted},
    request::{
        Request,
        credential::{self, Found},
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
    /// The number for the next token that is not remembered.
    pub(crate) number: Cell<u64>,
    pub(crate) now_ms: u64,
}

/// The result of a check that passes.
pub(crate) enum Pass<'t> {
    /// Without a principal, under a public rule.
    Anonymous,
    /// A token without a request.
    Token(Admitted<'t>),
    /// A request, under a rule that looks at tokens.
    Request(Granted<'t>),
}

/// An admitted request.
pub(crate) struct Granted<'t> {
    /// The index of its rule.
    pub(crate) rule: usize,
    /// `None` only if the rule is optional.
    pub(crate) user: Option<Admitted<'t>>,
    /// Whether the user's token is bad and counts as not sent.
    pub(crate) ignored: bool,
    /// One for each of the rule's `principals`.
    pub(crate) others: Vec<Admitted<'t>>,
}

/// An admitted token.
pub(crate) struct Admitted<'t> {
    pub(crate) token: Cow<'t, [u8]>,
    pub(crate) verified: Arc<Verified>,
    /// Whether the token was not remembered.
    pub(crate) fresh: bool,
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
        result.map_err(|halt| match decisive {
            Some(rule) if self.reads_basic(rule) => halt.asking_for_password(),
            _ => halt,
        })
    }

    fn reads_basic(&self, rule: &Rule) -> bool {
        let list = self.policy.credentials_of(rule);
        let is_public = matches!(rule.access, Access::Public);
        !is_public && list.places.iter().any(|place| place.is_basic())
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
        let found = self.router.find(&host, &target, method);
        let rule = found.and_then(|found| {
            let found = found.ok_or(Code::RuleDenied)?;
            let rule = self.policy.rules.get(found.rule);
            let rule = rule.ok_or(Code::InternalError)?;
            let pattern = rule.paths.get(found.pattern);
            Ok((rule, pattern.ok_or(Code::InternalError)?, found.rule))
        });
        let (rule, pattern, index) = trace.record("rule", rule, || match found {
            Ok(Some(found)) => format!("/rules/{}", found.rule),
            Ok(None) => "no rule of the policy matches".into(),
            Err(_) => {
                "a backend could read this path in another way, which leads to another rule".into()
            }
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
        let list = self.policy.credentials_of(rule);
        let found = credential::find(list, None, request);
        let user = match found {
            Ok(Found { first: None, .. }) if optional => {
                trace.skip(
                    "credential",
                    "the request has none, and the rule does not require one",
                );
                None
            }
            found => Some(present(found, list, trace)?),
        };
        let mut presented = Vec::new();
        for (name, _) in &rule.tokens.principals {
            trace.about(Some(name));
            let found = credential::find(list, Some(name), request);
            presented.push(present(found, list, trace).map_err(|halt| halt.of(name))?);
        }
        trace.about(None);

        let segment = |name: &str| router::captured(pattern, &target, name);
        let mut granted = Granted {
            rule: index,
            user: None,
            ignored: false,
            others: Vec::new(),
        };
        if let Some(found) = user {
            match self.choose(found, list, rule.tokens.accept_expired_ms, trace) {
                Err(halt) if rule.tokens.ignores_bad && halt.is_bad_token() => {
                    trace.skip("credential", "the token is bad, so it counts as not sent");
                    granted.ignored = true;
                }
                chosen => {
                    let (admitted, held) = chosen?;
                    self.admit_origin(held, request, trace)?;
                    let segment = |name: &str| segment(name);
                    self.check_requirement(requirement, &admitted.verified, &segment, trace)?;
                    granted.user = Some(admitted);
                }
            }
        }
        for ((name, requirement), found) in rule.tokens.principals.iter().zip(presented) {
            trace.about(Some(name));
            let check = || {
                let (admitted, held) = self.choose(found, list, 0, trace)?;
                self.admit_origin(held, request, trace)?;
                let segment = |name: &str| segment(name);
                self.check_requirement(requirement, &admitted.verified, &segment, trace)?;
                granted.others.push(admitted);
                Ok(())
            };
            check().map_err(|halt: Halt| halt.of(name))?;
        }
        Ok(Pass::Request(granted))
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
        let admitted = self.verify_token(Cow::Borrowed(token), None, 0, trace)?;
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
        let set = self.policy.set_headers().map(|name| &**name);
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
            leeway_ms: self.policy.leeway_ms,
        };
        requirement.explain(&subject, trace)
    }
}

//! The order of checks. It is part of the contract, because it determines the
//! code that a caller sees. Uses `base`, `json`, `refusal`, `jose`, `model`,
//! `documents`, `token`, `request` and `decision`.

mod api_key;
mod introspection;
mod presented;
mod proof;
mod sender;
mod signature;
mod token;

use alloc::{borrow::Cow, boxed::Box, format, string::String, sync::Arc, vec::Vec};
use core::cell::Cell;

use presented::present;
pub(crate) use sender::Proven;

use crate::{
    base::limits,
    decision::{Seen, Subject},
    documents::Issuers,
    jose::Native,
    model::{Access, Challenge, Context, Policy, RequestValue, Requirement, Rule},
    refusal::{Code, Halt, Trace, quoted},
    request::{
        Request, compared,
        credential::{self, Found},
        router::{self, Router},
        target::{self, Target},
    },
    token::{Answers, Memory, Proofs, Question, Tickets, Verified},
};

/// Everything that a check reads.
pub(crate) struct Checks<'g> {
    pub(crate) policy: &'g Policy,
    pub(crate) router: &'g Router,
    pub(crate) issuers: &'g Issuers,
    pub(crate) memory: &'g Memory,
    /// Whether this is an explanation, which makes every check again.
    pub(crate) explains: bool,
    /// The host's cryptography, and its answers.
    pub(crate) native: Option<&'g Native>,
    pub(crate) tickets: &'g Tickets,
    pub(crate) answers: &'g Answers,
    pub(crate) proofs: &'g Proofs,
    /// The question of [`Halt::Ask`].
    pub(crate) question: Cell<Option<Question>>,
    /// Whether a token needs a certificate that the connection has not.
    pub(crate) lacks_certificate: Cell<bool>,
    /// For the event of this decision.
    pub(crate) seen: Seen,
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
    /// The metadata document with this index.
    Metadata(usize),
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
    /// The index of the tenant that the requirement names, of several.
    pub(crate) tenant: Option<usize>,
    pub(crate) proven: Proven,
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
        result.map_err(|mut halt| {
            let Some(rule) = decisive else {
                return halt;
            };
            self.ask_for_proof(&mut halt, rule);
            let halt = match &rule.access {
                Access::Public => halt,
                Access::Required(wanted) | Access::Optional(wanted) => {
                    self.challenged(halt, rule.challenge.as_ref(), wanted)
                }
            };
            match self.reads_basic(rule) {
                true => halt.asking_for_password(),
                false => halt,
            }
        })
    }

    /// Adds a challenge for a proof, if the rule reads the scheme `DPoP`.
    fn ask_for_proof(&self, halt: &mut Halt, rule: &Rule) {
        let list = self.policy.credentials_of(rule);
        let dpop = &self.policy.sender.dpop;
        if let Halt::Deny(refusal) = halt
            && list.dpop != 0
            && refusal.has_challenge()
        {
            let nonce = match refusal.code.status() {
                401 => dpop.nonces.as_ref(),
                _ => None,
            };
            refusal.nonce = nonce.and_then(|nonces| nonces.fresh(self.now_ms));
            refusal.ask_for_proof(dpop.names(), list.is_only_dpop());
        }
    }

    fn reads_basic(&self, rule: &Rule) -> bool {
        let list = self.policy.credentials_of(rule);
        let is_public = matches!(rule.access, Access::Public);
        !is_public && list.places.iter().any(|place| place.is_basic())
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
        let (request, host, target) = trace.record("path", self.read_request(request), path)?;
        let request = &request;
        if matches!(request.method, b"GET" | b"HEAD")
            && let Some(index) = self.policy.metadata.find(&host, &target.segments)
        {
            trace.skip("rule", "the gate answers this address itself (RFC 9728)");
            return Ok(Pass::Metadata(index));
        }
        let found = self.router.find(&host, &target, request.method);
        let has_slash = !target.at_slashes.is_empty();
        let rule = found.and_then(|found| {
            let rule = found.and_then(|found| self.policy.rules.get(found.rule));
            if has_slash && rule.is_none_or(|rule| !rule.keeps_slash) {
                return Err(Code::RequestAmbiguous);
            }
            let found = found.ok_or(Code::RuleDenied)?;
            let rule = rule.ok_or(Code::InternalError)?;
            let pattern = rule.paths.get(found.pattern);
            Ok((rule, pattern.ok_or(Code::InternalError)?, found.rule))
        });
        let (rule, pattern, index) = trace.record("rule", rule, || {
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
        self.seen
            .rule
            .set(found.ok().flatten().map(|found| (index, found.pattern)));
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

        let value = |value: &RequestValue| match value {
            RequestValue::Segment(name) => router::captured(pattern, &target, name),
            RequestValue::Host => host.split(|b| *b == b'.').next(),
            RequestValue::Header(name) => {
                let at = rule.compared.iter().position(|known| known == name)?;
                *compared.get(at)?
            }
        };
        let mut granted = Granted {
            rule: index,
            user: None,
            ignored: false,
            others: Vec::new(),
        };
        if let Some(found) = user {
            match self.choose(found, list, rule.tokens.accept_expired_ms, request, trace) {
                Err(halt) if rule.tokens.ignores_bad && halt.is_bad_token() => {
                    trace.skip("credential", "the token is bad, so it counts as not sent");
                    granted.ignored = true;
                }
                chosen => {
                    let (mut admitted, held) = chosen?;
                    self.admit_origin(held, request, trace)?;
                    let value = |asked: &RequestValue| value(asked);
                    admitted.tenant =
                        self.check_requirement(requirement, &admitted, &value, trace)?;
                    granted.user = Some(admitted);
                }
            }
        }
        self.seen.is_past_user.set(true);
        for ((name, requirement), found) in rule.tokens.principals.iter().zip(presented) {
            trace.about(Some(name));
            let check = || {
                let (admitted, held) = self.choose(found, list, 0, request, trace)?;
                self.admit_origin(held, request, trace)?;
                // Its `tenant` is checked and changes nothing.
                let value = |asked: &RequestValue| value(asked);
                self.check_requirement(requirement, &admitted, &value, trace)?;
                granted.others.push(admitted);
                Ok(())
            };
            check().map_err(|halt: Halt| halt.of(name))?;
        }
        trace.about(None);
        for admitted in granted.user.iter_mut().chain(&mut granted.others) {
            self.check_first_use(&mut admitted.proven, trace)?;
        }
        Ok(Pass::Request(granted))
    }

    /// Checks a token, then the requirement.
    pub(crate) fn token<'t>(
        &self,
        token: &'t [u8],
        requirement: &Requirement,
        proven: bool,
        trace: &mut Trace<'_>,
    ) -> Result<Pass<'t>, Halt> {
        let mut check = || {
            if token.is_empty() {
                return Err(Code::TokenMissing.into());
            }
            let mut admitted = self.verify_token(Cow::Borrowed(token), None, 0, trace)?;
            self.check_bound(&mut admitted, proven, trace)?;
            admitted.tenant = self.check_requirement(requirement, &admitted, &|_| None, trace)?;
            Ok(Pass::Token(admitted))
        };
        check().map_err(|halt| self.challenged(halt, None, requirement))
    }

    fn read_request<'r>(
        &self,
        request: &Request<'r>,
    ) -> Result<(Request<'r>, Cow<'r, [u8]>, Target<'r>), Code> {
        if request.headers.len() > limits::FIELDS {
            return Err(Code::RequestAmbiguous);
        }
        let target = Target::parse(request.target)?;
        let authority = target::authority(request)?;
        let set = self.policy.set_headers().map(|name| &**name);
        let named = set.chain(self.policy.compared.iter().map(|name| &**name));
        credential::refuse_connection(request, named)?;
        let host = target::host(authority)?;
        target::check_method(request.method)?;
        let request = Request {
            authority,
            ..*request
        };
        Ok((request, host, target))
    }

    /// Checks the requirement of the rule. Returns the index of the request's
    /// tenant, if the token has several and the requirement names one.
    fn check_requirement<'s>(
        &'s self,
        requirement: &Requirement,
        admitted: &'s Admitted<'_>,
        request: &'s dyn Fn(&RequestValue) -> Option<&'s [u8]>,
        trace: &mut Trace<'_>,
    ) -> Result<Option<usize>, Halt> {
        let verified = &*admitted.verified;
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
            proven: [admitted.proven.by_certificate, admitted.proven.by_key],
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
    let mut values = Vec::new();
    for name in names {
        values.push(compared::value(request, name)?);
    }
    Ok(values)
}

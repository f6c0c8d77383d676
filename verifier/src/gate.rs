//! The gate: a state machine without I/O.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};

use crate::{
    Decision, DocumentStatus, Fetch, Grant, Outcome, Problem, Request, Step, Supplied,
    check::{Admitted, Checks, Pass},
    explain::Trace,
    issuer::Issuers,
    json::Value,
    limits,
    memory::Memory,
    policy::{self, Credential, Policy},
    refusal::Halt,
    requirement::Requirement,
    router::Router,
};

/// An open gate: one policy, and the documents supplied so far.
#[derive(Debug)]
pub struct Gate {
    policy: Policy,
    router: Router,
    issuers: Issuers,
    memory: Memory,
    /// Grants with a principal so far.
    granted: u64,
    /// Prepared requirements by their text; the first asks nothing.
    requirements: Vec<(Box<[u8]>, Requirement)>,
    warnings: Vec<Problem>,
    strip: Strip,
}

/// What a grant removes, made once.
#[derive(Debug)]
struct Strip {
    forwarded: Arc<[Box<str>]>,
    forwarded_and_credentials: Arc<[Box<str>]>,
    cookies: Arc<[Box<str>]>,
}

impl Gate {
    /// Opens a gate, or says every problem of the policy at once. `seed`
    /// should be random: it keeps strangers from aiming at the table of
    /// remembered tokens. 0 is safe, if slower under attack.
    ///
    /// # Errors
    /// Every problem of the policy, in its order.
    pub fn open(policy: &[u8], seed: u64) -> Result<Self, Vec<Problem>> {
        Self::open_json(&policy::policy_json(policy)?, seed)
    }

    /// The same for a policy that is already JSON, such as a part of a host's
    /// configuration.
    ///
    /// # Errors
    /// Every problem of the policy, in its order.
    pub fn open_json(policy: &Value<'_>, seed: u64) -> Result<Self, Vec<Problem>> {
        let (mut policy, warnings) = policy::parse(policy)?;
        let remembered = if policy.remember {
            policy.limits.remembered_tokens
        } else {
            0
        };
        Ok(Self {
            router: Router::new(&policy.rules),
            issuers: Issuers::new(&mut policy),
            memory: Memory::new(remembered, seed),
            granted: 0,
            requirements: Vec::from([(Box::default(), Requirement::default())]),
            warnings,
            strip: Strip::new(&policy),
            policy,
        })
    }

    /// What somebody should look at, although the policy works.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Lower-case names of the headers that decisions read.
    pub fn reads(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let mut add = |name| {
            if !names.contains(&name) {
                names.push(name);
            }
        };
        for place in &self.policy.credentials {
            match place {
                Credential::Header { name, .. } => add(name),
                Credential::Cookie { same_origin, .. } => {
                    add("cookie");
                    if *same_origin {
                        add("sec-fetch-site");
                        add("origin");
                    }
                }
            }
        }
        names
    }

    /// Documents to fetch now. They count as started.
    pub fn due(&mut self, now_ms: u64) -> Vec<Fetch> {
        let now = signed(now_ms);
        self.memory
            .retain(|verified| verified.times.exp.is_none_or(|exp| exp > now));
        self.issuers.due(&self.policy, now_ms)
    }

    /// When [`Self::due`] has something next, if it ever will.
    pub fn next_due(&self) -> Option<u64> {
        self.issuers.next_due()
    }

    /// How a fetch ended. Tokens that a withdrawn key had verified are
    /// forgotten.
    ///
    /// # Errors
    /// Why the document was refused; the old one stays.
    pub fn supply(
        &mut self,
        source: u32,
        outcome: Outcome<'_>,
        now_ms: u64,
    ) -> Result<Supplied, Problem> {
        let supplied = self.issuers.supply(&self.policy, source, outcome, now_ms)?;
        self.memory
            .retain(|verified| self.issuers.still_names(verified));
        Ok(supplied)
    }

    /// The state of every document.
    pub fn status(&self, now_ms: u64) -> Vec<DocumentStatus> {
        self.issuers.status(&self.policy, now_ms)
    }

    /// May this request pass?
    pub fn check(&mut self, request: &Request<'_>, now_ms: u64) -> Decision {
        let admitted = self
            .checks(now_ms, true)
            .request(request, &mut Trace::off());
        self.conclude(admitted, now_ms)
    }

    /// The grant of a request that its host lets pass unasked: nobody's.
    pub fn anonymous(&self) -> Grant {
        self.strip.grant(None, false)
    }

    /// Parses a requirement once, for [`Self::check_token`]. The same text
    /// gives the same number.
    ///
    /// # Errors
    /// Every problem of the requirement, or that there are too many.
    pub fn prepare(&mut self, requirement: &[u8]) -> Result<u32, Vec<Problem>> {
        let known = self
            .requirements
            .iter()
            .skip(1)
            .position(|(text, _)| **text == *requirement);
        let number = match known {
            Some(index) => index.saturating_add(1),
            None => {
                let parsed = policy::parse_requirement(&self.policy, requirement)?;
                if self.requirements.len() > limits::REQUIREMENTS {
                    let message =
                        format!("at most {} requirements are prepared", limits::REQUIREMENTS);
                    return Err(Vec::from([Problem::error("", "too_many", message)]));
                }
                self.requirements.push((requirement.into(), parsed));
                self.requirements.len().saturating_sub(1)
            }
        };
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// The same as [`Self::check`] without HTTP. Requirement 0 asks nothing
    /// more than a good token of one of the issuers; a number that
    /// [`Self::prepare`] never gave denies.
    pub fn check_token(&mut self, token: &[u8], requirement: u32, now_ms: u64) -> Decision {
        let admitted = match self.requirements.get(requirement as usize) {
            Some((_, requirement)) => {
                self.checks(now_ms, true)
                    .token(token, requirement, &mut Trace::off())
            }
            None => Err(crate::Code::InternalError.into()),
        };
        self.conclude(admitted, now_ms)
    }

    /// Every check in order, with what it saw. Changes nothing, and verifies
    /// anew what is remembered.
    pub fn explain(&self, request: &Request<'_>, now_ms: u64) -> Vec<Step> {
        let mut steps = Vec::new();
        // The last step says how it ended.
        let _ = self
            .checks(now_ms, false)
            .request(request, &mut Trace::on(&mut steps));
        steps
    }

    fn checks(&self, now_ms: u64, recall: bool) -> Checks<'_> {
        Checks {
            policy: &self.policy,
            router: &self.router,
            issuers: &self.issuers,
            memory: recall.then_some(&self.memory),
            number: self.granted.saturating_add(1),
            now_ms,
        }
    }

    /// Carries out what a check asks for: fetches start, tokens are
    /// remembered.
    fn conclude(&mut self, admitted: Result<Pass<'_>, Halt>, now_ms: u64) -> Decision {
        match admitted {
            Err(Halt::Deny(refusal)) => Decision::Deny(refusal.into_denial(&self.policy.realm)),
            Err(Halt::Wait(sources)) => {
                Decision::Wait(self.issuers.start(&sources, &self.policy, now_ms))
            }
            Ok(Pass::Anonymous) => Decision::Allow(self.strip.grant(None, false)),
            Ok(Pass::Token(admitted)) => {
                let Admitted {
                    token,
                    verified,
                    fresh,
                } = admitted;
                if fresh {
                    self.granted = verified.number;
                    self.memory
                        .remember(token, Arc::clone(&verified), signed(now_ms));
                }
                let grant = self
                    .strip
                    .grant(Some(&verified), self.policy.strip_credential);
                Decision::Allow(grant)
            }
        }
    }
}

impl Strip {
    fn new(policy: &Policy) -> Self {
        let forwarded: Vec<Box<str>> = policy
            .forward
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let mut both = forwarded.clone();
        let mut cookies = Vec::new();
        for place in &policy.credentials {
            match place {
                Credential::Header { name, .. } if both.contains(name) => {}
                Credential::Header { name, .. } => both.push(name.clone()),
                Credential::Cookie { name, .. } => cookies.push(name.clone()),
            }
        }
        Self {
            forwarded: forwarded.into(),
            forwarded_and_credentials: both.into(),
            cookies: cookies.into(),
        }
    }

    fn grant(&self, verified: Option<&crate::claims::Verified>, credential: bool) -> Grant {
        let (headers, cookies) = if credential {
            (&self.forwarded_and_credentials, Arc::clone(&self.cookies))
        } else {
            (&self.forwarded, Arc::default())
        };
        Grant {
            number: verified.map_or(0, |v| v.number),
            principal: verified.map(|v| Arc::clone(&v.principal)),
            set_headers: verified.map_or_else(Arc::default, |v| Arc::clone(&v.headers)),
            remove_headers: Arc::clone(headers),
            remove_cookies: cookies,
        }
    }
}

/// Milliseconds of a host's clock as the signed time that claims use.
fn signed(now_ms: u64) -> i64 {
    i64::try_from(now_ms).unwrap_or(i64::MAX)
}

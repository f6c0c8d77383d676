//! The gate: a state machine without I/O.

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use crate::{
    base::Problem,
    check::{Admitted, Checks, Pass},
    decision::{Decision, Grant, Requirements, Strip},
    documents::{DocumentStatus, Fetch, Issuers, Outcome, Supplied},
    json::Value,
    model::{Credential, Policy},
    policy,
    refusal::{Halt, Step, Trace},
    request::{Request, Router},
    token::Memory,
};

/// What says whether a cookie may be believed.
const SAME_ORIGIN: [&str; 5] = [
    "sec-fetch-site",
    "origin",
    "upgrade",
    ":protocol",
    "sec-fetch-mode",
];

/// An open gate: one policy, and the documents supplied so far.
pub struct Gate {
    policy: Policy,
    router: Router,
    issuers: Issuers,
    memory: Memory,
    /// Grants with a principal so far.
    granted: u64,
    requirements: Requirements,
    warnings: Vec<Problem>,
    strip: Strip,
}

/// A policy may hold secrets, and memory holds tokens.
impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("issuers", &self.policy.issuers.len())
            .field("rules", &self.policy.rules.len())
            .finish_non_exhaustive()
    }
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
            router: Router::new(&policy.rules, policy.exact_case),
            issuers: Issuers::new(&mut policy),
            memory: Memory::new(remembered, seed),
            granted: 0,
            requirements: Requirements::default(),
            warnings,
            strip: Strip::new(&policy),
            policy,
        })
    }

    /// What somebody should look at, although the policy works.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Names of the headers that decisions read, in lower case. A host hands
    /// in every field whose name, with `_` read as `-`, is one of them.
    pub fn reads(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::from(["host"]);
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
                        SAME_ORIGIN.into_iter().for_each(&mut add);
                    }
                }
            }
        }
        if !self.policy.forward.is_empty() {
            add("connection");
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

    /// How many milliseconds from now on [`Self::due`] has something (0: now),
    /// if it ever will.
    pub fn next_due(&self, now_ms: u64) -> Option<u64> {
        self.issuers.due_in_ms(now_ms)
    }

    /// How the fetch of a document from `uri` ended. A large document is read
    /// in slices: see [`Supplied::Unfinished`].
    pub fn supply(
        &mut self,
        source: u32,
        uri: &str,
        outcome: Outcome<'_>,
        now_ms: u64,
    ) -> Supplied {
        let supplied = self
            .issuers
            .supply(&self.policy, source, uri, outcome, now_ms);
        self.forget_withdrawn(supplied)
    }

    /// Goes on with a document that was not read to its end. `part` is the next
    /// part of its body; empty once all of them came.
    pub fn resume(&mut self, source: u32, part: &[u8], now_ms: u64) -> Supplied {
        let supplied = self.issuers.resume(&self.policy, source, part, now_ms);
        self.forget_withdrawn(supplied)
    }

    /// Tokens that a withdrawn key had verified are forgotten.
    fn forget_withdrawn(&mut self, supplied: Supplied) -> Supplied {
        if let Supplied::Accepted { .. } = supplied {
            let issuers = &self.issuers;
            self.memory
                .retain(|known| issuers.still_selects(known.issuer, &known.key, known.named_key));
        }
        supplied
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
        let mut decision = self.conclude(admitted, now_ms);
        if let Decision::Allow(grant) = &mut decision
            && grant.principal.is_some()
        {
            grant.changes = self.strip.changes(request);
        }
        decision
    }

    /// The grant of a request that its host lets pass unasked: nobody's.
    pub fn anonymous(&self) -> Grant {
        self.strip.grant(None, false)
    }

    /// Parses a requirement once, for [`Self::check_token`]. The same text
    /// gives the same number for as long as it is one of the 1,024 that were
    /// prepared or checked last.
    ///
    /// # Errors
    /// Every problem of the requirement.
    pub fn prepare(&mut self, requirement: &[u8]) -> Result<u32, Vec<Problem>> {
        self.requirements.prepare(&self.policy, requirement)
    }

    /// The same as [`Self::check`] without HTTP. Requirement 0 asks nothing
    /// more than a good token of one of the issuers; a number that
    /// [`Self::prepare`] never gave, or that was forgotten, denies.
    pub fn check_token(&mut self, token: &[u8], requirement: u32, now_ms: u64) -> Decision {
        self.requirements.touch(requirement);
        let admitted = match self.requirements.get(requirement) {
            Some(requirement) => {
                self.checks(now_ms, true)
                    .token(token, requirement, &mut Trace::off())
            }
            None => Err(crate::refusal::Code::InternalError.into()),
        };
        self.conclude(admitted, now_ms)
    }

    /// Every check in order, with its details. Changes nothing, and verifies
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

/// Milliseconds of a host's clock as the signed time that claims use.
fn signed(now_ms: u64) -> i64 {
    i64::try_from(now_ms).unwrap_or(i64::MAX)
}

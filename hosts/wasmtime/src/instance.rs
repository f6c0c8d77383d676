//! One instance of the sealed module with one open gate, and nothing else.

use std::{fmt, sync::Arc};

use crate::{
    bindings::{convert, exports::countersign::gate::gate as wit},
    decision::{Answer, Change, Decision, Grant, Principal},
    document::{DocumentStatus, Fetch, Outcome, Supplied},
    grants::Grants,
    module::{Guest, Module},
    problem::{OpenError, Problem, Severity, Trap},
    report::{Inspection, Step},
    request::Request,
};

/// The module's own functions: no fetches, no clock, no pool. Every time is
/// an argument, in milliseconds since 1970.
///
/// For runners of test vectors, benches, and hosts of another kind than
/// [`Gate`](crate::Gate). After a [`Trap`] every further call fails too.
pub struct Instance {
    guest: Guest,
    gate: u32,
    grants: Grants,
    /// Of the principals beside the user. They are kept apart: a token that is
    /// both has one number, but only the user's grant has its headers.
    others: Grants,
}

impl Instance {
    /// Opens a gate.
    ///
    /// # Errors
    /// Every problem of the policy, or why the module does not run here.
    pub fn open(policy: &[u8]) -> Result<Self, OpenError> {
        Self::open_in(&*Module::sealed()?, policy)
    }

    pub(crate) fn open_in(module: &Module, policy: &[u8]) -> Result<Self, OpenError> {
        let mut guest = module.instantiate()?;
        let seed = crate::random::u64();
        let opened = guest.call(|gate, store| gate.call_open(store, policy, seed))?;
        match opened {
            Ok(gate) => Ok(Self {
                guest,
                gate,
                grants: Grants::default(),
                others: Grants::default(),
            }),
            Err(problems) => Err(OpenError::Policy(convert(problems))),
        }
    }

    /// The lower-case names of the headers that decisions read: others, `_` in
    /// their names read as `-`, need not be in a [`Request`].
    ///
    /// # Errors
    /// The instance trapped.
    pub fn reads(&mut self) -> Result<Vec<String>, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_reads(store, handle))
    }

    /// Documents to fetch now. They count as started.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn due(&mut self, now_ms: u64) -> Result<Vec<Fetch>, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_due(store, handle, now_ms))
            .map(convert)
    }

    /// Milliseconds from now until a document is due ([`Self::due`]); 0 if one is,
    /// `None` if none will be.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn next_due(&mut self, now_ms: u64) -> Result<Option<u64>, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_next_due(store, handle, now_ms))
    }

    /// Supplies the outcome of a fetch. `uri` is that of the [`Fetch`]. Of a large
    /// body this call reads the first part ([`Outcome::part`]).
    ///
    /// # Errors
    /// The instance trapped.
    pub fn supply(
        &mut self,
        source: u32,
        uri: &str,
        outcome: &Outcome,
        now_ms: u64,
    ) -> Result<Supplied, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| {
                gate.call_supply(store, handle, source, uri, outcome.as_wit(), now_ms)
            })
            .map(Supplied::from)
    }

    /// Continues with a document that was not read completely: a few milliseconds of
    /// work. `part` is the next part of its body; empty after the last one.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn resume(&mut self, source: u32, part: &[u8], now_ms: u64) -> Result<Supplied, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_resume(store, handle, source, part, now_ms))
            .map(Supplied::from)
    }

    /// The state of every document.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn status(&mut self, now_ms: u64) -> Result<Vec<DocumentStatus>, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_status(store, handle, now_ms))
            .map(convert)
    }

    /// Decides whether this request may pass.
    ///
    /// # Errors
    /// The instance trapped: deny the request with `internal_error`.
    pub fn check(&mut self, request: Request<'_>, now_ms: u64) -> Result<Answer, Trap> {
        let handle = self.gate;
        let decision = self
            .guest
            .call(|gate, store| gate.call_check(store, handle, request.to_wit(), now_ms))?;
        self.answer(decision)
    }

    /// Parses a requirement (as `require` of a rule) once, for
    /// [`Self::check_token`]. The numbers of the 1,024 used last stay valid. The
    /// inner error has every problem of it.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn prepare(&mut self, requirement: &[u8]) -> Result<Result<u32, Vec<Problem>>, Trap> {
        let handle = self.gate;
        let prepared = self
            .guest
            .call(|gate, store| gate.call_prepare(store, handle, requirement))?;
        Ok(prepared.map_err(convert))
    }

    /// The same as [`Self::check`] without HTTP. With requirement 0 a
    /// valid token of one of the issuers is enough.
    ///
    /// # Errors
    /// The instance trapped: deny with `internal_error`.
    pub fn check_token(
        &mut self,
        token: &[u8],
        requirement: u32,
        now_ms: u64,
    ) -> Result<Answer, Trap> {
        let handle = self.gate;
        let decision = self
            .guest
            .call(|gate, store| gate.call_check_token(store, handle, token, requirement, now_ms))?;
        self.answer(decision)
    }

    fn answer(&mut self, decision: wit::Decision) -> Result<Answer, Trap> {
        Ok(match decision {
            wit::Decision::Allow(allowed) => {
                let mut grant = self.grant(allowed.grant)?;
                for other in allowed.others {
                    grant
                        .principals
                        .insert(other.name, self.other(other.grant)?);
                }
                grant.changes = allowed.changes.into_iter().map(Change::from).collect();
                Decision::Allow(grant).into()
            }
            wit::Decision::Deny(denial) => Decision::Deny(denial.into()).into(),
            wit::Decision::Answer(answer) => Decision::Answer(answer.into()).into(),
            wit::Decision::Wait(fetches) => Answer::Wait(convert(fetches)),
        })
    }

    fn grant(&mut self, number: u64) -> Result<Grant, Trap> {
        if let Some(grant) = self.grants.find(number) {
            return Ok(grant.clone());
        }
        let grant = self.granted(number)?;
        self.grants.keep(number, grant.clone());
        Ok(grant)
    }

    /// The principal beside the user whose grant has this number.
    fn other(&mut self, number: u64) -> Result<Arc<Principal>, Trap> {
        let grant = match self.others.find(number) {
            Some(grant) => grant.clone(),
            None => {
                let grant = self.granted(number)?;
                self.others.keep(number, grant.clone());
                grant
            }
        };
        grant
            .principal
            .ok_or_else(|| Trap::new("a grant has no principal"))
    }

    /// Reads a grant of the last answer.
    fn granted(&mut self, number: u64) -> Result<Grant, Trap> {
        let handle = self.gate;
        let granted = self
            .guest
            .call(|gate, store| gate.call_granted(store, handle, number))?;
        granted
            .map(Grant::from)
            .ok_or_else(|| Trap::new("a grant says nothing"))
    }

    /// Every check in order, with its details. Changes nothing.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn explain(&mut self, request: Request<'_>, now_ms: u64) -> Result<Vec<Step>, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_explain(store, handle, request.to_wit(), now_ms))
            .map(convert)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}

/// Decodes a token, in an instance of its own. Never a decision.
pub fn inspect(token: &[u8]) -> Inspection {
    let inspected = Module::sealed().and_then(|module| {
        let mut guest = module.instantiate()?;
        Ok(guest.call(|gate, store| gate.call_inspect(store, token))?)
    });
    match inspected {
        Ok(inspection) => inspection.into(),
        Err(_) => Inspection {
            fault: Some("internal_error".into()),
            ..Inspection::default()
        },
    }
}

/// Problems and warnings of a policy, found by an instance of its own.
pub fn lint(policy: &[u8]) -> Vec<Problem> {
    let linted = Module::sealed().and_then(|module| {
        let mut guest = module.instantiate()?;
        Ok(guest.call(|gate, store| gate.call_lint(store, policy))?)
    });
    match linted {
        Ok(problems) => convert(problems),
        Err(error) => vec![Problem {
            pointer: String::new(),
            code: "internal_error".into(),
            message: error.to_string(),
            severity: Severity::Error,
        }],
    }
}

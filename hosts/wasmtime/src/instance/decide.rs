//! Decisions: the signatures that they need, and the grants that they name.

use std::sync::Arc;

use wasmtime::Store;

use super::Instance;
use crate::{
    bindings::exports::countersign::gate::gate as wit,
    decision::{Answer, Change, Decision, Denial, Grant, Principal},
    need::Need,
    problem::Trap,
};

/// The largest number of calls for one decision: the gate asks about one token at
/// a time, and a rule names at most five.
const CALLS: usize = 8;

impl Instance {
    /// Repeats a call until it needs no signature.
    pub(super) fn decide(
        &mut self,
        call: impl Fn(&wit::Guest, &mut Store<()>, u32) -> wasmtime::Result<wit::Decision>,
    ) -> Result<Answer, Trap> {
        let handle = self.gate;
        for _ in 0..CALLS {
            let decision = self.guest.call(|gate, store| call(gate, store, handle))?;
            let asked = match decision {
                wit::Decision::Allow(allowed) => return self.allow(allowed),
                wit::Decision::Deny(denial) => return Ok(Decision::Deny(denial.into()).into()),
                wit::Decision::Answer(answer) => return Ok(Decision::Answer(answer.into()).into()),
                wit::Decision::Wait(asked) => asked,
            };
            let mut needs = Vec::new();
            let mut verified = false;
            for need in asked {
                match need {
                    wit::Need::Document(fetch) => needs.push(Need::Document(fetch.into())),
                    wit::Need::Request(request) => needs.push(Need::Request(request.into())),
                    wit::Need::Proof(proof) => needs.push(Need::Proof(proof.into())),
                    wit::Need::Signature(asked) => {
                        self.verify(&asked)?;
                        verified = true;
                    }
                }
            }
            if !verified {
                return Ok(Answer::Wait(needs));
            }
        }
        tracing::error!("the gate keeps asking about signatures");
        Ok(Decision::Deny(Denial::internal_error()).into())
    }

    /// Answers a question about a signature. A gate that was opened without the
    /// host's cryptography asks none.
    fn verify(&mut self, asked: &wit::Signature) -> Result<(), Trap> {
        let Self {
            guest,
            gate: handle,
            native,
            ..
        } = self;
        let verification = match native {
            Some(native) => native.verify(asked, || {
                guest.call(|gate, store| gate.call_key(store, *handle, asked.key))
            })?,
            None => wit::Verification::Failed,
        };
        guest.call(|gate, store| gate.call_verified(store, *handle, asked.ticket, verification))
    }

    fn allow(&mut self, allowed: wit::Allowed) -> Result<Answer, Trap> {
        let mut grant = self.grant(allowed.grant)?;
        for other in allowed.others {
            grant
                .principals
                .insert(other.name, self.other(other.grant)?);
        }
        grant.changes = allowed.changes.into_iter().map(Change::from).collect();
        Ok(Decision::Allow(grant).into())
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
}

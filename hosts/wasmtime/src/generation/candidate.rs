//! Decisions of a candidate: it never waits, and sends nothing anywhere.

use std::sync::Arc;

use super::{Generation, Load, decide::ROUNDS};
use crate::{
    decision::{Answer, Decision, Denial},
    document::Outcome,
    event::Facts,
    flights::Learned,
    need::{Need, Outgoing},
    pool::Reader,
    problem::Trap,
    proofs::FirstUse,
    request::Request,
};

/// What the policy in force has learned for one decision. It can contain a token.
#[derive(Default)]
pub(crate) struct Heard {
    responses: Vec<(Outgoing, Arc<Outcome>)>,
    proofs: Vec<([u8; 32], FirstUse)>,
}

impl Heard {
    pub(super) fn take(&mut self, need: &Need, learned: Learned) {
        match (need, learned) {
            (Need::Request(request), Learned::Response(outcome)) => {
                self.responses.push((request.clone(), outcome));
            }
            (Need::Proof(proof), Learned::Proof(first)) => self.proofs.push((proof.id, first)),
            _ => {}
        }
    }

    /// The response to the same request, whatever its ticket and its credentials.
    fn response(&self, wanted: &Outgoing) -> Option<&Outcome> {
        let is_same = |sent: &Outgoing| {
            sent.method == wanted.method && sent.uri == wanted.uri && sent.body == wanted.body
        };
        let mut responses = self.responses.iter();
        let found = responses.find(|(sent, _)| is_same(sent));
        found.map(|(_, outcome)| &**outcome)
    }

    fn first_use(&self, id: &[u8; 32]) -> Option<FirstUse> {
        let mut proofs = self.proofs.iter();
        proofs
            .find(|(known, _)| known == id)
            .map(|(_, first)| *first)
    }
}

impl Generation {
    /// Decides at once, with no more than what the policy in force has `heard`.
    /// Without a decision the result is the denial for what is missing (503).
    pub(crate) fn decide_at_once(
        self: &Arc<Self>,
        request: Request<'_>,
        heard: &Heard,
    ) -> (Decision, Facts) {
        let decided = self.now_ms().and_then(|now_ms| {
            self.pool
                .call_now(|reader| self.decide_in(reader, request, heard, now_ms))
        });
        decided.unwrap_or_else(|_| (Decision::Deny(Denial::internal_error()), Facts::default()))
    }

    fn decide_in(
        self: &Arc<Self>,
        reader: &mut Reader,
        request: Request<'_>,
        heard: &Heard,
        now_ms: u64,
    ) -> Result<(Decision, Facts), Trap> {
        let mut decision = Decision::Deny(Denial::internal_error());
        for _ in 0..ROUNDS {
            let needs = match reader.instance.check(request, now_ms)? {
                Answer::Decided(decided) => {
                    decision = decided;
                    break;
                }
                Answer::Wait(needs) => needs,
            };
            decision = Decision::Deny(Denial::still_waiting(&needs));
            let mut is_complete = true;
            for need in &needs {
                is_complete &= self.answer_at_once(reader, need, heard, now_ms)?;
            }
            if !is_complete {
                break;
            }
        }
        let key = self.settings.hooks.key();
        let facts = reader.instance.last_event(key, true)?;
        Ok((decision, facts))
    }

    /// Whether the need could be met. A document is fetched for later comparisons.
    fn answer_at_once(
        self: &Arc<Self>,
        reader: &mut Reader,
        need: &Need,
        heard: &Heard,
        now_ms: u64,
    ) -> Result<bool, Trap> {
        match need {
            Need::Document(fetch) => {
                let read = reader.read;
                self.start(fetch, Load::Anew { read }, None);
                return Ok(false);
            }
            Need::Request(request) => {
                let Some(outcome) = heard.response(request) else {
                    return Ok(false);
                };
                // Why it cannot be used is in the decision.
                reader.instance.respond(request.ticket, outcome, now_ms)?;
            }
            Need::Proof(proof) => {
                let Some(first) = heard.first_use(&proof.id) else {
                    return Ok(false);
                };
                reader.instance.proven(proof.ticket, first)?;
            }
        }
        Ok(true)
    }
}

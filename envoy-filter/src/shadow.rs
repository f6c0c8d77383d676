//! A candidate beside the policy in force. It is asked after each decision, and
//! its answer changes nothing: it waits for nothing, sends no token anywhere and
//! uses up no proof.

use countersign::{Decision, MatchedRule, Need, Proof, Verification};

use crate::{
    comparison::Outcome,
    comparisons::Comparisons,
    config::Settings,
    host::{metric, request},
    kept::Kept,
    metrics::define_gauge,
    native::Native,
    plugin::ROUNDS,
    request::Head,
};

pub(crate) struct Shadow {
    pub(crate) kept: Kept,
    native: Native,
    comparisons: Comparisons,
    ready: Option<u32>,
}

/// The proofs that a check has asked about, and what was found out.
pub(crate) type Verdicts = Vec<([u8; 32], Verification)>;

impl Shadow {
    pub(crate) fn new(kept: Kept, prefix: &str) -> Self {
        Self {
            kept,
            native: Native::default(),
            comparisons: Comparisons::define(prefix),
            ready: define_gauge(prefix, "shadow.ready"),
        }
    }

    /// Asks the candidate about a request, and counts how it decides.
    pub(crate) fn ask(
        &mut self,
        head: &Head<'_>,
        enforced: Outcome,
        rule: Option<&MatchedRule>,
        verdicts: &Verdicts,
        settings: &Settings,
        now_ms: u64,
    ) {
        let candidate = self.decide(head, verdicts, settings, now_ms);
        self.comparisons.add(enforced.compare(candidate), rule);
    }

    fn decide(
        &mut self,
        head: &Head<'_>,
        verdicts: &Verdicts,
        settings: &Settings,
        now_ms: u64,
    ) -> Outcome {
        let mut certificate = None;
        for _ in 0..ROUNDS {
            let request = head.request(certificate.as_ref());
            let decision = self.kept.gate.check(&request, now_ms);
            if self.kept.gate.lacks_certificate() && certificate.is_none() {
                certificate = request::certificate();
                if certificate.is_some() {
                    continue;
                }
            }
            let Decision::Wait(needs) = decision else {
                let effects = self.kept.gate.last_event(b"", true).effects;
                return Outcome::of(&decision, effects);
            };
            let mut has_result = false;
            for need in needs {
                has_result |= self.settle(need, verdicts, settings, now_ms);
            }
            if !has_result {
                break;
            }
        }
        Outcome::Undecided
    }

    /// Gives the candidate what it needs, if that is here. Returns whether it is.
    fn settle(
        &mut self,
        need: Need,
        verdicts: &Verdicts,
        settings: &Settings,
        now_ms: u64,
    ) -> bool {
        match need {
            Need::Document(fetch) => self.kept.want(settings, fetch, now_ms),
            Need::Signature(signature) => {
                let found = self.native.verify(&self.kept.gate, &signature);
                self.kept.gate.verified(signature.ticket, found);
                true
            }
            // It would send the token.
            Need::Request(_) => false,
            Need::Proof(Proof { ticket, id, .. }) => {
                let known = verdicts.iter().find(|(known, _)| *known == id);
                known.is_some_and(|(_, verdict)| {
                    self.kept.gate.verified(ticket, *verdict);
                    true
                })
            }
        }
    }

    pub(crate) fn report(&mut self) {
        self.kept.report();
        self.comparisons.report();
        if let Some(gauge) = self.ready {
            metric::set(gauge, self.kept.gate.ready().into());
        }
    }
}

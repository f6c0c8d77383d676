//! Does what a decision says. A filter that only observes does nothing to the
//! request.

use countersign::{Code, Decision, Denial, Grant};

use super::Plugin;
use crate::{
    answer::{Answer, Format},
    comparison, forward,
    host::{self, Level, request},
    identity, label,
    request::Head,
    shadow::Verdicts,
};

impl Plugin {
    /// Does what a decision says, after the candidate was asked. Returns whether the
    /// request passes. `None` if Envoy refuses: then it must not pass.
    pub(super) fn end(
        &mut self,
        decision: Decision,
        verdicts: &Verdicts,
        head: &Head<'_>,
        now_ms: u64,
    ) -> Option<bool> {
        let filter_state = &self.settings.filter_state;
        if self.shadow.is_some() || identity::names_rule(filter_state) {
            let event = self.kept.gate.last_event(b"", self.shadow.is_some());
            let rule = event.rule.as_ref();
            if let Some(shadow) = &mut self.shadow {
                let enforced = comparison::Outcome::of(&decision, event.effects);
                shadow.ask(head, enforced, rule, verdicts, &self.settings, now_ms);
            }
            identity::decided(filter_state, rule, &self.digest)?;
        }
        match decision {
            Decision::Allow(grant) => self.allow(&grant, head).map(|()| true),
            Decision::Deny(denial) => Some(self.deny(&denial, head)),
            Decision::Answer(answer) => Some(self.answer(answer)),
            Decision::Wait(_) => None,
        }
    }

    pub(super) fn allow(&mut self, grant: &Grant, head: &Head<'_>) -> Option<()> {
        if !self.settings.observe {
            forward::apply(grant, head)?;
        }
        if let Some(principal) = &grant.principal {
            identity::admitted(&self.settings.filter_state, principal)?;
            if grant.number <= self.newest_grant {
                self.metrics.remembered.add();
            }
            self.newest_grant = self.newest_grant.max(grant.number);
        }
        self.metrics.allowed.add();
        Some(())
    }

    /// Denies a request. Returns whether it passes nevertheless.
    pub(super) fn deny(&mut self, denial: &Denial, head: &Head<'_>) -> bool {
        self.log_denial(denial.code);
        let format = Format {
            grpc: head.is_grpc(),
            code_header: self.settings.code_header,
        };
        self.metrics.denied(denial.code);
        identity::denied(&self.settings.filter_state, denial.code);
        if !self.settings.observe {
            request::respond(&Answer::to(denial, format));
        }
        self.settings.observe
    }

    /// The code and the rule, never a value.
    fn log_denial(&self, code: Code) {
        // Of an internal error the last check may be one of another request.
        let rule = match code {
            Code::InternalError => None,
            _ => self.kept.gate.last_event(b"", false).rule,
        };
        let rule = rule.as_ref().map(label::of);
        let parts = [
            "countersign: ",
            if self.settings.observe {
                "observed, would be denied: "
            } else {
                "denied: "
            },
            code.as_str(),
            ", rule: ",
            rule.as_deref().unwrap_or("none"),
        ];
        host::log(Level::Debug, &parts.concat());
    }

    /// Answers a request. Returns whether it passes nevertheless.
    fn answer(&mut self, answer: countersign::Answer) -> bool {
        self.metrics.answered.add();
        if !self.settings.observe {
            request::respond(&answer.into());
        }
        self.settings.observe
    }
}

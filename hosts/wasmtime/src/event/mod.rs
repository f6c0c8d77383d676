//! What an operator is told: one event for each decision, one for each document.
//! Nothing in it is a token, a key, the value of a claim, or a path or query of a
//! request.

mod comparison;
mod document;
mod json;

use std::{sync::Arc, time::Duration};

use crate::{
    bindings::exports::countersign::gate::gate as wit, decision::Decision, module::SHA256,
};

pub use comparison::Comparison;
pub use document::{DocumentEvent, DocumentOutcome};

/// One decision, for [`GateBuilder::on_decision`](crate::GateBuilder::on_decision).
/// What its members mean is the same in every host: `docs/events.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecisionEvent {
    /// What was decided.
    pub decision: DecisionKind,
    /// Of a denial: its code.
    pub code: Option<String>,
    /// Of a denial or an answer: the HTTP status.
    pub status: Option<u16>,
    /// Of a denial: the name of the claim or header member that failed.
    pub claim: Option<String>,
    /// Of a denial: the name of the principal whose token failed, if that is not
    /// the user.
    pub principal: Option<String>,
    /// The rule that matched.
    pub rule: Option<MatchedRule>,
    /// The `name` of the issuer to which the user's token was assigned, whether it
    /// was good or not.
    pub issuer: Option<String>,
    /// The type of the user's token, once its signature held.
    pub token_type: Option<String>,
    /// Whether the user's token was remembered; `None` if none was verified.
    pub remembered: Option<bool>,
    /// Milliseconds, rounded up, for which the decision waited for documents,
    /// requests and proofs.
    pub waited_ms: u64,
    /// Whether the decision was enforced.
    pub mode: Mode,
    /// Only of a candidate's decision ([`Mode::Shadow`]).
    pub comparison: Option<Comparison>,
    /// Identifies the subject to those who have the subject key
    /// ([`GateBuilder::subject_key`](crate::GateBuilder::subject_key)).
    pub subject_ref: Option<String>,
    /// SHA-256 of the policy that decided, in its canonical form: 64 lower-case
    /// hexadecimal digits.
    pub policy_digest: Arc<str>,
    /// [`SHA256`].
    pub module_digest: &'static str,
}

/// The kinds of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecisionKind {
    /// The request may pass.
    Allow,
    /// It may not.
    Deny,
    /// The gate answers it itself.
    Answer,
}

/// Whether a decision is enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is.
    #[default]
    Enforced,
    /// The gate only watches ([`Gate::observer`](crate::Gate::observer)).
    Observed,
    /// It is that of a candidate ([`GateBuilder::shadow`](crate::GateBuilder::shadow)).
    Shadow,
}

/// A rule of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MatchedRule {
    /// Its index in `rules`, from 0.
    pub index: u32,
    /// Its `name`.
    pub name: Option<String>,
    /// The pattern that matched, never the path of the request.
    pub path: String,
}

/// What an instance says of its last decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// As in [`DecisionEvent`].
    pub rule: Option<MatchedRule>,
    /// As in [`DecisionEvent`].
    pub issuer: Option<String>,
    /// As in [`DecisionEvent`].
    pub token_type: Option<String>,
    /// As in [`DecisionEvent`].
    pub remembered: Option<bool>,
    /// As in [`DecisionEvent`].
    pub subject_ref: Option<String>,
    /// A SHA-256 of everything that an allowed request brings to its backend.
    pub effects: Option<Vec<u8>>,
}

impl DecisionEvent {
    pub(crate) fn new(
        decision: &Decision,
        facts: Facts,
        waited: Duration,
        mode: Mode,
        policy_digest: Arc<str>,
    ) -> Self {
        let denial = decision.denial();
        Self {
            decision: DecisionKind::of(decision),
            code: denial.map(|denial| denial.code.clone()),
            status: match decision {
                Decision::Allow(_) => None,
                Decision::Deny(denial) => Some(denial.status),
                Decision::Answer(answered) => Some(answered.status),
            },
            claim: denial.and_then(|denial| denial.claim.clone()),
            principal: denial.and_then(|denial| denial.principal.clone()),
            rule: facts.rule,
            issuer: facts.issuer,
            token_type: facts.token_type,
            remembered: facts.remembered,
            waited_ms: waited
                .as_micros()
                .div_ceil(1000)
                .try_into()
                .unwrap_or(u64::MAX),
            mode,
            comparison: None,
            subject_ref: facts.subject_ref,
            policy_digest,
            module_digest: SHA256,
        }
    }

    /// One JSON object in one line. A member without a value is absent.
    pub fn to_json(&self) -> String {
        self.line(json::Line::new()).end()
    }

    /// The same with `time` before the event, and the members of `more` after it.
    pub(crate) fn to_json_at(&self, time: &str, more: &[(String, String)]) -> String {
        let mut line = json::Line::new();
        line.text("time", Some(time));
        let mut line = self.line(line);
        for (name, value) in more {
            line.text(name, Some(value));
        }
        line.end()
    }

    fn line(&self, mut line: json::Line) -> json::Line {
        line.text("decision", Some(self.decision.as_str()));
        line.text("code", self.code.as_deref());
        line.plain("status", self.status);
        line.text("claim", self.claim.as_deref());
        line.text("principal", self.principal.as_deref());
        if let Some(rule) = &self.rule {
            let mut inner = json::Line::new();
            inner.plain("index", Some(rule.index));
            inner.text("name", rule.name.as_deref());
            inner.text("path", Some(&rule.path));
            line.plain("rule", Some(inner.end()));
        }
        line.text("issuer", self.issuer.as_deref());
        line.text("token_type", self.token_type.as_deref());
        line.plain("remembered", self.remembered);
        line.plain("waited_ms", Some(self.waited_ms));
        line.text("mode", Some(self.mode.as_str()));
        line.text("comparison", self.comparison.map(Comparison::as_str));
        line.text("subject_ref", self.subject_ref.as_deref());
        line.text("policy_digest", Some(&self.policy_digest));
        line.text("module_digest", Some(self.module_digest));
        line
    }
}

impl DecisionKind {
    fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Allow(_) => Self::Allow,
            Decision::Deny(_) => Self::Deny,
            Decision::Answer(_) => Self::Answer,
        }
    }

    /// Stable name: `allow`, `deny`, `answer`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Answer => "answer",
        }
    }
}

impl Mode {
    /// Stable name: `enforced`, `observed`, `shadow`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Observed => "observed",
            Self::Shadow => "shadow",
        }
    }
}

impl MatchedRule {
    /// Its name, or `/rules/<index>`: for metrics.
    pub fn label(&self) -> String {
        let place = || format!("/rules/{}", self.index);
        self.name.clone().unwrap_or_else(place)
    }
}

impl From<wit::Event> for Facts {
    fn from(event: wit::Event) -> Self {
        Self {
            rule: event.rule.map(|rule| MatchedRule {
                index: rule.index,
                name: rule.name,
                path: rule.path,
            }),
            issuer: event.issuer,
            token_type: event.token_type,
            remembered: event.remembered,
            subject_ref: event.subject_ref,
            effects: event.effects,
        }
    }
}

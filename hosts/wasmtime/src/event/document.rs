//! Events of documents.

use std::sync::Arc;

use super::{Mode, json};
use crate::{document::DocumentKind, fetch::Reason};

/// One document that was fetched, for
/// [`GateBuilder::on_document`](crate::GateBuilder::on_document). It has no URL:
/// addresses can hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentEvent {
    /// The kind of document.
    pub kind: DocumentKind,
    /// The issuer's `name` in the policy.
    pub issuer: String,
    /// What became of it.
    pub outcome: DocumentOutcome,
    /// Why it was refused, or why it did not come.
    pub reason: Option<Reason>,
    /// The HTTP status, or the code of the problem and its place.
    pub detail: Option<String>,
    /// Milliseconds since the document that is in force now was accepted; `None` if
    /// there is none.
    pub age_ms: Option<u64>,
    /// Of one that was accepted: how many keys, API keys or revocations are used.
    pub used: Option<u32>,
    /// Of one that was accepted: how many problems say what is not used.
    pub skipped: Option<u32>,
    /// Whether it is one of the policy in force or of a candidate.
    pub mode: Mode,
    /// SHA-256 of that policy, in its canonical form: 64 lower-case hexadecimal
    /// digits.
    pub policy_digest: Arc<str>,
}

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentOutcome {
    /// It is in force.
    Accepted,
    /// It came and cannot be used. The old one stays in force.
    Refused,
    /// It did not come. The old one stays in force.
    Failed,
}

impl DocumentEvent {
    /// One JSON object in one line. A member without a value is absent.
    pub fn to_json(&self) -> String {
        let mut line = json::Line::new();
        line.text("kind", Some(self.kind.as_str()));
        line.text("issuer", Some(&self.issuer));
        line.text("outcome", Some(self.outcome.as_str()));
        line.text("reason", self.reason.map(Reason::as_str));
        line.text("detail", self.detail.as_deref());
        line.plain("age_ms", self.age_ms);
        line.plain("used", self.used);
        line.plain("skipped", self.skipped);
        line.text("mode", Some(self.mode.as_str()));
        line.text("policy_digest", Some(&self.policy_digest));
        line.end()
    }
}

impl DocumentOutcome {
    /// Stable name: `accepted`, `refused`, `failed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

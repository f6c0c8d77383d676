//! The state of a gate.

use super::ShadowStatus;
use crate::{document::DocumentStatus, source::SourceStatus};

/// The state of a gate, for status pages and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// SHA-256 of the policy in force, in its canonical form: 64 lower-case
    /// hexadecimal digits. Two hosts that say the same have the same policy.
    pub policy_digest: String,
    /// [`SHA256`](crate::SHA256).
    pub module_digest: &'static str,
    /// [`Gate::ready`](crate::Gate::ready).
    pub ready: bool,
    /// Every document of the policy.
    pub documents: Vec<DocumentStatus>,
    /// Where the policy in force came from, with
    /// [`GateBuilder::policy_from`](crate::GateBuilder::policy_from).
    pub source: Option<SourceStatus>,
    /// The candidate, if there is one.
    pub shadow: Option<ShadowStatus>,
}

//! What an operator asks of a host beside decisions: facts about the last one,
//! the digest of the policy, whether it is ready, and what a signed policy says.
//! The vectors of `operation/` ask it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::vector::ExpectedProblem;

/// A step of a vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Asked {
    /// The event of the last decision.
    LastEvent {
        /// Its members; those that are absent are not compared. `effects` is a
        /// name: in a vector, equal names mean equal effects, and others other ones.
        last_event: Map<String, Value>,
        /// The key of the host for `subject_ref`; empty if absent.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        subject_key: String,
    },
    /// The digest of the policy.
    Digest {
        /// In hexadecimal.
        digest: String,
    },
    /// Whether the gate is ready.
    Ready {
        /// Whether it is.
        ready: bool,
    },
    /// A signed policy is opened, without a gate.
    OpenSigned {
        /// The signed policy and whom the host trusts.
        open_signed: Signed,
        /// What it says, or why it is refused.
        expect: SignedExpect,
    },
}

/// A signed policy and a trust.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// A compact JWS.
    pub signed: String,
    /// An object, or a string with its literal text.
    pub trust: Value,
}

/// The expected result of opening a signed policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SignedExpect {
    /// It is opened, and says this.
    Opened(SignedPolicy),
    /// It is refused with this problem.
    Refused(ExpectedProblem),
}

/// As in the WIT interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedPolicy {
    /// The text that was signed.
    pub policy: String,
    /// Its version.
    pub version: u64,
    /// When it may no longer be put in force.
    pub expires_ms: u64,
    /// The key that has signed it.
    pub kid: String,
}

/// A command of the harness protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Return facts about the last decision: [`Told::Event`].
    LastEvent {
        /// The gate.
        gate: u32,
        /// The key of the host for `subject_ref`; empty for none.
        #[serde(default)]
        subject_key: String,
    },
    /// Return the digest of the policy: [`Told::Digest`].
    Digest {
        /// The gate.
        gate: u32,
    },
    /// Return whether the gate is ready: [`Told::Ready`].
    Ready {
        /// The gate.
        gate: u32,
    },
    /// Open a signed policy: [`Told::Signed`], or `Refused`.
    OpenSigned {
        /// Milliseconds since the epoch.
        at: u64,
        /// A compact JWS.
        signed: String,
        /// The trust's text.
        trust: String,
    },
}

/// A reply of the harness protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Facts about the last decision.
    Event(Event),
    /// In hexadecimal.
    Digest(String),
    /// Whether the gate is ready.
    Ready(bool),
    /// The signature held.
    Signed(SignedPolicy),
}

/// As in the WIT interface. `effects` are in hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Event {
    pub rule: Option<MatchedRule>,
    pub issuer: Option<String>,
    pub token_type: Option<String>,
    pub remembered: Option<bool>,
    pub subject_ref: Option<String>,
    pub effects: Option<String>,
}

/// As in the WIT interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct MatchedRule {
    pub index: u32,
    pub name: Option<String>,
    pub path: String,
}

impl Asked {
    /// The command for a host.
    pub(crate) fn question(&self, gate: u32, at: u64) -> Question {
        match self {
            Self::LastEvent { subject_key, .. } => Question::LastEvent {
                gate,
                subject_key: subject_key.clone(),
            },
            Self::Digest { .. } => Question::Digest { gate },
            Self::Ready { .. } => Question::Ready { gate },
            Self::OpenSigned { open_signed, .. } => Question::OpenSigned {
                at,
                signed: open_signed.signed.clone(),
                trust: match &open_signed.trust {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                },
            },
        }
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

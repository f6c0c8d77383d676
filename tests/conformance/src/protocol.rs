//! The harness protocol: one JSON command per line on standard input, one JSON
//! reply per line on standard output. README.md specifies it for other
//! languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    operation::{Question, Told},
    vector::{Answer, Bytes, Change, Request, Response},
};

/// A command for a host. `gate` is a number that the runner chooses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Open a policy: [`Reply::Opened`] or [`Reply::Problems`].
    Open {
        /// A number that no open gate has.
        gate: u32,
        /// The policy's text.
        policy: String,
        /// The host's secrets, by name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        secrets: BTreeMap<String, String>,
    },
    /// Return the fetches that are due: [`Reply::Fetches`].
    Due {
        /// The gate.
        gate: u32,
        /// Milliseconds since the epoch.
        at: u64,
    },
    /// Return the time until the next fetch is due: [`Reply::NextDue`].
    NextDue {
        /// The gate.
        gate: u32,
        /// Milliseconds since the epoch.
        at: u64,
    },
    /// Supply the result of a fetch: [`Reply::Accepted`], [`Reply::Refused`] or
    /// [`Reply::Outdated`]. The host resumes until the document is read.
    Supply {
        /// The gate.
        gate: u32,
        /// Milliseconds since the epoch.
        at: u64,
        /// From a [`Fetch`].
        source: u32,
        /// The address that was fetched.
        uri: String,
        /// The response; if absent, the fetch failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        response: Option<Response>,
    },
    /// Take the response to a request: [`Reply::Accepted`], or [`Reply::Refused`]
    /// if it cannot be used.
    Respond {
        /// The gate.
        gate: u32,
        /// Milliseconds since the epoch.
        at: u64,
        /// From a [`Fetch`].
        ticket: u64,
        /// The response; if absent, there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        response: Option<Response>,
    },
    /// Check a request: [`Reply::Allow`], [`Reply::Deny`], [`Reply::Answer`] or
    /// [`Reply::Wait`].
    Request {
        /// The gate.
        gate: u32,
        /// Milliseconds since the epoch.
        at: u64,
        /// The request.
        request: Request,
    },
    /// Check a token: the same replies as for a request, or [`Reply::Problems`]
    /// of the requirement.
    Token {
        /// The gate.
        gate: u32,
        /// Milliseconds since the epoch.
        at: u64,
        /// The token.
        token: Bytes,
        /// The text of a requirement; none if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requirement: Option<String>,
        /// Whether a request with this token was allowed before.
        #[serde(default)]
        proven: bool,
    },
    /// Close the gate: [`Reply::Closed`].
    Close {
        /// The gate.
        gate: u32,
    },
    /// What an operator asks: [`Reply::Told`].
    #[serde(untagged)]
    Ask(Question),
}

/// The reply of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The policy is open. Its warnings are not reported.
    Opened {},
    /// A policy or requirement is refused.
    Problems(Vec<Problem>),
    /// Documents to fetch.
    Fetches(Vec<Fetch>),
    /// A document is accepted, except these parts.
    Accepted(Vec<Problem>),
    /// The time in milliseconds, or `None` for never.
    NextDue(Option<u64>),
    /// A document is refused.
    Refused(Problem),
    /// The document now has another address.
    Outdated {},
    /// Admitted.
    Allow(Grant),
    /// Denied.
    Deny(Denial),
    /// Answered by the gate itself.
    Answer(Answer),
    /// Fetch these documents and supply them, send these requests and respond, and
    /// check again.
    Wait(Vec<Fetch>),
    /// The gate is closed.
    Closed {},
    /// The host failed. The run fails too.
    Error(String),
    /// What an operator has asked.
    #[serde(untagged)]
    Told(Told),
}

/// As in the WIT interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// JSON Pointer.
    pub pointer: String,
    /// Stable code.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// `error` or `warning`.
    pub severity: String,
}

/// As in the WIT interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fetch {
    /// Names the document in [`Command::Supply`].
    pub source: u32,
    /// The issuer's name in the policy.
    pub issuer: String,
    /// `discovery`, `jwks`, `revocations`, `api_keys`; `introspection` for a
    /// request, which [`Command::Respond`] ends.
    pub kind: String,
    /// Where.
    pub uri: String,
    /// Names and values of headers.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The ticket of a request.
    #[serde(default)]
    pub ticket: Option<u64>,
    /// The body of a request.
    #[serde(default)]
    pub body: String,
    /// Bound on the fetch.
    pub timeout_ms: u32,
    /// Bound on the body.
    pub max_bytes: u32,
}

/// As in the WIT interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The principal.
    pub principal: Option<Principal>,
    /// The principals beside the user, by name.
    pub others: BTreeMap<String, Principal>,
    /// Names and values.
    pub set_headers: Vec<(String, String)>,
    /// Names.
    pub remove_headers: Vec<String>,
    /// In order.
    pub changes: Vec<Change>,
}

/// As in the WIT interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Principal {
    /// The issuer's name in the policy.
    pub issuer: String,
    /// The token's `iss`.
    pub iss: String,
    /// The subject.
    pub subject: Option<String>,
    /// The token type's name.
    pub token_type: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
    /// All tenants.
    pub tenants: Vec<String>,
    /// Roles.
    pub roles: Vec<String>,
    /// Scopes.
    pub scopes: Vec<String>,
    /// `exp`, in milliseconds.
    pub expires_at_ms: Option<i64>,
    /// The claims' text.
    pub claims: String,
}

/// As in the WIT interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Denial {
    /// The code.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// The code's sentence.
    pub message: String,
    /// `WWW-Authenticate`.
    pub challenge: Option<String>,
    /// The claim concerned.
    pub claim: Option<String>,
    /// The name of the principal concerned, beside the user.
    pub principal: Option<String>,
    /// `Retry-After`.
    pub retry_after_s: Option<u32>,
    /// `DPoP-Nonce`.
    #[serde(default)]
    pub nonce: Option<String>,
}

//! Functions of the module that need no open gate: each call has an instance of its
//! own.

use crate::{
    bindings::{convert, exports::countersign::gate::gate as wit},
    module::Module,
    problem::{OpenError, Problem, Severity},
    report::Inspection,
};

/// A policy whose signature held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPolicy {
    /// The bytes that were signed: JSON, or YAML that a host converts.
    pub policy: Vec<u8>,
    /// Its version.
    pub version: u64,
    /// Milliseconds since 1970 from which on it may no longer be put in force.
    pub expires_ms: u64,
    /// The key that has signed it.
    pub kid: String,
}

/// Verifies a signed policy (`docs/signed-policies.md`) by the keys, the names and
/// the lowest version of `trust`, a JSON text.
///
/// # Errors
/// Why it is refused.
pub fn open_signed(signed: &[u8], trust: &[u8], now_ms: u64) -> Result<SignedPolicy, Problem> {
    let opened = Module::sealed().and_then(|module| {
        let mut guest = module.instantiate()?;
        Ok(guest.call(|gate, store| gate.call_open_signed(store, signed, trust, now_ms))?)
    });
    let opened = opened.map_err(|error| failed(&error))?;
    opened.map(SignedPolicy::from).map_err(Problem::from)
}

/// The SHA-256 of a policy in its canonical form (RFC 8785): 64 lower-case
/// hexadecimal digits. Two hosts that say the same have the same policy in force.
///
/// # Errors
/// Every problem of the policy, or why the module does not run here.
pub fn policy_digest(policy: &[u8]) -> Result<String, OpenError> {
    policy_digest_in(&*Module::sealed()?, policy)
}

pub(crate) fn policy_digest_in(module: &Module, policy: &[u8]) -> Result<String, OpenError> {
    let mut guest = module.instantiate()?;
    let digest = guest.call(|gate, store| gate.call_policy_digest(store, policy))?;
    let digest = digest.map_err(|problems| OpenError::Policy(convert(problems)))?;
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
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
        Err(error) => vec![failed(&error)],
    }
}

fn failed(error: &OpenError) -> Problem {
    Problem {
        pointer: String::new(),
        code: "internal_error".into(),
        message: error.to_string(),
        severity: Severity::Error,
    }
}

impl From<wit::SignedPolicy> for SignedPolicy {
    fn from(signed: wit::SignedPolicy) -> Self {
        Self {
            policy: signed.policy,
            version: signed.version,
            expires_ms: signed.expires_ms,
            kid: signed.kid,
        }
    }
}

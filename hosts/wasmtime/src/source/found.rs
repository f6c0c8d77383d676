//! A signed policy whose signature holds, and its text as JSON.

use std::sync::Arc;

use super::problem;
use crate::{instance::SignedPolicy, problem::OpenError};

/// A good policy that is not in force yet.
pub(crate) struct Found {
    pub(super) signed: SignedPolicy,
    pub(super) text: Arc<[u8]>,
    pub(super) now_ms: u64,
}

impl Found {
    pub(crate) fn version(&self) -> u64 {
        self.signed.version
    }

    /// The policy as JSON.
    pub(crate) fn json(&self) -> Result<Vec<u8>, OpenError> {
        let policy = &self.signed.policy;
        if policy.trim_ascii_start().starts_with(b"{") {
            return Ok(policy.clone());
        }
        from_yaml(policy)
    }
}

#[cfg(feature = "yaml")]
fn from_yaml(policy: &[u8]) -> Result<Vec<u8>, OpenError> {
    let text =
        std::str::from_utf8(policy).map_err(|error| problem("yaml_invalid", &error.to_string()))?;
    let yaml = crate::yaml::Yaml::parse(text)
        .map_err(|error| problem("yaml_invalid", &error.to_string()))?;
    Ok(yaml.json.into())
}

#[cfg(not(feature = "yaml"))]
fn from_yaml(_: &[u8]) -> Result<Vec<u8>, OpenError> {
    let message = "the signed policy is YAML: this needs the feature `yaml`";
    Err(problem("yaml_invalid", message))
}

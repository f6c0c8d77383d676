use alloc::vec::Vec;

use super::Policy;
use crate::{Problem, requirement::Requirement};

/// Parses a policy: the policy and its warnings, or every problem.
pub(crate) fn parse(_policy: &[u8]) -> Result<(Policy, Vec<Problem>), Vec<Problem>> {
    todo!()
}

/// Parses a requirement that stands alone: no path, so no `{name}` tenant.
pub(crate) fn parse_requirement(
    _policy: &Policy,
    _text: &[u8],
) -> Result<Requirement, Vec<Problem>> {
    todo!()
}

/// Problems and warnings of a policy.
pub fn lint(_policy: &[u8]) -> Vec<Problem> {
    todo!()
}

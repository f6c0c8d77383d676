//! The gate: a state machine without I/O.

use alloc::vec::Vec;

use crate::{
    Decision, Fetch, Outcome, Problem, Request, Step, Supplied, document::DocumentStatus,
};

/// An open gate: one policy, and the documents supplied so far.
#[derive(Debug)]
pub struct Gate {}

impl Gate {
    /// Opens a gate, or says every problem of the policy at once. `seed`
    /// should be random; 0 is safe, if slower under attack.
    pub fn open(_policy: &[u8], _seed: u64) -> Result<Self, Vec<Problem>> {
        todo!()
    }

    /// Lower-case names of the headers that decisions read.
    pub fn reads(&self) -> Vec<&str> {
        todo!()
    }

    /// Documents to fetch now. They count as started.
    pub fn due(&mut self, _now_ms: u64) -> Vec<Fetch> {
        todo!()
    }

    /// When [`Self::due`] has something next, if it ever will.
    pub fn next_due(&self) -> Option<u64> {
        todo!()
    }

    /// How a fetch ended.
    ///
    /// # Errors
    /// Why the document was refused; the old one stays.
    pub fn supply(
        &mut self,
        _source: u32,
        _outcome: Outcome<'_>,
        _now_ms: u64,
    ) -> Result<Supplied, Problem> {
        todo!()
    }

    /// The state of every document.
    pub fn status(&self, _now_ms: u64) -> Vec<DocumentStatus> {
        todo!()
    }

    /// May this request pass?
    pub fn check(&mut self, _request: &Request<'_>, _now_ms: u64) -> Decision {
        todo!()
    }

    /// Parses a requirement once, for [`Self::check_token`].
    ///
    /// # Errors
    /// Every problem of the requirement.
    pub fn prepare(&mut self, _requirement: &[u8]) -> Result<u32, Vec<Problem>> {
        todo!()
    }

    /// The same as [`Self::check`] without HTTP. Requirement 0 asks nothing
    /// more than a good token of one of the issuers.
    pub fn check_token(&mut self, _token: &[u8], _requirement: u32, _now_ms: u64) -> Decision {
        todo!()
    }

    /// Every check in order, with what it saw. Changes nothing.
    pub fn explain(&self, _request: &Request<'_>, _now_ms: u64) -> Vec<Step> {
        todo!()
    }
}

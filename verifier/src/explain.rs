//! Every check in order, with what it saw: for people, not for programs.

use alloc::string::String;

/// One check of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The check, by its name in the contract: `path`, `rule`, `signature` …
    pub check: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What it saw, in words. May hold claims' values, never a token or a key.
    pub saw: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, on to the next.
    Pass,
    /// It does not: the decision's code.
    Fail(crate::Code),
    /// It has nothing to check here.
    Skip,
    /// It waits for documents.
    Wait,
}

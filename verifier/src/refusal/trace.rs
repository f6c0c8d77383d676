//! Every check in order, with its details: for people, not for programs.

use alloc::{format, string::String, vec::Vec};

use super::{Code, Halt};

/// One check of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The check, by its name in the contract: `path`, `rule`, `signature` …
    pub check: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was compared, in words. May hold claims' values, never a token or a key.
    pub detail: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, on to the next.
    Pass,
    /// It does not: the decision's code.
    Fail(Code),
    /// It has nothing to check here.
    Skip,
    /// It waits for documents.
    Wait,
}

/// A text of the request or the token between backticks, escaped but for
/// visible ASCII.
pub(crate) fn quoted(text: &[u8]) -> String {
    format!("`{}`", text.escape_ascii())
}

/// The same of a text that may be missing.
pub(crate) fn named(text: Option<&str>) -> String {
    text.map_or_else(|| "none".into(), |text| quoted(text.as_bytes()))
}

/// Where the checks note what they looked at, if somebody asked.
pub(crate) struct Trace<'t>(Option<&'t mut Vec<Step>>);

impl<'t> Trace<'t> {
    pub(crate) fn off() -> Self {
        Self(None)
    }

    pub(crate) fn on(steps: &'t mut Vec<Step>) -> Self {
        Self(Some(steps))
    }

    /// Notes how a check ended and hands its result on.
    pub(crate) fn note<T, E: Into<Halt>>(
        &mut self,
        check: &'static str,
        result: Result<T, E>,
        detail: impl FnOnce() -> String,
    ) -> Result<T, Halt> {
        let result = result.map_err(Into::into);
        if let Some(steps) = &mut self.0 {
            let verdict = match &result {
                Ok(_) => Verdict::Pass,
                Err(Halt::Deny(refusal)) => Verdict::Fail(refusal.code),
                Err(Halt::Wait(_)) => Verdict::Wait,
            };
            steps.push(Step {
                check,
                verdict,
                detail: detail(),
            });
        }
        result
    }

    /// Notes a check that has nothing to check.
    pub(crate) fn skip(&mut self, check: &'static str, why: &str) {
        if let Some(steps) = &mut self.0 {
            steps.push(Step {
                check,
                verdict: Verdict::Skip,
                detail: why.into(),
            });
        }
    }
}

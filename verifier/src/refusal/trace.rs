//! The steps of an explanation: every check in order. They are for people, not
//! for programs.

use alloc::{format, string::String, vec::Vec};

use super::{Code, Halt};

/// One check of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The name of the check: `path`, `rule`, `signature` …
    pub check: &'static str,
    /// The result of the check.
    pub verdict: Verdict,
    /// What was compared. It can contain values of claims, but never a token or
    /// a key.
    pub detail: String,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The check passed.
    Pass,
    /// The check failed, with this code.
    Fail(Code),
    /// The check does not apply here.
    Skip,
    /// The check waits for documents, or for a signature that the host
    /// verifies.
    Wait,
}

/// Puts a text of the request or the token in backticks. It escapes everything
/// except visible ASCII.
pub(crate) fn quoted(text: &[u8]) -> String {
    format!("`{}`", text.escape_ascii())
}

/// The same for a text that can be absent.
pub(crate) fn quoted_or_none(text: Option<&str>) -> String {
    text.map_or_else(|| "none".into(), |text| quoted(text.as_bytes()))
}

/// Records the steps of an explanation; does nothing for a plain check.
pub(crate) struct Trace<'t> {
    steps: Option<&'t mut Vec<Step>>,
    /// The principal whose token is checked, if that is not the user.
    principal: String,
}

impl<'t> Trace<'t> {
    pub(crate) fn off() -> Self {
        Self {
            steps: None,
            principal: String::new(),
        }
    }

    pub(crate) fn on(steps: &'t mut Vec<Step>) -> Self {
        Self {
            steps: Some(steps),
            ..Self::off()
        }
    }

    /// Says whose token the next steps are about.
    pub(crate) fn about(&mut self, principal: Option<&str>) {
        self.principal.clear();
        if let (Some(_), Some(name)) = (&self.steps, principal) {
            self.principal.push_str(name);
            self.principal.push_str(": ");
        }
    }

    /// Records the result of a check and returns it.
    pub(crate) fn record<T, E: Into<Halt>>(
        &mut self,
        check: &'static str,
        result: Result<T, E>,
        detail: impl Fn() -> String,
    ) -> Result<T, Halt> {
        // No borrow of the value: it would be copied to memory and back.
        match result {
            Ok(value) => {
                if self.steps.is_some() {
                    self.push(check, None, &detail);
                }
                Ok(value)
            }
            Err(error) => {
                let halt = error.into();
                self.push(check, Some(&halt), &detail);
                Err(halt)
            }
        }
    }

    /// Apart from [`Self::record`], which is compiled for every check.
    #[cold]
    #[inline(never)]
    fn push(&mut self, check: &'static str, halt: Option<&Halt>, detail: &dyn Fn() -> String) {
        let verdict = match halt {
            None => Verdict::Pass,
            Some(Halt::Deny(refusal)) => Verdict::Fail(refusal.code),
            Some(Halt::Wait(_) | Halt::Ask) => Verdict::Wait,
        };
        if let Some(steps) = &mut self.steps {
            steps.push(Step {
                check,
                verdict,
                detail: [&*self.principal, &*detail()].concat(),
            });
        }
    }

    /// Records a check that does not apply.
    pub(crate) fn skip(&mut self, check: &'static str, why: &str) {
        if let Some(steps) = &mut self.steps {
            steps.push(Step {
                check,
                verdict: Verdict::Skip,
                detail: [&*self.principal, why].concat(),
            });
        }
    }
}

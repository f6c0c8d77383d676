//! The results of cases as JUnit XML, which CI servers read.

use std::{fmt::Write, path::Path};

use countersign_host::{Step, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{compare::Difference, suite::Outcome};
use crate::{decision, failure::Failure};

/// A report, to which each file of cases adds a `testsuite`.
pub(super) struct JUnit(Report);

impl JUnit {
    pub(super) fn new() -> Self {
        Self(Report::new("countersign policy test"))
    }

    /// Adds the cases of a file. A failure has the differences and the explanation,
    /// which may show claims, and never a token.
    pub(super) fn add(&mut self, file: &Path, outcomes: &[Outcome]) {
        let file = file.display().to_string();
        let mut suite = TestSuite::new(file.as_str());
        for outcome in outcomes {
            let mut status = TestCaseStatus::success();
            if !outcome.passed() {
                status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(differences(outcome, "; "));
                status.set_type(decision::word(&outcome.explained.decision));
                status.set_description(description(outcome));
            }
            let mut case = TestCase::new(outcome.name.as_str(), status);
            case.set_classname(file.as_str());
            suite.add_test_case(case);
        }
        self.0.add_test_suite(suite);
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::usage(format!("cannot write `{}`: {error}", path.display()))
        };
        let xml = self.0.to_string().map_err(|error| failed(&error))?;
        std::fs::write(path, xml).map_err(|error| failed(&error))
    }
}

fn differences(outcome: &Outcome, between: &str) -> String {
    let difference =
        |Difference {
             field,
             expected,
             got,
         }: &Difference| { format!("{field}: expected {expected}, got {got}") };
    let each: Vec<_> = outcome.differences.iter().map(difference).collect();
    each.join(between)
}

/// The differences, then the steps as `countersign explain` prints them.
fn description(outcome: &Outcome) -> String {
    let mut text = differences(outcome, "\n");
    text.push('\n');
    for Step {
        check,
        verdict,
        code,
        detail,
    } in &outcome.explained.steps
    {
        let mark = match verdict {
            Verdict::Pass => '✓',
            Verdict::Fail => '✗',
            Verdict::Skip => '–',
            Verdict::Wait => '…',
        };
        let _ = write!(text, "\n{mark} {check}: {detail}");
        if let Some(code) = code {
            let _ = write!(text, " ({code})");
        }
    }
    text
}

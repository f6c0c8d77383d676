//! Collects the problems of a policy and returns them in the policy's order.

use alloc::{format, vec::Vec};
use core::cell::Cell;

use super::codes::TOO_MANY;
use crate::base::{Problem, Severity};

/// The error of an invalid value whose problem is reported. Only
/// [`Report::refuse`] makes one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported(());

/// A parsed value, or proof that its problem is reported.
pub(super) type Read<T> = Result<T, Reported>;

/// The position of a value: the index of each member or item on the path to it.
pub(super) type Position = Vec<usize>;

/// Maximum bytes of stored warnings, and also of stored errors. The problems of
/// a 16 MiB policy could exceed the memory of the module.
const KEPT_BYTES: usize = 256 * 1024;

#[derive(Default)]
pub(super) struct Report {
    found: Cell<Found>,
}

#[derive(Default)]
struct Found {
    /// In the policy's order. Problems of one place are in the order in which
    /// they were found.
    kept: Vec<(Position, Problem)>,
    errors: Tally,
    warnings: Tally,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    count: usize,
    left_out: usize,
    bytes: usize,
}

impl Report {
    /// Adds an error: the policy is refused.
    pub(super) fn refuse(&self, position: Position, mut problem: Problem) -> Reported {
        problem.severity = Severity::Error;
        self.add(position, problem);
        Reported(())
    }

    /// Adds a warning: the policy works, but the operator should review it.
    pub(super) fn warn(&self, position: Position, mut problem: Problem) {
        problem.severity = Severity::Warning;
        self.add(position, problem);
    }

    /// Returns the number of errors so far.
    pub(super) fn refusals(&self) -> usize {
        let found = self.found.take();
        let count = found.errors.count;
        self.found.set(found);
        count
    }

    /// Returns the value and the warnings, or all problems if there is an
    /// error.
    pub(super) fn finish<T>(self, read: Read<T>) -> Result<(T, Vec<Problem>), Vec<Problem>> {
        let found = self.found.into_inner();
        let refused = found.errors.count > 0;
        let problems = found.into_problems();
        match read {
            Ok(value) if !refused => Ok((value, problems)),
            _ => Err(problems),
        }
    }

    fn add(&self, position: Position, problem: Problem) {
        let mut found = self.found.take();
        found.add(position, problem);
        self.found.set(found);
    }
}

impl Found {
    fn add(&mut self, position: Position, problem: Problem) {
        let tally = match problem.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        tally.count = tally.count.saturating_add(1);
        if tally.bytes > KEPT_BYTES {
            tally.left_out = tally.left_out.saturating_add(1);
            return;
        }
        let bytes = problem.pointer.len().saturating_add(problem.message.len());
        tally.bytes = tally.bytes.saturating_add(bytes);
        let index = self.kept.partition_point(|(other, _)| *other <= position);
        self.kept.insert(index, (position, problem));
    }

    fn into_problems(self) -> Vec<Problem> {
        let (errors, warnings) = (self.errors.left_out, self.warnings.left_out);
        let kept = self.kept.into_iter();
        let mut problems: Vec<Problem> = kept.map(|(_, problem)| problem).collect();
        if errors > 0 {
            let message = format!("more problems that are left out here: {errors}");
            problems.push(Problem::error("", TOO_MANY, message));
        }
        if warnings > 0 {
            let message = format!("more warnings that are left out here: {warnings}");
            problems.push(Problem::warning("", TOO_MANY, message));
        }
        problems
    }
}

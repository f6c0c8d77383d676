//! Collects every problem of a policy, and tells them in the policy's order.

use alloc::{format, vec::Vec};
use core::cell::Cell;

use super::codes::TOO_MANY;
use crate::base::{Problem, Severity};

/// The value could not be read, and the report says why: only
/// [`Report::refuse`] makes one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported(());

/// What was read, or the certainty that its problem was reported.
pub(super) type Read<T> = Result<T, Reported>;

/// Where a value stands: the index of each member or item on the way to it.
pub(super) type Position = Vec<usize>;

/// Bytes of warnings that are kept, and as many of errors: a policy of
/// 16 MiB can have more problems than a module has memory.
const KEPT_BYTES: usize = 256 * 1024;

#[derive(Default)]
pub(super) struct Report {
    found: Cell<Found>,
}

#[derive(Default)]
struct Found {
    /// In the policy's order; those of one place in the order of their finding.
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
    /// A problem for which the policy is refused.
    pub(super) fn refuse(&self, position: Position, mut problem: Problem) -> Reported {
        problem.severity = Severity::Error;
        self.add(position, problem);
        Reported(())
    }

    /// A problem that somebody should look at.
    pub(super) fn warn(&self, position: Position, mut problem: Problem) {
        problem.severity = Severity::Warning;
        self.add(position, problem);
    }

    /// How many errors there were so far.
    pub(super) fn refusals(&self) -> usize {
        let found = self.found.take();
        let count = found.errors.count;
        self.found.set(found);
        count
    }

    /// What was read and its warnings, or everything that was found.
    pub(super) fn conclude<T>(self, read: Read<T>) -> Result<(T, Vec<Problem>), Vec<Problem>> {
        let found = self.found.into_inner();
        let refused = found.errors.count > 0;
        let problems = found.tell();
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

    fn tell(self) -> Vec<Problem> {
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

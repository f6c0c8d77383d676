//! Collects every problem of a policy, and tells them in the policy's order.

use alloc::{format, string::String, vec::Vec};
use core::cell::Cell;

use super::codes::TOO_MANY;
use crate::{Problem, Severity};

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
    kept: Vec<(Position, Problem)>,
    error_bytes: usize,
    warning_bytes: usize,
    errors_left_out: usize,
    warnings_left_out: usize,
    refused: bool,
}

impl Report {
    /// A problem for which the policy is refused.
    pub(super) fn refuse(&self, position: Position, problem: Problem) -> Reported {
        self.add(
            position,
            Problem {
                severity: Severity::Error,
                ..problem
            },
        );
        Reported(())
    }

    /// A problem that somebody should look at.
    pub(super) fn warn(&self, position: Position, problem: Problem) {
        self.add(
            position,
            Problem {
                severity: Severity::Warning,
                ..problem
            },
        );
    }

    /// What was read and its warnings, or everything that was found.
    pub(super) fn conclude<T>(self, read: Read<T>) -> Result<(T, Vec<Problem>), Vec<Problem>> {
        let found = self.found.into_inner();
        let mut kept = found.kept;
        // Stable: problems of one place stay in the order of their finding.
        kept.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut problems: Vec<Problem> = kept.into_iter().map(|(_, problem)| problem).collect();
        if found.errors_left_out > 0 {
            problems.push(Problem::error(
                "",
                TOO_MANY,
                left_out(found.errors_left_out, "problem"),
            ));
        }
        if found.warnings_left_out > 0 {
            let message = left_out(found.warnings_left_out, "warning");
            problems.push(Problem::warning("", TOO_MANY, message));
        }
        match read {
            Ok(value) if !found.refused => Ok((value, problems)),
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
        let (bytes, left_out) = match problem.severity {
            Severity::Error => {
                self.refused = true;
                (&mut self.error_bytes, &mut self.errors_left_out)
            }
            Severity::Warning => (&mut self.warning_bytes, &mut self.warnings_left_out),
        };
        if *bytes > KEPT_BYTES {
            *left_out = left_out.saturating_add(1);
            return;
        }
        let size = problem.pointer.len().saturating_add(problem.message.len());
        *bytes = bytes.saturating_add(size);
        self.kept.push((position, problem));
    }
}

fn left_out(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} more {what}{plural} left out")
}

//! Collects the problems of a policy and returns them in the policy's order.

use alloc::{format, string::String, vec::Vec};
use core::cell::Cell;

use super::{codes::Code::TooMany, opener::Opener};
use crate::{
    base::{Problem, Severity},
    json::{Value, push_token},
};

/// The error of an invalid value whose problem is reported. Only
/// [`Report::refuse`] makes one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported(());

/// A parsed value, or proof that its problem is reported.
pub(super) type Read<T> = Result<T, Reported>;

/// The position of a value: the index of each member or item on the path to it.
type Position = Vec<usize>;

/// Maximum bytes of stored warnings, and also of stored errors. The problems of
/// a 16 MiB policy could exceed the memory of the module.
const KEPT_BYTES: usize = 256 * 1024;

pub(super) struct Report<'p> {
    pub(super) root: &'p Value<'p>,
    pub(super) opener: Opener<'p>,
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

impl<'p> Report<'p> {
    pub(super) fn new(root: &'p Value<'p>, opener: Opener<'p>) -> Self {
        let found = Cell::default();
        Self {
            root,
            opener,
            found,
        }
    }

    /// Adds an error: the policy is refused.
    pub(super) fn refuse(&self, value: &Value<'_>, mut problem: Problem) -> Reported {
        problem.severity = Severity::Error;
        self.add(value, problem);
        Reported(())
    }

    /// Adds a problem of this value of the policy.
    pub(super) fn add(&self, value: &Value<'_>, problem: Problem) {
        let mut found = self.found.take();
        found.add(self.root, value, problem);
        self.found.set(found);
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
}

impl Found {
    fn add(&mut self, root: &Value<'_>, value: &Value<'_>, mut problem: Problem) {
        let tally = match problem.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        tally.count = tally.count.saturating_add(1);
        if tally.bytes > KEPT_BYTES {
            tally.left_out = tally.left_out.saturating_add(1);
            return;
        }
        let mut position = Position::new();
        find(root, value, &mut position);
        problem.pointer.insert_str(0, &pointer(root, &position));
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
            problems.push(Problem::error("", TooMany.as_str(), message));
        }
        if warnings > 0 {
            let message = format!("more warnings that are left out here: {warnings}");
            problems.push(Problem::warning("", TooMany.as_str(), message));
        }
        problems
    }
}

/// Searches for the value, and returns whether it is there.
fn find(within: &Value<'_>, value: &Value<'_>, position: &mut Position) -> bool {
    if core::ptr::eq(within, value) {
        return true;
    }
    let is_below = |(index, below)| {
        position.push(index);
        let found = find(below, value, position);
        if !found {
            position.pop();
        }
        found
    };
    match within {
        Value::Array(items) => items.iter().enumerate().any(is_below),
        Value::Object(members) => {
            let values = members.iter().map(|(_, value)| value);
            values.enumerate().any(is_below)
        }
        _ => false,
    }
}

/// Returns the JSON Pointer (RFC 6901) of a position.
fn pointer(root: &Value<'_>, position: &[usize]) -> String {
    let mut pointer = String::new();
    let mut next = Some(root);
    for index in position {
        next = match next {
            Some(Value::Array(items)) => {
                pointer.push_str(&format!("/{index}"));
                items.get(*index)
            }
            Some(Value::Object(members)) => members.iter().nth(*index).map(|(name, value)| {
                push_token(&mut pointer, name);
                value
            }),
            _ => None,
        };
    }
    pointer
}

//! Problems of a configuration, in the form of the policy's problems.

use std::fmt::Write;

use countersign::{Problem, Severity, json::push_token};

/// Maximum number of problems that the log shows. Of further ones it shows only
/// the number.
const SHOWN: usize = 100;

pub(super) fn error(pointer: &str, code: &'static str, message: String) -> Problem {
    Problem {
        pointer: pointer.to_owned(),
        code,
        message,
        severity: Severity::Error,
    }
}

pub(super) fn type_wrong(pointer: &str, wanted: &str) -> Problem {
    error(pointer, "type_wrong", ["this has to be ", wanted].concat())
}

pub(super) fn value_invalid(pointer: &str, message: &str) -> Problem {
    error(pointer, "value_invalid", message.to_owned())
}

pub(super) fn field_unknown(pointer: &str, name: &str, known: &str) -> Problem {
    let message = ["there is no such field; there are ", known].concat();
    error(&below(pointer, name), "field_unknown", message)
}

/// Makes the problem of a cluster that Envoy does not have.
pub(crate) fn cluster_unknown(name: &str) -> Problem {
    let message = ["Envoy has no cluster `", name, "`, or not yet"].concat();
    error("/envoy/clusters", "cluster_unknown", message)
}

/// Returns the pointer of a member.
pub(super) fn below(pointer: &str, name: &str) -> String {
    let mut pointer = pointer.to_owned();
    push_token(&mut pointer, name);
    pointer
}

/// Formats all problems as one message.
pub(crate) fn report(title: &str, problems: &[Problem]) -> String {
    let mut text = String::from(title);
    for Problem {
        pointer,
        code,
        message,
        ..
    } in problems.iter().take(SHOWN)
    {
        // Writing to a string never fails.
        let _ = write!(text, "\n  at `{pointer}`: {message} ({code})");
    }
    if let Some(more @ 1..) = problems.len().checked_sub(SHOWN) {
        let _ = write!(text, "\n  and {more} more");
    }
    text
}

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

pub(super) fn field_missing(pointer: &str, name: &str) -> Problem {
    let message = ["`", name, "` is missing"].concat();
    error(pointer, "field_missing", message)
}

/// Makes the problem of a host that no cluster reaches.
pub(super) fn cluster_missing(host: &str) -> Problem {
    let message = [
        "no cluster is named that fetches from `",
        host,
        "`: write `{ \"policy\": …, \"envoy\": { \"clusters\": { \"",
        host,
        "\": \"a cluster of this Envoy\" } } }`",
    ];
    error("/envoy/clusters", "cluster_missing", message.concat())
}

/// Makes the problem of a cluster that Envoy does not have.
pub(crate) fn cluster_unknown(name: &str) -> Problem {
    let message = ["Envoy has no cluster `", name, "`, or not yet"].concat();
    error("/envoy/clusters", "cluster_unknown", message)
}

/// Makes the problem of a proxy without cryptography for filters.
pub(super) fn native_unavailable() -> Problem {
    let message =
        "this proxy has no foreign function `verify_signature`: only the module can verify";
    error(
        "/envoy/signatures",
        "signatures_unavailable",
        message.to_owned(),
    )
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

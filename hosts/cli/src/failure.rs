//! Failures, which end a command with exit code 2, and how problems are printed.

use std::fmt::Write;

use countersign_dev_issuer as dev_issuer;
use countersign_policy_source::{Error, Position, Problem};
use serde::Serialize;
use serde_json::json;

use crate::style::{BAD, FAINT, STRONG, WARN};

/// Why a command has no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong arguments, an unreadable file, a port in use: one sentence.
    Usage(String),
    /// The problems of a file that the user wrote.
    Problems(Vec<Problem>),
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Prints it: JSON to the standard output, text to the standard error.
    pub(crate) fn print(&self, json: bool) {
        match (self, json) {
            (Self::Usage(message), true) => anstream::println!("{}", json!({ "error": message })),
            (Self::Usage(message), false) => {
                anstream::eprintln!("{BAD}error{BAD:#}: {message}");
            }
            (Self::Problems(problems), true) => anstream::println!("{}", as_json(problems)),
            (Self::Problems(problems), false) => {
                anstream::eprint!("{}", as_text(problems));
                anstream::eprintln!("{}", summary(problems));
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(problem) => Self::Problems(vec![*problem]),
            other => Self::Usage(other.to_string()),
        }
    }
}

impl From<dev_issuer::Error> for Failure {
    fn from(error: dev_issuer::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

/// `{ "problems": [{ "file", "pointer", "line", "column", "code", "message", "severity" }] }`.
pub(crate) fn as_json(problems: &[Problem]) -> serde_json::Value {
    let problems: Vec<_> = problems.iter().map(Shape::from).collect();
    json!({ "problems": problems })
}

/// One line each: `file:line:column: /pointer: error[code]: message`.
pub(crate) fn as_text(problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let Problem {
            file,
            pointer,
            code,
            message,
            ..
        } = problem;
        let (style, word) = if problem.is_error {
            (BAD, "error")
        } else {
            (WARN, "warning")
        };
        let _ = write!(text, "{STRONG}{file}{STRONG:#}");
        if let Some(Position { line, column }) = problem.position {
            let _ = write!(text, "{FAINT}:{line}:{column}{FAINT:#}");
        }
        if !pointer.is_empty() {
            let _ = write!(text, ": {pointer}");
        }
        let _ = writeln!(text, ": {style}{word}[{code}]{style:#}: {message}");
    }
    text
}

/// `5 errors, 1 warning`.
fn summary(problems: &[Problem]) -> String {
    let errors = problems.iter().filter(|problem| problem.is_error).count();
    let kinds = [
        (errors, BAD, "error"),
        (problems.len() - errors, WARN, "warning"),
    ];
    let counted = kinds.into_iter().filter(|(number, ..)| *number > 0);
    let words = counted.map(|(number, style, noun)| {
        format!(
            "{style}{number} {noun}{}{style:#}",
            if number == 1 { "" } else { "s" }
        )
    });
    words.collect::<Vec<_>>().join(", ")
}

#[derive(Serialize)]
struct Shape<'a> {
    file: &'a str,
    pointer: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    code: &'a str,
    message: &'a str,
    severity: &'static str,
}

impl<'a> From<&'a Problem> for Shape<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            file: &problem.file,
            pointer: &problem.pointer,
            line: problem.position.map(|position| position.line),
            column: problem.position.map(|position| position.column),
            code: &problem.code,
            message: &problem.message,
            severity: if problem.is_error { "error" } else { "warning" },
        }
    }
}

//! Policies as people write them, and their problems as Python's `PolicyError`.

use countersign_host::OpenError;
use countersign_policy_source::{Error, Problem, Source};
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyTuple};

/// Reads a policy: JSON, YAML or TOML, by the extension of its name, or by its text.
pub(crate) fn source(py: Python<'_>, name: &str, text: Vec<u8>) -> PyResult<Source> {
    Source::parse(name, text).map_err(|error| refused(py, vec![unreadable(name, error)]))
}

/// Why a policy did not open.
pub(crate) fn not_open(py: Python<'_>, source: &Source, error: OpenError) -> PyErr {
    match error {
        OpenError::Policy(problems) => refused(py, source.locate(problems)),
        OpenError::Module(_) => PyRuntimeError::new_err(error.to_string()),
    }
}

/// Why a policy did not open whose text is not here: it is signed.
pub(crate) fn refusal(py: Python<'_>, error: OpenError) -> PyErr {
    not_open(py, &Source::from_json("", Vec::new()), error)
}

/// The SHA-256 of a policy in its canonical form.
#[pyfunction]
pub(crate) fn policy_digest(py: Python<'_>, name: &str, text: Vec<u8>) -> PyResult<String> {
    let source = source(py, name, text)?;
    let digest = py.detach(|| countersign_host::policy_digest(&source.json));
    digest.map_err(|error| not_open(py, &source, error))
}

/// Every problem of a policy, also the warnings.
#[pyfunction]
pub(crate) fn lint<'py>(
    py: Python<'py>,
    name: &str,
    text: Vec<u8>,
) -> PyResult<Bound<'py, PyTuple>> {
    let problems = py.detach(|| match Source::parse(name, text) {
        Ok(source) => source.lint(),
        Err(error) => vec![unreadable(name, error)],
    });
    tuples(py, problems)
}

fn unreadable(name: &str, error: Error) -> Problem {
    let message = match error {
        Error::Invalid(problem) => return *problem,
        other => other.to_string(),
    };
    Problem {
        file: name.to_owned(),
        pointer: String::new(),
        position: None,
        code: "json_invalid".to_owned(),
        message,
        is_error: true,
    }
}

fn refused(py: Python<'_>, problems: Vec<Problem>) -> PyErr {
    let error = || {
        let class = py.import("countersign._policy")?.getattr("PolicyError")?;
        class.call_method1("of", (tuples(py, problems)?,))
    };
    error().map_or_else(|error| error, PyErr::from_value)
}

/// In the order of the members of the class `Problem`.
fn tuples(py: Python<'_>, problems: Vec<Problem>) -> PyResult<Bound<'_, PyTuple>> {
    let problems = problems.into_iter().map(|problem| {
        (
            problem.pointer,
            problem.code,
            problem.message,
            if problem.is_error { "error" } else { "warning" },
            problem.file,
            problem.position.map(|position| position.line),
            problem.position.map(|position| position.column),
        )
    });
    PyTuple::new(py, problems.collect::<Vec<_>>())
}

//! Reports for people, as tuples in the order of the classes' members.

use countersign_host::{Step, Verdict};
use pyo3::{prelude::*, types::PyTuple};

use crate::request::bytes;

/// Decodes a token and verifies nothing.
#[pyfunction]
pub(crate) fn inspect<'py>(
    py: Python<'py>,
    token: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyTuple>> {
    let token = bytes(token, <[u8]>::to_vec)?;
    let found = py.detach(|| countersign_host::inspect(&token));
    (
        found.header,
        found.claims,
        found.signature_bytes,
        found.fault,
        found.detail,
    )
        .into_pyobject(py)
}

pub(crate) fn steps(py: Python<'_>, steps: Vec<Step>) -> PyResult<Bound<'_, PyTuple>> {
    let steps = steps.into_iter().map(|step| {
        let verdict = match step.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Skip => "skip",
            Verdict::Wait => "wait",
        };
        (step.check, verdict, step.code, step.detail)
    });
    PyTuple::new(py, steps.collect::<Vec<_>>())
}

//! The state of a gate as tuples, in the order of the classes' members.

use countersign_host::{Comparison, ShadowStatus, SourceStatus, Status};
use pyo3::{prelude::*, types::PyTuple};

use crate::document::statuses;

pub(crate) fn status(py: Python<'_>, status: Status) -> PyResult<Bound<'_, PyTuple>> {
    (
        status.policy_digest,
        status.ready,
        statuses(py, status.documents)?,
        status.source.map(source),
        status
            .shadow
            .map(|shadow| candidate(py, shadow))
            .transpose()?,
    )
        .into_pyobject(py)
}

/// Of a signed policy: version, end, key, last success, last error.
pub(crate) type Source = (u64, u64, String, u64, Option<String>);

pub(crate) fn source(status: SourceStatus) -> Source {
    (
        status.version,
        status.expires_ms,
        status.kid,
        status.last_success_ms,
        status.last_error,
    )
}

fn candidate(py: Python<'_>, status: ShadowStatus) -> PyResult<Bound<'_, PyTuple>> {
    let counts = status.counts.into_iter().map(|one| {
        let comparison = Comparison::as_str(one.comparison);
        (comparison, one.rule, one.code, one.count)
    });
    (
        status.policy_digest,
        status.ready,
        statuses(py, status.documents)?,
        PyTuple::new(py, counts.collect::<Vec<_>>())?,
        status.other,
    )
        .into_pyobject(py)
}

//! Documents as tuples, in the order of the classes' members.

use countersign_host::{DocumentStatus, Fetch, Need, Outgoing};
use pyo3::{prelude::*, types::PyTuple};

pub(crate) fn statuses(py: Python<'_>, all: Vec<DocumentStatus>) -> PyResult<Bound<'_, PyTuple>> {
    let all = all.into_iter().map(|one| {
        (
            one.issuer,
            one.kind.as_str(),
            one.uri,
            one.age_ms,
            one.failures,
            one.usable,
            one.needed,
        )
    });
    PyTuple::new(py, all.collect::<Vec<_>>())
}

/// A document that is to be fetched, or a request that is to be sent.
pub(crate) type Fetched = (
    u32,
    String,
    &'static str,
    String,
    Vec<(String, String)>,
    Option<u64>,
    String,
    u32,
    u32,
);

pub(crate) fn fetches(py: Python<'_>, all: Vec<Fetch>) -> PyResult<Bound<'_, PyTuple>> {
    PyTuple::new(py, all.into_iter().map(fetch).collect::<Vec<_>>())
}

pub(crate) fn needs(py: Python<'_>, all: Vec<Need>) -> PyResult<Bound<'_, PyTuple>> {
    let all = all.into_iter().filter_map(|need| match need {
        Need::Document(document) => Some(fetch(document)),
        Need::Request(request) => Some(sent(request)),
        Need::Proof(_) => None,
    });
    PyTuple::new(py, all.collect::<Vec<_>>())
}

fn fetch(one: Fetch) -> Fetched {
    (
        one.source,
        one.issuer,
        one.kind.as_str(),
        one.uri,
        one.headers,
        None,
        String::new(),
        one.timeout_ms,
        one.max_bytes,
    )
}

fn sent(one: Outgoing) -> Fetched {
    (
        0,
        one.issuer,
        "introspection",
        one.uri,
        one.headers,
        Some(one.ticket),
        String::from_utf8_lossy(&one.body).into_owned(),
        one.timeout_ms,
        one.max_bytes,
    )
}

//! Decisions as tuples. The first member is the kind: `"allow"`, `"deny"`,
//! `"answer"`; an [`Instance`](crate::instance::Instance) also says `"wait"`.

use countersign_host::{Change, Decision, Denial, Grant, Principal};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PyTuple},
};

pub(crate) fn decision<'py>(py: Python<'py>, decision: &Decision) -> PyResult<Bound<'py, PyTuple>> {
    match decision {
        Decision::Allow(allowed) => grant(py, allowed),
        Decision::Deny(denied) => denial(py, denied),
        Decision::Answer(answered) => (
            "answer",
            answered.status,
            PyTuple::new(py, &answered.headers)?,
            PyBytes::new(py, &answered.body),
        )
            .into_pyobject(py),
    }
}

fn grant<'py>(py: Python<'py>, grant: &Grant) -> PyResult<Bound<'py, PyTuple>> {
    let principal_of_user = grant.principal.as_deref();
    let others = PyDict::new(py);
    for (name, other) in &grant.principals {
        others.set_item(name, principal(py, other)?)?;
    }
    let changes = grant.changes.iter().map(|one| change(py, one));
    (
        "allow",
        principal_of_user
            .map(|user| principal(py, user))
            .transpose()?,
        others,
        PyTuple::new(py, &*grant.remove_headers)?,
        PyTuple::new(py, &*grant.set_headers)?,
        PyTuple::new(py, changes.collect::<PyResult<Vec<_>>>()?)?,
    )
        .into_pyobject(py)
}

/// In the order of the members of the class `Principal`.
fn principal<'py>(py: Python<'py>, principal: &Principal) -> PyResult<Bound<'py, PyTuple>> {
    (
        &principal.issuer,
        &principal.iss,
        &principal.subject,
        &principal.token_type,
        &principal.tenant,
        PyTuple::new(py, &principal.tenants)?,
        PyTuple::new(py, &principal.roles)?,
        PyTuple::new(py, &principal.scopes)?,
        principal.expires_at_ms,
        &principal.claims,
    )
        .into_pyobject(py)
}

fn change<'py>(py: Python<'py>, change: &Change) -> PyResult<Bound<'py, PyTuple>> {
    match change {
        Change::SetHeader(name, value) => {
            ("set_header", name, PyBytes::new(py, value)).into_pyobject(py)
        }
        Change::RemoveHeader(name) => ("remove_header", name).into_pyobject(py),
        Change::SetTarget(target) => ("set_target", PyBytes::new(py, target)).into_pyobject(py),
    }
}

/// In the order of the members of the class `Deny`.
fn denial<'py>(py: Python<'py>, denial: &Denial) -> PyResult<Bound<'py, PyTuple>> {
    (
        "deny",
        &denial.code,
        denial.status,
        &denial.message,
        &denial.challenge,
        &denial.claim,
        &denial.principal,
        denial.retry_after_s,
        &denial.nonce,
    )
        .into_pyobject(py)
}

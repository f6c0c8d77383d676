//! The context (`contextvars`) in which a check was asked for: the request's own
//! variables and its span. Hooks run in it, on whichever thread the decision is made.

use std::future::Future;

use pyo3::prelude::*;

tokio::task_local! {
    static CONTEXT: Py<PyAny>;
}

/// Lets hooks that `deciding` calls run in a context of Python.
pub(crate) async fn within<T>(context: Option<Py<PyAny>>, deciding: impl Future<Output = T>) -> T {
    match context {
        Some(context) => CONTEXT.scope(context, deciding).await,
        None => deciding.await,
    }
}

/// Calls a hook in the context of the check, if there is one.
pub(crate) fn call<'py>(
    py: Python<'py>,
    hook: &Py<PyAny>,
    event: String,
) -> PyResult<Bound<'py, PyAny>> {
    let hook = hook.bind(py);
    match CONTEXT.try_with(|context| context.clone_ref(py)) {
        Ok(context) => context.bind(py).call_method1("run", (hook, event)),
        // Documents are fetched for nobody in particular.
        Err(_) => hook.call1((event,)),
    }
}

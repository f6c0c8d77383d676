//! Calls the hooks of Python with events, as JSON: the Python classes are known in
//! one language only.

use countersign_host::GateBuilder;
use pyo3::prelude::*;

use crate::{context, process::speak};

pub(crate) fn on_decision(builder: GateBuilder, hook: Py<PyAny>) -> GateBuilder {
    builder.on_decision(move |event, _| call(&hook, event.to_json()))
}

pub(crate) fn on_document(builder: GateBuilder, hook: Py<PyAny>) -> GateBuilder {
    builder.on_document(move |event| call(&hook, event.to_json()))
}

/// A hook that raises changes nothing: Python's `sys.unraisablehook` gets the error.
fn call(hook: &Py<PyAny>, event: String) {
    speak(|py| {
        if let Err(error) = context::call(py, hook, event) {
            error.write_unraisable(py, Some(hook.bind(py)));
        }
    });
}

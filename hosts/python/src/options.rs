//! The options of a gate, as the class `Options` has them.

use std::{collections::BTreeMap, time::Duration};

use countersign_host::{GateBuilder, Refresh, Signatures};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::hooks;

#[derive(FromPyObject)]
pub(crate) struct Options {
    wait_s: f64,
    max_waiting: usize,
    instances: Option<usize>,
    refresh: String,
    signatures: String,
    now: Option<Py<PyAny>>,
    secrets: BTreeMap<String, Vec<u8>>,
    on_decision: Vec<Py<PyAny>>,
    on_document: Vec<Py<PyAny>>,
    subject_key: Option<Vec<u8>>,
    ready_s: f64,
}

impl Options {
    /// Whether hooks of Python are told of decisions.
    pub(crate) fn tells(&self) -> bool {
        !self.on_decision.is_empty()
    }

    pub(crate) fn apply(self, builder: GateBuilder) -> PyResult<GateBuilder> {
        let mut builder = builder
            .wait(seconds(self.wait_s, "wait_s")?)
            .wait_ready(seconds(self.ready_s, "ready_s")?)
            .max_waiting(self.max_waiting)
            .refresh(match &*self.refresh {
                "background" => Refresh::Background,
                "inline" => Refresh::Inline,
                _ => return Err(invalid("refresh: \"background\" or \"inline\"")),
            })
            .signatures(match &*self.signatures {
                "module" => Signatures::Module,
                "native" => Signatures::Native,
                _ => return Err(invalid("signatures: \"module\" or \"native\"")),
            });
        if let Some(instances) = self.instances {
            builder = builder.instances(instances);
        }
        for hook in self.on_decision {
            builder = hooks::on_decision(builder, hook);
        }
        for hook in self.on_document {
            builder = hooks::on_document(builder, hook);
        }
        if let Some(key) = self.subject_key {
            builder = builder.subject_key(key);
        }
        for (name, secret) in self.secrets {
            builder = builder.secret(name, secret);
        }
        Ok(match self.now {
            Some(now) => builder.clock(move || now_ms(&now)),
            None => builder,
        })
    }
}

/// The time by a clock of Python, which counts seconds. If it raises, this panics,
/// and every request is denied.
fn now_ms(now: &Py<PyAny>) -> u64 {
    Python::attach(|py| {
        let seconds = now.call0(py).and_then(|now| now.extract::<f64>(py));
        let seconds = seconds.expect("the clock has no time");
        // A negative time and none are 0, which is no time for the host either.
        (seconds * 1000.0) as u64
    })
}

/// A duration that Python says as a number.
pub(crate) fn seconds(number: f64, name: &str) -> PyResult<Duration> {
    Duration::try_from_secs_f64(number)
        .map_err(|_| PyValueError::new_err(format!("{name}: a number of seconds")))
}

fn invalid(message: &'static str) -> PyErr {
    PyValueError::new_err(message)
}

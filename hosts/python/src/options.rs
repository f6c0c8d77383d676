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
    on_decision: Option<Py<PyAny>>,
    on_document: Option<Py<PyAny>>,
    subject_key: Option<Vec<u8>>,
    ready_s: f64,
}

impl Options {
    pub(crate) fn apply(self, builder: GateBuilder) -> PyResult<GateBuilder> {
        let wait = Duration::try_from_secs_f64(self.wait_s);
        let mut builder = builder
            .wait(wait.map_err(|_| invalid("wait_s: a number of seconds"))?)
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
        let ready = Duration::try_from_secs_f64(self.ready_s);
        builder = builder.wait_ready(ready.map_err(|_| invalid("ready_s: a number of seconds"))?);
        if let Some(hook) = self.on_decision {
            builder = hooks::on_decision(builder, hook);
        }
        if let Some(hook) = self.on_document {
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

fn invalid(message: &'static str) -> PyErr {
    PyValueError::new_err(message)
}

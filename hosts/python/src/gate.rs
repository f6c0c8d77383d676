//! One open gate with the thread that fetches its documents.

use std::{future::Future, mem, process};

use countersign_host::Gate;
use countersign_policy_source::Source;
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyTuple};
use tokio::{
    runtime::{Builder, Runtime},
    task::AbortHandle,
};

use crate::{
    opening::{Opening, Prepared},
    options::seconds,
    pending::Tuple,
    policy::{not_open, refusal, source},
    process::no_fork,
    report::steps,
    request::{Owned, Parts},
    status::status,
};

/// A requirement on tokens, parsed: see `Core.prepare`.
#[pyclass(frozen)]
pub(crate) struct Requirement(pub(crate) countersign_host::Requirement);

/// A gate of this process.
#[pyclass(frozen)]
pub(crate) struct Core {
    /// In a forked process the thread is gone, and the gate must not be used.
    process: u32,
    open: Option<Open>,
}

pub(crate) struct Open {
    pub(crate) gate: Gate,
    pub(crate) runtime: Runtime,
    /// `None`: no hook of Python is told of decisions.
    pub(crate) copy_context: Option<Py<PyAny>>,
}

#[pymethods]
impl Core {
    /// Opens a gate.
    #[staticmethod]
    fn open(py: Python<'_>, opening: Opening) -> PyResult<Self> {
        let Prepared {
            builder,
            policy,
            shadow,
            tells,
        } = opening.prepare(py)?;
        // It fetches, and replaces what trapped: checks run where Python calls them.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("countersign")
            .enable_all()
            .build()
            .map_err(failed)?;
        let opened = py.detach(|| {
            let _no_fork = no_fork();
            runtime.block_on(builder.build())
        });
        let gate = opened.map_err(|error| match &policy {
            Some(policy) => not_open(py, policy, error),
            None => refusal(py, error),
        })?;
        let copy_context = || py.import("contextvars")?.getattr("copy_context");
        let core = Self {
            process: process::id(),
            open: Some(Open {
                gate,
                runtime,
                copy_context: tells.then(copy_context).transpose()?.map(Bound::unbind),
            }),
        };
        core.put_shadow(py, shadow)?;
        Ok(core)
    }

    /// Decides a request, and waits if it must.
    fn check<'py>(&self, py: Python<'py>, request: Parts<'py>) -> PyResult<Tuple<'py>> {
        let request = Owned::read(&request)?;
        self.decide(py, self.checking(py, request, false)?)
    }

    /// Decides a request, or returns what waits for the decision. `observed`: nobody
    /// will enforce it.
    fn begin_check<'py>(
        this: &Bound<'py, Self>,
        request: Parts<'py>,
        observed: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = Owned::read(&request)?;
        Self::begin(this, this.get().checking(this.py(), request, observed)?)
    }

    /// Decides a token, and waits if it must.
    fn verify<'py>(
        &self,
        py: Python<'py>,
        token: &Bound<'py, PyAny>,
        requirement: Option<&Requirement>,
        proven: bool,
    ) -> PyResult<Tuple<'py>> {
        self.decide(py, self.verifying(py, token, requirement, proven)?)
    }

    /// Decides a token, or returns what waits for the decision.
    fn begin_verify<'py>(
        this: &Bound<'py, Self>,
        token: &Bound<'py, PyAny>,
        requirement: Option<&Requirement>,
        proven: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let verifying = this
            .get()
            .verifying(this.py(), token, requirement, proven)?;
        Self::begin(this, verifying)
    }

    /// Parses a requirement: JSON, as `require` of a rule.
    fn prepare(&self, py: Python<'_>, json: Vec<u8>) -> PyResult<Requirement> {
        let gate = self.gate()?;
        let source = countersign_policy_source::Source::from_json("", json);
        let prepared = self.wait(py, gate.prepare(&source.json))?;
        let prepared = prepared.map_err(|error| not_open(py, &source, error))?;
        Ok(Requirement(prepared))
    }

    fn explain<'py>(&self, py: Python<'py>, request: Parts<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let request = Owned::read(&request)?;
        let headers = request.headers();
        let explained = self.wait(py, self.gate()?.explain_bytes(request.request(&headers)))?;
        steps(py, explained.map_err(failed)?)
    }

    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let now = self.wait(py, self.gate()?.status())?;
        status(py, now.map_err(failed)?)
    }

    fn warm<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let now = self.wait(py, self.gate()?.warm())?;
        status(py, now.map_err(failed)?)
    }

    /// Puts another policy in force.
    fn reload(&self, py: Python<'_>, name: &str, text: Vec<u8>) -> PyResult<()> {
        let source = source(py, name, text)?;
        let gate = self.gate()?;
        let reloaded = self.wait(py, gate.reload(source.json.clone()))?;
        reloaded.map_err(|error| not_open(py, &source, error))
    }

    /// Puts another candidate beside it, or none.
    fn reload_shadow(&self, py: Python<'_>, shadow: Option<(String, Vec<u8>)>) -> PyResult<()> {
        let shadow = shadow.map(|(name, text)| source(py, &name, text));
        self.put_shadow(py, shadow.transpose()?)
    }

    /// Looks for a signed policy, and puts it in force.
    fn look_for_policy(&self, py: Python<'_>) -> PyResult<bool> {
        let looked = self.wait(py, self.gate()?.look_for_policy())?;
        looked.map_err(|error| refusal(py, error))
    }

    /// The version of the signed policy in force.
    fn signed_version(&self) -> PyResult<Option<u64>> {
        Ok(self.gate()?.policy_source().map(|source| source.version))
    }

    fn ready(&self) -> PyResult<bool> {
        Ok(self.gate()?.ready())
    }

    /// Waits until the gate is ready, and no longer than this. The result is whether it
    /// is.
    fn wait_ready(&self, py: Python<'_>, within_s: f64) -> PyResult<bool> {
        let within = seconds(within_s, "within_s")?;
        let gate = self.gate()?;
        let runtime = &self.opened()?.runtime;
        // It may take long, and holds up no fork.
        Ok(py.detach(|| runtime.block_on(gate.until_ready(within))))
    }

    /// The names of the headers that decisions read now.
    fn reads(&self) -> PyResult<Vec<String>> {
        Ok(self.gate()?.reads())
    }

    /// What verifies signatures: its name, its version, and whether it is validated.
    fn cryptography(&self) -> PyResult<(&'static str, String, bool)> {
        let by = self.gate()?.cryptography();
        Ok((by.name, by.version, by.fips))
    }
}

impl Core {
    fn put_shadow(&self, py: Python<'_>, shadow: Option<Source>) -> PyResult<()> {
        let gate = self.gate()?;
        let Some(shadow) = shadow else {
            return self.wait(py, gate.reload_shadow(None))?.map_err(failed);
        };
        let put = self.wait(py, gate.reload_shadow(Some(shadow.json.clone())))?;
        put.map_err(|error| not_open(py, &shadow, error))
    }

    pub(crate) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Option<AbortHandle> {
        let open = self.opened().ok()?;
        Some(open.runtime.spawn(task).abort_handle())
    }

    fn wait<T: Send>(&self, py: Python<'_>, work: impl Future<Output = T> + Send) -> PyResult<T> {
        let runtime = &self.opened()?.runtime;
        Ok(py.detach(|| {
            let _no_fork = no_fork();
            runtime.block_on(work)
        }))
    }

    pub(crate) fn gate(&self) -> PyResult<&Gate> {
        Ok(&self.opened()?.gate)
    }

    pub(crate) fn opened(&self) -> PyResult<&Open> {
        let is_here = self.process == process::id();
        let open = self.open.as_ref().filter(|_| is_here);
        open.ok_or_else(|| PyRuntimeError::new_err("the gate belongs to another process"))
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let Some(open) = self.open.take() else { return };
        if self.process == process::id() {
            drop(open.gate);
            open.runtime.shutdown_background();
        } else {
            // Its thread is not in this process: nobody would end it.
            mem::forget(open);
        }
    }
}

fn failed(error: impl ToString) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

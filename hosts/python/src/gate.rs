//! One open gate with the thread that fetches its documents.

use std::{future::Future, mem, process};

use countersign_host::{Decision, Gate};
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyTuple};
use tokio::{
    runtime::{Builder, Runtime},
    task::AbortHandle,
};

use crate::{
    decision::decision,
    document::statuses,
    options::Options,
    pending::{Deciding, Pending, Tuple, at_once},
    policy::{not_open, source},
    process::opening,
    report::steps,
    request::{Owned, Parts, bytes},
};

/// A requirement on tokens, parsed: see `Core.prepare`.
#[pyclass(frozen)]
pub(crate) struct Requirement(countersign_host::Requirement);

/// A gate of this process.
#[pyclass(frozen)]
pub(crate) struct Core {
    /// In a forked process the thread is gone, and the gate must not be used.
    process: u32,
    open: Option<Open>,
}

struct Open {
    gate: Gate,
    runtime: Runtime,
}

#[pymethods]
impl Core {
    /// Opens a policy.
    #[staticmethod]
    fn open(
        py: Python<'_>,
        name: &str,
        text: Vec<u8>,
        options: Options,
        shadow: Option<(String, Vec<u8>)>,
    ) -> PyResult<Self> {
        let source = source(py, name, text)?;
        let mut builder = options.apply(Gate::builder().policy(source.json.clone()))?;
        if let Some((name, text)) = shadow {
            builder = builder.shadow(crate::policy::source(py, &name, text)?.json);
        }
        // It fetches, and replaces what trapped: checks run where Python calls them.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("countersign")
            .enable_all()
            .build()
            .map_err(failed)?;
        let opened = py.detach(|| {
            let _opening = opening();
            runtime.block_on(builder.build())
        });
        let gate = opened.map_err(|error| not_open(py, &source, error))?;
        Ok(Self {
            process: process::id(),
            open: Some(Open { gate, runtime }),
        })
    }

    /// Decides a request, and waits if it must.
    fn check<'py>(&self, py: Python<'py>, request: Parts<'py>) -> PyResult<Tuple<'py>> {
        let request = Owned::read(&request)?;
        self.decide(py, self.checking(request)?)
    }

    /// Decides a request, or returns what waits for the decision.
    fn begin_check<'py>(
        this: &Bound<'py, Self>,
        request: Parts<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = Owned::read(&request)?;
        Self::begin(this, this.get().checking(request)?)
    }

    /// Decides a token, and waits if it must.
    fn verify<'py>(
        &self,
        py: Python<'py>,
        token: &Bound<'py, PyAny>,
        requirement: Option<&Requirement>,
        proven: bool,
    ) -> PyResult<Tuple<'py>> {
        self.decide(py, self.verifying(token, requirement, proven)?)
    }

    /// Decides a token, or returns what waits for the decision.
    fn begin_verify<'py>(
        this: &Bound<'py, Self>,
        token: &Bound<'py, PyAny>,
        requirement: Option<&Requirement>,
        proven: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::begin(this, this.get().verifying(token, requirement, proven)?)
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
        let status = self.wait(py, self.gate()?.status())?;
        statuses(py, status.map_err(failed)?.documents)
    }

    fn warm<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let status = self.wait(py, self.gate()?.warm())?;
        statuses(py, status.map_err(failed)?.documents)
    }

    /// Puts another policy in force.
    fn reload(&self, py: Python<'_>, name: &str, text: Vec<u8>) -> PyResult<()> {
        let source = source(py, name, text)?;
        let gate = self.gate()?;
        let reloaded = self.wait(py, gate.reload(source.json.clone()))?;
        reloaded.map_err(|error| not_open(py, &source, error))
    }

    fn ready(&self) -> PyResult<bool> {
        Ok(self.gate()?.ready())
    }

    fn policy_digest(&self, py: Python<'_>) -> PyResult<String> {
        let status = self.wait(py, self.gate()?.status())?;
        Ok(status.map_err(failed)?.policy_digest)
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
    fn checking(&self, request: Owned) -> PyResult<Deciding> {
        let gate = self.gate()?.clone();
        Ok(Box::pin(async move {
            let headers = request.headers();
            gate.check_bytes(request.request(&headers)).await
        }))
    }

    fn verifying(
        &self,
        token: &Bound<'_, PyAny>,
        requirement: Option<&Requirement>,
        proven: bool,
    ) -> PyResult<Deciding> {
        let gate = self.gate()?.clone();
        let token = bytes(token, <[u8]>::to_vec)?;
        let requirement = match requirement {
            Some(Requirement(prepared)) => prepared.clone(),
            None => countersign_host::Requirement::NONE,
        };
        Ok(Box::pin(async move {
            if proven {
                gate.check_proven_token(token, &requirement).await
            } else {
                gate.check_token(token, &requirement).await
            }
        }))
    }

    fn decide<'py>(&self, py: Python<'py>, mut deciding: Deciding) -> PyResult<Tuple<'py>> {
        let runtime = &self.opened()?.runtime;
        let decided: Decision = py.detach(|| {
            let _context = runtime.enter();
            at_once(&mut deciding).unwrap_or_else(|| runtime.block_on(deciding))
        });
        decision(py, &decided)
    }

    fn begin<'py>(this: &Bound<'py, Self>, mut deciding: Deciding) -> PyResult<Bound<'py, PyAny>> {
        let py = this.py();
        let runtime = &this.get().opened()?.runtime;
        let decided = py.detach(|| {
            let _context = runtime.enter();
            at_once(&mut deciding)
        });
        match decided {
            Some(decided) => Ok(decision(py, &decided)?.into_any()),
            None => {
                let pending = Pending::new(this.clone().unbind(), deciding);
                Ok(Bound::new(py, pending)?.into_any())
            }
        }
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
            let _opening = opening();
            runtime.block_on(work)
        }))
    }

    fn gate(&self) -> PyResult<&Gate> {
        Ok(&self.opened()?.gate)
    }

    fn opened(&self) -> PyResult<&Open> {
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

//! Checks of a gate: decided at once where nothing is needed, and otherwise later.

use countersign_host::Decision;
use pyo3::prelude::*;

use crate::{
    context::within,
    decision::decision,
    gate::{Core, Requirement},
    pending::{Deciding, Pending, Tuple, at_once},
    request::{Owned, bytes},
};

impl Core {
    pub(crate) fn checking(
        &self,
        py: Python<'_>,
        request: Owned,
        observed: bool,
    ) -> PyResult<Deciding> {
        let gate = match observed {
            true => self.gate()?.observer(),
            false => self.gate()?.clone(),
        };
        let checking = async move {
            let headers = request.headers();
            gate.check_bytes(request.request(&headers)).await
        };
        Ok(Box::pin(within(self.context(py)?, checking)))
    }

    pub(crate) fn verifying(
        &self,
        py: Python<'_>,
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
        let verifying = async move {
            if proven {
                gate.check_proven_token(token, &requirement).await
            } else {
                gate.check_token(token, &requirement).await
            }
        };
        Ok(Box::pin(within(self.context(py)?, verifying)))
    }

    /// The context of the caller, if a hook will run in it.
    fn context(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let copy_context = self.opened()?.copy_context.as_ref();
        copy_context.map(|copy| copy.call0(py)).transpose()
    }

    pub(crate) fn decide<'py>(
        &self,
        py: Python<'py>,
        mut deciding: Deciding,
    ) -> PyResult<Tuple<'py>> {
        let runtime = &self.opened()?.runtime;
        let decided: Decision = py.detach(|| {
            let _context = runtime.enter();
            at_once(&mut deciding).unwrap_or_else(|| runtime.block_on(deciding))
        });
        decision(py, &decided)
    }

    pub(crate) fn begin<'py>(
        this: &Bound<'py, Self>,
        mut deciding: Deciding,
    ) -> PyResult<Bound<'py, PyAny>> {
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
}

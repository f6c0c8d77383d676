//! `countersign._native`: the Rust host for Python. It carries values between the
//! two and decides nothing; the package beside it, `python/countersign`, is what
//! users see.
//!
//! Values come in as bytes and go out as tuples, so that the Python classes are
//! known in one language only. The GIL is released while the module runs.
#![forbid(unsafe_code)]

mod check;
mod context;
mod decision;
mod decision_log;
mod document;
mod gate;
mod hooks;
mod instance;
mod log;
mod opening;
mod options;
mod pending;
mod policy;
mod process;
mod report;
mod request;
mod status;

use pyo3::pymodule;

#[pymodule(gil_used = false)]
#[pyo3(name = "_native")]
mod native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::{
        decision_log::Log,
        gate::{Core, Requirement},
        instance::{Instance, open_signed},
        log::log_to,
        pending::Pending,
        policy::{lint, policy_digest},
        process::{after_fork, before_fork, end},
        report::inspect,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("SHA256", countersign_host::SHA256)?;
        module.add("INTERFACE", countersign_host::INTERFACE)?;
        module.add("POLICY_SCHEMA", countersign_host::POLICY_SCHEMA)
    }
}

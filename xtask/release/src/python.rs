//! The wheel of the Python host.

use std::path::Path;

use anyhow::{Context, Result};
use xtask::wheel;

use crate::{
    files::{copy, dist},
    program::Plan,
};

/// Writes `python/countersign_gate-….whl`. Of a dry run it is compiled without
/// optimisation, as the command is.
pub(crate) fn write(release: &Path, plan: &Plan) -> Result<()> {
    let wheel = wheel::run(plan.wheel, &dist().join("python"))?;
    let name = wheel.file_name().context("a wheel has a name")?;
    copy(&wheel, &release.join("python").join(name))
}

//! stub
use anyhow::Result;
use std::path::Path;
pub(crate) fn installed(_: &Path) -> Result<()> {
    Ok(())
}

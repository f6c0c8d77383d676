//! stub
use anyhow::Result;
use std::path::Path;
pub(crate) fn write(_: &Path, _: &str, _: &str) -> Result<()> {
    Ok(())
}
pub(crate) fn tags(_: &str) -> Vec<String> {
    Vec::new()
}
pub(crate) fn dependencies(_: &str) -> Result<Vec<(String, String)>> {
    Ok(Vec::new())
}

//! The one file, step by step: compile, bind, seal, componentise, extract.

mod compile;
mod component;
mod glue;
mod report;
mod seal;

use std::fs;

use anyhow::{Context, Result};

use crate::project;

/// Builds everything in `dist/`.
pub(crate) fn run() -> Result<()> {
    let compiled = compile::module()?;
    let (module, glue) = glue::bind(compiled)?;
    let component = component::componentise(&seal::seal(module)?)?;
    let file = component::core_module(&component)?;
    component::assert_fixed_point(&file, &component)?;

    let dist = project::dist();
    fs::create_dir_all(dist.join("npm"))?;
    write("countersign.wasm", &file)?;
    write("countersign.component.wasm", &component)?;
    write("countersign.wasm.sha256", format!("{}  countersign.wasm\n", report::digest(&file)).as_bytes())?;
    write("npm/countersign.js", glue.js.as_bytes())?;
    write("npm/countersign.d.ts", glue.ts.as_bytes())?;
    write("npm/package.json", b"{ \"type\": \"module\" }\n")?;
    report::print(&dist.join("countersign.wasm"), &file)
}

/// Leaves an equal file alone, so that nothing that embeds it is rebuilt.
fn write(name: &str, bytes: &[u8]) -> Result<()> {
    let path = project::dist().join(name);
    if fs::read(&path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

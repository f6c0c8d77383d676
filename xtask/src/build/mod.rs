//! Builds the module in steps: compile, bind, seal, componentise, extract. Then
//! it writes the image with the module, and the manifests with both digests.

mod compile;
mod component;
mod deploy;
mod digest;
mod glue;
mod image;
pub(crate) mod report;
mod seal;

use std::{fs, path::Path};

use anyhow::{Context, Result};

pub(crate) use self::digest::Committed;
use self::glue::Names;
use crate::project;

/// Builds everything in `dist/`.
pub(crate) fn run() -> Result<()> {
    run_in(project::root(), Committed::Holds)
}

/// Builds `dist/` from the sources in any folder.
pub(crate) fn run_in(root: &Path, committed: Committed) -> Result<()> {
    let (module, glue) = glue::bind(compile::module(root)?, Names::Dropped)?;
    let component = component::componentise(&seal::seal(module)?)?;
    let file = component::core_module(&component)?;
    component::assert_fixed_point(&file, &component)?;

    let dist = root.join("dist");
    fs::create_dir_all(dist.join("npm"))?;
    let digest = report::digest(&file);
    write(&dist.join("countersign.wasm"), &file)?;
    write(&dist.join("countersign.component.wasm"), &component)?;
    let sum = format!("{digest}  countersign.wasm\n");
    write(&dist.join("countersign.wasm.sha256"), &sum)?;
    // `go:embed` cannot read files outside its own Go module.
    write(&root.join("hosts/go/countersign/countersign.wasm"), &file)?;
    write(
        &root.join("hosts/go/countersign/countersign.wasm.sha256"),
        &sum,
    )?;
    write(&dist.join("npm/countersign.js"), glue.js)?;
    write(&dist.join("npm/countersign.d.ts"), glue.ts)?;
    write(&dist.join("npm/package.json"), "{ \"type\": \"module\" }\n")?;
    let image = image::write(&dist.join("oci"), &file)?;
    deploy::write(&root.join("deploy"), &dist.join("deploy"), &digest, &image)?;
    report::print(&dist.join("countersign.wasm"), &file, &digest)?;
    digest::check(root, &sum, committed)
}

/// Builds the same code with the names of its functions.
pub(crate) fn named(root: &Path) -> Result<Vec<u8>> {
    let (module, _) = glue::bind(compile::module(root)?, Names::Kept)?;
    seal::seal(module)
}

/// Writes a file only if it differs, so that code that embeds it is not
/// rebuilt.
fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == content.as_ref()) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

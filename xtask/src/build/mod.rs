//! Builds the module in steps: compile, bind, seal, arrange, componentise, extract. Then
//! it writes the image with the module, and the manifests with both digests.

mod arrange;
mod compile;
mod component;
mod deploy;
mod digest;
mod glue;
mod image;
mod notices;
pub mod report;
mod seal;

use std::{fs, path::Path};

use anyhow::{Context, Result};

use self::glue::Names;
pub use self::{digest::Committed, notices::notices};
use crate::{
    packages::{self, WASM},
    project,
};

/// Builds everything in `dist/`.
pub fn run() -> Result<()> {
    run_in(project::root(), Committed::Holds)
}

/// Builds `dist/` from the sources in any folder.
pub fn run_in(root: &Path, committed: Committed) -> Result<()> {
    let sources = packages::sources(root, packages::in_the_file(root)?, WASM)?;
    let (module, glue) = glue::bind(compile::module(root, &sources)?, Names::Dropped)?;
    let component = component::componentise(&arrange::arrange(&seal::seal(module)?)?)?;
    let file = component::core_module(&component)?;
    component::assert_fixed_point(&file, &component)?;

    let dist = root.join("dist");
    fs::create_dir_all(dist.join("npm"))?;
    let digest = report::digest(&file);
    write(&dist.join("countersign.wasm"), &file)?;
    write(&dist.join("countersign.component.wasm"), &component)?;
    let sum = format!("{digest}  countersign.wasm\n");
    write(&dist.join("countersign.wasm.sha256"), &sum)?;
    // Packages cannot read files outside their own folder.
    let crate_files = root.join("hosts/wasmtime/module");
    fs::create_dir_all(&crate_files)?;
    write(&crate_files.join("countersign.component.wasm"), &component)?;
    write(&crate_files.join("countersign.wasm.sha256"), &sum)?;
    let notices = notices("countersign.wasm", &sources)?;
    write(&dist.join("NOTICES.txt"), &notices)?;
    write(&crate_files.join("NOTICES.txt"), &notices)?;
    for source in ["wit/countersign.wit", "verifier/policy.schema.json"] {
        let source = root.join(source);
        let name = source.file_name().context("a file has a name")?;
        write(&crate_files.join(name), fs::read(&source)?)?;
    }
    let go_files = root.join("hosts/go/countersign");
    write(&go_files.join("countersign.wasm"), &file)?;
    write(&go_files.join("countersign.wasm.sha256"), &sum)?;
    write(&dist.join("npm/countersign.js"), glue.js)?;
    write(&dist.join("npm/countersign.d.ts"), glue.ts)?;
    write(&dist.join("npm/package.json"), "{ \"type\": \"module\" }\n")?;
    let image = image::write(&dist.join("oci"), &file)?;
    deploy::write(&root.join("deploy"), &dist.join("deploy"), &digest, &image)?;
    report::print(&dist.join("countersign.wasm"), &file, &digest)?;
    digest::check(root, &sum, committed)
}

/// Builds the same code with the names of its functions.
pub fn named(root: &Path) -> Result<Vec<u8>> {
    let sources = packages::sources(root, packages::in_the_file(root)?, WASM)?;
    let (module, _) = glue::bind(compile::module(root, &sources)?, Names::Kept)?;
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

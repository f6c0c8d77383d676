//! The program with Traefik's middlewares for the tests of the decision server.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    project,
    tools::{output, run},
};

/// The module, its version, and what the Go checksum database says of it.
const MODULE: &str = "github.com/traefik/traefik/v3";
const VERSION: &str = "v3.7.13";
const SUM: &str = "h1:T8wy9KuaFzCkmXCqAzDy7t73pBDR1DHrJe3pqXpNXTw=";

/// The sources of the program.
const SOURCES: &str = "hosts/server/tests/traefik";

/// Parts of Traefik that the middlewares do not need. Some of what these import
/// cannot be had everywhere.
const LEFT_OUT: [&str; 3] = ["pkg/config/static", "pkg/provider", "pkg/plugins"];

/// Returns the path of the program, and builds it under `target/` if needed.
pub fn program() -> Result<PathBuf> {
    let target = project::target(project::root());
    let folder = target.join("tools").join(format!("traefik-{VERSION}"));
    copy_program(&folder)?;
    copy_traefik(&folder.join("traefik"))?;
    run(Command::new("go")
        .current_dir(&folder)
        .args(["build", "-o", "traefik-middlewares", "."]))?;
    Ok(folder.join("traefik-middlewares"))
}

/// Go builds again only what has changed.
fn copy_program(folder: &Path) -> Result<()> {
    let sources = project::root().join(SOURCES);
    copy(&sources, folder, &|_| true)?;
    // A file that is no longer there would still be compiled.
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_go = entry.path().extension().is_some_and(|end| end == "go");
        if is_go && !sources.join(entry.file_name()).exists() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Copies Traefik without its tests and without what is left out.
fn copy_traefik(folder: &Path) -> Result<()> {
    if folder.join("go.mod").is_file() {
        return Ok(());
    }
    let module = format!("{MODULE}@{VERSION}");
    let found = output(Command::new("go").args(["mod", "download", "-json", &module]))?;
    let found: serde_json::Value = serde_json::from_str(&found)?;
    let sum = found["Sum"].as_str().unwrap_or_default();
    ensure!(sum == SUM, "{module} has the sum {sum}");
    let source = PathBuf::from(found["Dir"].as_str().context("go says no folder")?);
    let is_kept = |path: &Path| {
        let is_test = path.to_string_lossy().ends_with("_test.go");
        !is_test && !LEFT_OUT.iter().any(|left_out| path.starts_with(left_out))
    };
    copy(&source.join("pkg"), &folder.join("pkg"), &|path| {
        is_kept(&Path::new("pkg").join(path))
    })?;
    let stub = project::root().join(SOURCES).join("stubs/static");
    copy(&stub, &folder.join("pkg/config/static"), &|_| true)?;
    // Last: with it the copy is whole.
    fs::write(folder.join("go.mod"), fs::read(source.join("go.mod"))?)?;
    Ok(())
}

/// Copies a folder. `is_kept` gets paths in it.
fn copy(from: &Path, to: &Path, is_kept: &dyn Fn(&Path) -> bool) -> Result<()> {
    copy_in(from, Path::new(""), to, is_kept)
}

fn copy_in(root: &Path, path: &Path, to: &Path, is_kept: &dyn Fn(&Path) -> bool) -> Result<()> {
    fs::create_dir_all(to.join(path))?;
    let folder = root.join(path);
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let path = path.join(entry.file_name());
        if !is_kept(&path) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_in(root, &path, to, is_kept)?;
        } else {
            // A file of the module cache is read-only, and so would its copy be.
            let bytes = fs::read(entry.path())?;
            let copied = to.join(&path);
            if fs::read(&copied).ok().as_ref() != Some(&bytes) {
                fs::write(copied, bytes)?;
            }
        }
    }
    Ok(())
}

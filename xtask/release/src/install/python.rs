//! The wheel in new environments: the lines of its README for FastAPI, and those
//! for Django.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use xtask::{project, tools};

use super::{Issuer, Process, http, readme};

pub(crate) fn installed(release: &Path, issuer: &Issuer) -> Result<()> {
    let text = fs::read_to_string(project::root().join("hosts/python/README.md"))?;
    let blocks = readme::blocks(&text, "python");
    let [fastapi, settings, views, ..] = &blocks[..] else {
        bail!("the README has not three blocks of Python");
    };
    with_fastapi(release, issuer, fastapi)?;
    with_django(release, issuer, settings, views)
}

fn with_fastapi(release: &Path, issuer: &Issuer, main: &str) -> Result<()> {
    let (folder, python) = environment(release, "fastapi", &["uvicorn"])?;
    fs::write(folder.path().join("main.py"), main)?;
    issuer.write_policy(folder.path())?;
    let port = http::free_port()?;
    let port_text = port.to_string();
    let server = [
        "-m",
        "uvicorn",
        "main:app",
        "--port",
        &port_text,
        "--log-level",
        "warning",
    ];
    let _process = start(&python, folder.path(), &server)?;
    http::decides(port, &issuer.token("acme")?, "hello, alice")
}

fn with_django(release: &Path, issuer: &Issuer, settings: &str, views: &str) -> Result<()> {
    let (folder, python) = environment(release, "django", &[])?;
    let project = ["-m", "django", "startproject", "site_", "."];
    tools::run(
        Command::new(&python)
            .current_dir(folder.path())
            .args(project),
    )?;
    let path = folder.path().join("site_/settings.py");
    let made = fs::read_to_string(&path)?;
    fs::write(&path, format!("{made}\n{settings}"))?;
    fs::write(folder.path().join("site_/urls.py"), views)?;
    issuer.write_policy(folder.path())?;
    let port = http::free_port()?;
    let address = format!("127.0.0.1:{port}");
    let server = [
        "manage.py",
        "runserver",
        "--noreload",
        "--skip-checks",
        &address,
    ];
    let _process = start(&python, folder.path(), &server)?;
    http::decides(port, &issuer.token("acme")?, "hello, alice")
}

/// A folder with nothing but an environment, in which the wheel of the release is.
fn environment(release: &Path, extra: &str, more: &[&str]) -> Result<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let wheels = release.join("python").canonicalize()?;
    let wheels = wheels.to_str().context("a path in UTF-8")?;
    let package = format!("countersign-gate[{extra}]");
    let packages = [&["--find-links", wheels, &*package], more].concat();
    let python = tools::environment("python3", &folder.path().join("environment"), &packages)?;
    Ok((folder, python))
}

fn start(python: &Path, folder: &Path, arguments: &[&str]) -> Result<Process> {
    let process = Command::new(python)
        .current_dir(folder)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", python.display()))?;
    Ok(Process(process))
}

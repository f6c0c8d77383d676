//! A new service with the crates, in the oldest Rust. The crates are not in the
//! registry yet, so each is replaced by its package.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use xtask::{archive, project, tools, version::VERSION};

use super::{Issuer, Process, http, readme};
use crate::crates;

pub(crate) fn installed(release: &Path, issuer: &Issuer) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut patches = "\n[patch.crates-io]\n".to_owned();
    for name in crates::ORDER {
        let unpacked = folder.path().join(name);
        archive::unpack(
            &release.join(format!("crates/{name}-{VERSION}.crate")),
            &unpacked,
        )?;
        patches += &format!("{name} = {{ path = {unpacked:?} }}\n");
    }
    let service = folder.path().join("service");
    fs::create_dir_all(service.join("src"))?;
    let text = fs::read_to_string(folder.path().join("countersign-host/README.md"))?;
    let manifest = "[package]\nname = \"service\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n";
    let dependencies = readme::block(&text, "toml")?;
    fs::write(
        service.join("Cargo.toml"),
        format!("{manifest}{dependencies}{patches}"),
    )?;
    // The tested versions of other crates, which are compiled already.
    fs::copy(
        project::root().join("Cargo.lock"),
        service.join("Cargo.lock"),
    )?;
    let port = http::free_port()?;
    let main = readme::block(&text, "rust")?.replace("8080", &port.to_string());
    fs::write(service.join("src/main.rs"), main)?;
    issuer.write_policy(&service)?;
    tools::run(
        crates::cargo()
            .current_dir(&service)
            .args(["build", "--quiet"]),
    )?;

    let program = crates::target().join("debug/service");
    let process = Command::new(&program)
        .current_dir(&service)
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let _process = Process(process);
    http::decides(port, &issuer.token("acme")?, "hello, alice")
}

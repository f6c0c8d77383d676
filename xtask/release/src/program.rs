//! The command as a static program. musl needs no library of the system, and
//! zig compiles the C and assembly code of the TLS library for any target.

use std::{
    collections::BTreeSet,
    env::consts::ARCH,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use xtask::{
    archive::{self, Entry},
    build,
    packages::{self, Package},
    project, tools,
    version::VERSION,
    wheel,
};

use crate::files;

/// The targets of rustc. A dry run takes the one of this machine.
pub(crate) const TARGETS: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// What is compiled, and how.
pub(crate) struct Plan {
    pub(crate) targets: Vec<&'static str>,
    profile: &'static str,
    /// That of the wheel.
    pub(crate) wheel: wheel::Profile,
}

impl Plan {
    pub(crate) fn release() -> Self {
        Self {
            targets: TARGETS.to_vec(),
            profile: "release",
            wheel: wheel::Profile::Release,
        }
    }

    /// Optimised code takes twice as long to compile, and decides the same.
    pub(crate) fn dry_run() -> Self {
        Self {
            targets: own().collect(),
            profile: "dev",
            wheel: wheel::Profile::Dev,
        }
    }
}

/// musl is a part of Rust's standard library for these targets.
const MUSL: &str =
    "\nmusl libc (MIT), copyright (c) 2005-2024 Rich Felker, et al., is in it too.\n";

/// Returns the name of a target's archive, without its ending.
pub(crate) fn name(target: &str) -> String {
    format!("countersign-{VERSION}-{target}")
}

pub(crate) fn write(release: &Path, target: &str, plan: &Plan) -> Result<()> {
    let program = compile(target, plan.profile)?;
    let folder = name(target);
    let mut program = Entry::new(format!("{folder}/countersign"), fs::read(program)?);
    program.is_program = true;
    let mut entries = vec![
        program,
        Entry::new(format!("{folder}/NOTICES.txt"), notices(target)?),
    ];
    let readme = [("hosts/cli/README.md", "README.md")];
    entries.extend(files::entries(&format!("{folder}/"), &readme)?);
    let archive = archive::tar_gz(&entries)?;
    files::put(&release.join(format!("bin/{folder}.tar.gz")), archive)
}

fn compile(target: &str, profile: &str) -> Result<PathBuf> {
    tools::run(
        Command::new("rustup")
            .current_dir(project::root())
            .args(["target", "add", target]),
    )?;
    let [cc, ar] = zig(target)?;
    let variable = target.replace('-', "_");
    let folder = project::target(project::root()).join("programs");
    let flags = ["-Clinker=rust-lld", "-Clinker-flavor=ld.lld", &remap()?];
    let mut cargo = project::cargo();
    cargo
        .current_dir(project::root())
        .args(["build", "--quiet", "--locked", "--profile", profile])
        .args(["--package", "countersign-cli", "--target", target])
        .arg("--target-dir")
        .arg(&folder)
        .env(format!("CC_{variable}"), cc)
        .env(format!("AR_{variable}"), ar)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .env("CARGO_PROFILE_DEV_STRIP", "symbols")
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    tools::run(&mut cargo)?;
    let folder = folder.join(target);
    Ok(match profile {
        "dev" => folder.join("debug/countersign"),
        other => folder.join(other).join("countersign"),
    })
}

/// Error messages would contain the path of this folder.
fn remap() -> Result<String> {
    let root = project::root().to_str().context("a path in UTF-8")?;
    Ok(format!("--remap-path-prefix={root}=countersign"))
}

/// Writes scripts that start zig as a C compiler and an archiver. zig does not
/// know rustc's name of the target, and instruments code without optimisation,
/// for which it links nothing here.
fn zig(target: &str) -> Result<[PathBuf; 2]> {
    let python = tools::zig()?;
    let python = python.to_str().context("a path in UTF-8")?;
    let zig_target = target.replace("-unknown", "");
    let folder = project::target(project::root()).join("programs");
    let cc = folder.join(format!("cc-{zig_target}"));
    tools::script(
        &cc,
        &format!(
            "for a; do shift; case $a in --target=*) ;; *) set -- \"$@\" \"$a\";; esac; done\n\
             exec '{python}' -m ziglang cc -target {zig_target} -fno-sanitize=all \"$@\"\n"
        ),
    )?;
    let ar = folder.join("ar");
    tools::script(&ar, &format!("exec '{python}' -m ziglang ar \"$@\"\n"))?;
    Ok([cc, ar])
}

fn notices(target: &str) -> Result<String> {
    let packages = packages(target)?;
    let sources = packages::sources(project::root(), packages, target)?;
    let program = build::notices(&format!("the countersign command for {target}"), &sources)?;
    Ok(program + MUSL + "\n" + &files::notices()?)
}

/// Returns the name of the archive for this machine, without its ending.
pub(crate) fn own_name() -> Result<String> {
    own()
        .next()
        .map(name)
        .context("no target is this machine's")
}

fn own() -> impl Iterator<Item = &'static str> {
    TARGETS
        .into_iter()
        .filter(|target| target.starts_with(ARCH))
}

/// Returns the packages whose code is in the program.
pub(crate) fn packages(target: &str) -> Result<BTreeSet<Package>> {
    let options = ["--package", "countersign-cli", "--target", target];
    packages::tree(
        project::root(),
        &[&options[..], &["-e", "normal,no-proc-macro"]].concat(),
    )
}

//! Programs of the system's own distribution, in the version that most machines have.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    project,
    tools::{output, run, script},
};

/// Returns the path of a program of a Debian package, which is downloaded and unpacked
/// under `target/` with the libraries that are missing. Nothing is installed, and root is
/// not needed.
pub fn program(package: &str, name: &str) -> Result<PathBuf> {
    let folder = project::target(project::root())
        .join("tools/debian")
        .join(package);
    let start = folder.join(name);
    if start.is_file() {
        return Ok(start);
    }
    let root = folder.join("root");
    fs::create_dir_all(&root)?;
    let apt = Apt::new(&folder)?;
    apt.update()?;
    for package in apt.missing(package)? {
        run(apt.get().current_dir(&folder).args(["download", &package]))?;
    }
    for file in fs::read_dir(&folder)? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("-x").arg(&file).arg(&root))?;
        }
    }
    // Without them in the unpacked files, the machine has the package.
    let places =
        [&root, Path::new("/")].map(|root| ["usr/sbin", "usr/bin"].map(|bin| root.join(bin)));
    let mut programs = places.iter().flatten().map(|bin| bin.join(name));
    let program = programs.find(|program| program.is_file());
    let program = program.with_context(|| format!("`{package}` has no program `{name}`"))?;
    let libraries = libraries(&root)?;
    script(
        &start,
        &format!(
            "LD_LIBRARY_PATH={libraries} exec {} \"$@\"\n",
            program.display()
        ),
    )?;
    Ok(start)
}

/// Returns the folder of Prometheus and promtool.
pub fn prometheus() -> Result<PathBuf> {
    program("prometheus", "prometheus")?;
    let promtool = program("prometheus", "promtool")?;
    Ok(promtool.parent().context("it is in a folder")?.to_owned())
}

/// apt with lists and files of its own.
struct Apt(Vec<String>);

impl Apt {
    fn new(folder: &Path) -> Result<Self> {
        let at = |name: &str| folder.join("apt").join(name);
        for name in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(at(name))?;
        }
        let user = output(Command::new("id").arg("-un"))?;
        Ok(Self(vec![
            format!("-oDir::State::Lists={}", at("lists").display()),
            format!("-oDir::Cache={}", at("cache").display()),
            format!("-oAPT::Sandbox::User={user}"),
            "-oDebug::NoLocking=1".to_owned(),
            "-qq".to_owned(),
        ]))
    }

    fn get(&self) -> Command {
        let mut command = Command::new("apt-get");
        command.args(&self.0);
        command
    }

    fn update(&self) -> Result<()> {
        run(self.get().arg("update"))
    }

    /// The packages that an installation of this one would bring.
    fn missing(&self, package: &str) -> Result<Vec<String>> {
        let arguments = ["--simulate", "--no-install-recommends", "install", package];
        let text = output(self.get().args(arguments)).context("apt-get cannot simulate")?;
        let names = text.lines().filter_map(|line| {
            let name = line.strip_prefix("Inst ")?.split(' ').next()?;
            Some(name.to_owned())
        });
        Ok(names.collect())
    }
}

/// The folders of libraries below `root`, as in `LD_LIBRARY_PATH`.
fn libraries(root: &Path) -> Result<String> {
    let mut found = Vec::new();
    for place in ["usr/lib", "lib"] {
        let Ok(entries) = fs::read_dir(root.join(place)) else {
            continue;
        };
        for entry in entries {
            let path = entry?.path();
            if path.display().to_string().contains("-linux-") {
                found.push(path.display().to_string());
            }
        }
    }
    Ok(found.join(":"))
}

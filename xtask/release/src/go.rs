//! The Go modules of a release: a tag for each, whose tree is what is
//! published, and a module proxy (`go help goproxy`) that the go command makes
//! from the tags.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use xtask::{project, tools, version::VERSION};

use crate::{
    files::{LICENCES, copy, dist, empty, notices, remove},
    source::{Source, git},
    tags::{Tags, without_settings},
};

/// The repository, as a prefix of the paths of its modules.
pub(crate) const REPOSITORY: &str = "github.com/countersign/countersign";

/// The folders of the published modules. A module is behind those that it
/// requires.
pub(crate) const MODULES: [&str; 5] = [
    HOST,
    "hosts/go/yaml",
    "hosts/go/grpc",
    "hosts/go/otel",
    "hosts/go/redis",
];

/// The module that has the sealed file.
pub(crate) const HOST: &str = "hosts/go";

const SEALED: [&str; 2] = ["countersign.wasm", "countersign.wasm.sha256"];

/// Writes the proxy of this version to `go/` in the release, and the tags to
/// `go/tags.bundle`. `git fetch go/tags.bundle 'refs/tags/*:refs/tags/*'` gets
/// them; they are published by pushing them.
pub(crate) fn write(release: &Path, source: &Source) -> Result<()> {
    empty(&release.join("go"))?;
    // Commands run in other folders.
    let proxy = fs::canonicalize(release.join("go"))?;
    let tags = Tags::init(&work("tags"), source)?;
    let made = work("made");
    empty(&made)?;
    let modules = third_party_modules()?;
    let version = format!("v{VERSION}");
    for module in MODULES {
        let folder = tags.folder.join(module);
        copy_published(module, &tags.folder)?;
        for licence in LICENCES {
            copy(&project::root().join(licence), &folder.join(licence))?;
        }
        if module == HOST {
            for name in SEALED {
                copy(&dist().join(name), &folder.join("countersign").join(name))?;
            }
            fs::write(folder.join("NOTICES.txt"), notices()?)?;
        }
        // What is required of this release comes from its own proxy.
        let proxies = format!("{},{}", file_url(&proxy)?, usual_proxies()?);
        let go = |arguments: &[&str]| {
            tools::output(go(&modules, &proxies).current_dir(&folder).args(arguments))
        };
        require_release(&folder, &version, &go)?;
        go(&["mod", "tidy"])?;
        for check in ["build", "vet", "test"] {
            go(&[check, "./..."])?;
        }
        tags.tag(module, &version)?;
        publish(&proxy, &made, &tags, module, &version)?;
    }
    tags.bundle(&proxy.join("tags.bundle"))
}

/// Returns the names of the tags, in the order in which they are published.
pub(crate) fn tags() -> Vec<String> {
    MODULES.map(|module| format!("{module}/v{VERSION}")).into()
}

/// Returns the module of a file in the proxy.
pub(crate) fn module_of(file: &str) -> Option<&'static str> {
    MODULES
        .into_iter()
        .find(|module| file.contains(&format!("{REPOSITORY}/{module}/@v/")))
}

/// Returns the paths and versions of the modules that a `go.mod` requires.
pub(crate) fn requirements(go_mod: &Path) -> Result<Vec<(String, String)>> {
    let json = tools::output(
        Command::new("go")
            .args(["mod", "edit", "-json"])
            .arg(go_mod),
    )?;
    let json: Value = serde_json::from_str(&json)?;
    let required = json["Require"].as_array().into_iter().flatten();
    required
        .map(|one| {
            let text = |name: &str| one[name].as_str().map(str::to_owned);
            text("Path")
                .zip(text("Version"))
                .context("a requirement has both")
        })
        .collect()
}

/// Returns a folder for the work on releases.
fn work(name: &str) -> PathBuf {
    project::target(project::root())
        .join("release-go")
        .join(name)
}

/// Returns the folder of the modules of others. It stays between releases, but
/// never contains a module of this repository.
pub(crate) fn third_party_modules() -> Result<PathBuf> {
    let modules = work("modules");
    for own in [REPOSITORY, &format!("cache/download/{REPOSITORY}")] {
        remove(&modules.join(own))?;
    }
    Ok(modules)
}

/// Copies the files that git tracks, but not those of modules in folders of the
/// module, and not its tests: they need other folders of the repository.
fn copy_published(module: &str, to: &Path) -> Result<()> {
    let listed = git(&["ls-files", "-z", "--", module])?;
    let files: Vec<&str> = listed.split_terminator('\0').collect();
    let other_modules: Vec<&str> = files
        .iter()
        .filter_map(|file| file.strip_suffix("go.mod"))
        .filter(|folder| folder.trim_end_matches('/') != module)
        .collect();
    for file in files {
        let is_of_other = other_modules.iter().any(|folder| file.starts_with(folder));
        if !is_of_other && !is_for_tests(file) {
            copy(&project::root().join(file), &to.join(file))?;
        }
    }
    Ok(())
}

/// Examples need nothing of the repository, and pkg.go.dev shows them. All that
/// is in `internal/` is for tests.
fn is_for_tests(file: &str) -> bool {
    file.ends_with("_test.go") && !file.ends_with("/example_test.go")
        || file
            .split('/')
            .any(|part| part == "testdata" || part == "internal")
}

/// If the module requires the host, it requires that of this release instead of
/// the one in the repository.
fn require_release(
    folder: &Path,
    version: &str,
    go: &impl Fn(&[&str]) -> Result<String>,
) -> Result<()> {
    let host = format!("{REPOSITORY}/{HOST}");
    let requirements = fs::read_to_string(folder.join("go.mod"))?;
    if requirements.contains(&format!("replace {host} ")) {
        let replace = format!("-dropreplace={host}");
        let require = format!("-require={host}@{version}");
        go(&["mod", "edit", &replace, &require])?;
    }
    let requirements = fs::read_to_string(folder.join("go.mod"))?;
    ensure!(
        !requirements.contains("replace"),
        "{} still has a `replace`",
        folder.display()
    );
    Ok(())
}

/// Lets the go command make the module's files from its tag, as for everyone who
/// gets it from the repository, and copies them to the proxy.
fn publish(proxy: &Path, made: &Path, tags: &Tags, module: &str, version: &str) -> Result<()> {
    let path = format!("{REPOSITORY}/{module}");
    tools::output(
        go(made, "direct")
            .current_dir(made)
            .args(["mod", "download", &format!("{path}@{version}")])
            .env("GIT_CONFIG_COUNT", "1")
            .env(
                "GIT_CONFIG_KEY_0",
                format!("url.{}.insteadOf", file_url(&tags.folder)?),
            )
            .env("GIT_CONFIG_VALUE_0", format!("https://{REPOSITORY}")),
    )?;
    let names = ["info", "mod", "zip"].map(|ending| format!("{version}.{ending}"));
    for name in names.into_iter().chain(["list".to_owned()]) {
        let file = format!("{path}/@v/{name}");
        copy(&made.join("cache/download").join(&file), &proxy.join(&file))?;
    }
    Ok(())
}

/// Returns a go command that keeps modules in this folder and gets them from
/// these proxies. The checksum database does not know a release before it is
/// published.
pub(crate) fn go(modules: &Path, proxies: &str) -> Command {
    let mut go = Command::new("go");
    without_settings(&mut go)
        .env("GOMODCACHE", modules)
        .env("GOPROXY", proxies)
        .env("GONOPROXY", "none")
        .env("GONOSUMDB", format!("{REPOSITORY}/*"))
        .env("GOFLAGS", "-modcacherw")
        // The go command keeps a list of a module's files for its path and version.
        // Here a version is made again, with other files.
        .env("GODEBUG", "goindex=0")
        .env("GOWORK", "off");
    go
}

/// Returns the proxies that the go command uses on this machine.
pub(crate) fn usual_proxies() -> Result<String> {
    tools::output(Command::new("go").args(["env", "GOPROXY"]))
}

pub(crate) fn file_url(folder: &Path) -> Result<String> {
    let folder = fs::canonicalize(folder)?;
    let folder = folder.to_str().context("the path is not UTF-8")?;
    Ok(format!("file://{folder}"))
}

#[cfg(test)]
mod tests {
    use super::is_for_tests;

    #[test]
    fn tests_are_not_published_but_examples_are() {
        for file in [
            "hosts/go/countersign/gate_test.go",
            "hosts/go/countersign/testdata/faulty.wasm",
            "hosts/go/internal/issuertest/issuer.go",
        ] {
            assert!(is_for_tests(file), "{file}");
        }
        for file in [
            "hosts/go/countersign/gate.go",
            "hosts/go/countersign/example_test.go",
            "hosts/go/README.md",
        ] {
            assert!(!is_for_tests(file), "{file}");
        }
    }
}

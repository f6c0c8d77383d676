//! Does what the READMEs of the Go modules say, with the modules of a release
//! and nothing else of this repository.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use xtask::tools;

use super::{http, readme::block};
use crate::go::{MODULES, REPOSITORY, file_url, go, third_party_modules, usual_proxies};

/// Starts a service and calls it with and without a token.
const CALLER: &str = include_str!("caller.go");

/// The address in the READMEs, and the one that the test can have.
const ADDRESS: &str = "localhost:8080";

const WAZERO: &str = "github.com/tetratelabs/wazero";

/// Each module is installed with the Go of this machine, and with exactly the
/// oldest that it says it needs.
pub(crate) fn installed(release: &Path) -> Result<()> {
    let proxy = release.join("go");
    let modules = third_party_modules()?;
    for module in MODULES {
        let versions = proxy.join(format!("{REPOSITORY}/{module}/@v"));
        let version = fs::read_to_string(versions.join("list"))?.trim().to_owned();
        let requirements = fs::read_to_string(versions.join(format!("{version}.mod")))?;
        let oldest = required(&requirements, "go").context("go.mod says no version of Go")?;
        for toolchain in [None, Some(format!("go{oldest}"))] {
            let machine = Machine {
                modules: modules.clone(),
                // No other proxy: all of this repository must be in the release.
                release: file_url(&proxy)?,
                usual: usual_proxies()?,
                toolchain,
            };
            installed_on(&machine, module, &version, &requirements)
                .with_context(|| format!("{module}, with {:?}", machine.toolchain))?;
        }
    }
    Ok(())
}

fn installed_on(machine: &Machine, module: &str, version: &str, requirements: &str) -> Result<()> {
    machine.has_toolchain()?;
    let published = machine.download(module, version)?;
    let readme = fs::read_to_string(published.join("README.md"))?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let address = format!("localhost:{}", http::free_port()?);
    follow(machine, folder, &readme, &address)?;

    let path = format!("{REPOSITORY}/{module}");
    for (name, wanted) in [
        (&*path, Some(version)),
        (WAZERO, required(requirements, WAZERO)),
    ] {
        let Some(wanted) = wanted else { continue };
        let selected = machine.run(folder, &["list", "-m", "-f", "{{.Version}}", name])?;
        ensure!(selected == wanted, "{name} {selected} instead of {wanted}");
    }

    let service = format!("./service{}", std::env::consts::EXE_SUFFIX);
    machine.run(folder, &["build", "-o", &service, "."])?;
    fs::write(folder.join("caller.go"), CALLER)?;
    let protocol = if module.ends_with("grpc") {
        "grpc"
    } else {
        "http"
    };
    machine.run(folder, &["run", "caller.go", &service, &address, protocol])?;
    Ok(())
}

/// Does the install lines of the README, and writes its policy and its program.
fn follow(machine: &Machine, folder: &Path, readme: &str, address: &str) -> Result<()> {
    for line in block(readme, "sh")?.lines() {
        let arguments = line.strip_prefix("go ").context("a line is not of go")?;
        machine.run(folder, &arguments.split(' ').collect::<Vec<_>>())?;
    }
    let (name, policy) = match block(readme, "json") {
        Ok(policy) => ("policy.json", policy),
        Err(_) => ("policy.yaml", block(readme, "yaml")?),
    };
    fs::write(folder.join(name), policy)?;
    let program = block(readme, "go")?;
    ensure!(program.contains(ADDRESS), "the program has another address");
    fs::write(folder.join("main.go"), program.replace(ADDRESS, address))?;
    Ok(())
}

/// Returns the version that a go.mod requires.
fn required<'a>(requirements: &'a str, what: &str) -> Option<&'a str> {
    requirements.lines().find_map(|line| {
        let line = line.trim_start().trim_start_matches("require ");
        let (name, rest) = line.split_once(' ')?;
        (name == what).then(|| rest.split(' ').next())?
    })
}

struct Machine {
    /// Where the go command keeps modules.
    modules: PathBuf,
    /// The proxy of the release, and those that this machine uses.
    release: String,
    usual: String,
    /// Another Go than that of this machine.
    toolchain: Option<String>,
}

impl Machine {
    /// Modules of others are there already, with the hashes of the go.sum of
    /// the release ([`Self::download`]): no network is needed.
    fn run(&self, folder: &Path, arguments: &[&str]) -> Result<String> {
        let mut go = self.go(&self.release);
        go.env("GOSUMDB", "off");
        tools::output(go.current_dir(folder).args(arguments))
    }

    fn go(&self, proxies: &str) -> Command {
        let mut go = go(&self.modules, proxies);
        go.envs(self.toolchain.iter().map(|name| ("GOTOOLCHAIN", name)));
        go
    }

    /// The go command gets another toolchain from a usual proxy.
    fn has_toolchain(&self) -> Result<()> {
        let version = tools::output(self.go(&self.usual).args(["env", "GOVERSION"]))?;
        let wanted = self.toolchain.as_ref().unwrap_or(&version);
        ensure!(version == *wanted, "{version} runs instead");
        Ok(())
    }

    /// Gets a module of the release, and what it requires of others. Returns its
    /// folder.
    fn download(&self, module: &str, version: &str) -> Result<PathBuf> {
        let module = format!("{REPOSITORY}/{module}@{version}");
        let anywhere = std::env::temp_dir();
        let answer = self.run(&anywhere, &["mod", "download", "-json", &module])?;
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        let folder = PathBuf::from(answer["Dir"].as_str().context("it has no folder")?);
        let mut go = self.go(&format!("{},{}", self.release, self.usual));
        tools::output(go.current_dir(&folder).args(["mod", "download"]))?;
        Ok(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_found_in_and_outside_of_a_list() {
        let requirements =
            "module a\n\ngo 1.25.0\n\nrequire b v1.2.3\n\nrequire (\n\tc v2.0.0 // indirect\n)\n";
        assert_eq!(required(requirements, "go"), Some("1.25.0"));
        assert_eq!(required(requirements, "b"), Some("v1.2.3"));
        assert_eq!(required(requirements, "c"), Some("v2.0.0"));
        assert_eq!(required(requirements, "d"), None);
    }
}

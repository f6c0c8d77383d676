//! Does what the READMEs of the Go modules say, with the modules of a release
//! and nothing else of this repository.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::release::go::{
    MODULES, REPOSITORY, file_url, go, output, third_party_modules, usual_proxies,
};

/// Starts a service and calls it with and without a token.
const CALLER: &str = include_str!("caller.go");

/// The address in the READMEs, and the one that the test can have.
const ADDRESS: &str = "localhost:8080";

const WAZERO: &str = "github.com/tetratelabs/wazero";

pub(crate) fn installed(release: &Path) -> Result<()> {
    let proxy = release.join("go");
    let machine = Machine {
        modules: third_party_modules()?,
        // No other proxy: a module of the release that is not in it is an error.
        release: file_url(&proxy)?,
        usual: usual_proxies()?,
    };
    let folder = tempfile::tempdir()?;
    for module in MODULES {
        let versions = proxy.join(format!("{REPOSITORY}/{module}/@v"));
        let version = fs::read_to_string(versions.join("list"))?.trim().to_owned();
        let requirements = fs::read_to_string(versions.join(format!("{version}.mod")))?;
        let published = machine.download(module, &version)?;
        let readme = fs::read_to_string(published.join("README.md"))?;

        let folder = folder.path().join(module.replace('/', "-"));
        fs::create_dir(&folder)?;
        let address = free_address()?;
        follow(&machine, &folder, &readme, &address)
            .with_context(|| format!("{module}/README.md"))?;
        let selected = machine.selected(&folder, &format!("{REPOSITORY}/{module}"))?;
        ensure!(
            selected == version,
            "{module}: {selected} instead of {version}"
        );
        if let Some(minimum) = required(&requirements, WAZERO) {
            let selected = machine.selected(&folder, WAZERO)?;
            ensure!(
                selected == minimum,
                "{module}: wazero {selected} instead of {minimum}"
            );
        }
        let minimum = required(&requirements, "go").context("go.mod says no version of Go")?;
        for toolchain in [None, Some(format!("go{minimum}"))] {
            machine
                .build_and_call(&folder, module, &address, toolchain.as_deref())
                .with_context(|| format!("{module}, with {toolchain:?}"))?;
        }
    }
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
    fs::write(
        folder.join("main.go"),
        program.replace(ADDRESS, address),
    )?;
    Ok(())
}

/// Returns the first block of this language.
fn block<'a>(readme: &'a str, language: &str) -> Result<&'a str> {
    let (_, rest) = readme
        .split_once(&format!("\n```{language}\n"))
        .with_context(|| format!("no block of {language}"))?;
    let (block, _) = rest.split_once("```\n").context("a block has no end")?;
    Ok(block)
}

/// Returns the version that a go.mod requires.
fn required<'a>(requirements: &'a str, what: &str) -> Option<&'a str> {
    requirements.lines().find_map(|line| {
        let line = line.trim_start().trim_start_matches("require ");
        let (name, rest) = line.split_once(' ')?;
        (name == what).then(|| rest.split(' ').next())?
    })
}

fn free_address() -> Result<String> {
    let port = TcpListener::bind("localhost:0")?.local_addr()?.port();
    Ok(format!("localhost:{port}"))
}

struct Machine {
    modules: PathBuf,
    release: String,
    usual: String,
}

impl Machine {
    fn go(&self) -> Command {
        go(&self.modules, &self.release)
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Result<String> {
        output(self.go().current_dir(folder).args(arguments))
    }

    /// Gets a module of the release, and what it requires of others. Returns its
    /// folder.
    fn download(&self, module: &str, version: &str) -> Result<PathBuf> {
        let module = format!("{REPOSITORY}/{module}@{version}");
        let answer = output(self.go().args(["mod", "download", "-json", &module]))?;
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        let folder = PathBuf::from(answer["Dir"].as_str().context("it has no folder")?);
        let proxies = format!("{},{}", self.release, self.usual);
        output(
            go(&self.modules, &proxies)
                .current_dir(&folder)
                .args(["mod", "download"]),
        )?;
        Ok(folder)
    }

    fn selected(&self, folder: &Path, module: &str) -> Result<String> {
        self.run(folder, &["list", "-m", "-f", "{{.Version}}", module])
    }

    /// Builds the service with the newest Go of this machine, or exactly this
    /// one, and calls it.
    fn build_and_call(
        &self,
        folder: &Path,
        module: &str,
        address: &str,
        toolchain: Option<&str>,
    ) -> Result<()> {
        let mut build = self.go();
        if let Some(toolchain) = toolchain {
            // The go command gets the toolchain from a usual proxy.
            let version = output(
                go(&self.modules, &self.usual)
                    .current_dir(folder)
                    .env("GOTOOLCHAIN", toolchain)
                    .args(["env", "GOVERSION"]),
            )?;
            ensure!(version == toolchain, "{version} runs instead");
            build.env("GOTOOLCHAIN", toolchain);
        }
        let service = format!("./service{}", std::env::consts::EXE_SUFFIX);
        output(
            build
                .current_dir(folder)
                .args(["build", "-o", &service, "."]),
        )?;
        fs::create_dir_all(folder.join("caller"))?;
        fs::write(folder.join("caller/main.go"), CALLER)?;
        let protocol = if module.ends_with("grpc") { "grpc" } else { "http" };
        self.run(
            folder,
            &["run", "./caller/main.go", &service, address, protocol],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_the_first_of_its_language() {
        let readme = "# A\n\n```sh\ngo a\ngo b\n```\n\n```go\npackage a\n```\n```go\nb\n```\n";
        assert_eq!(block(readme, "sh").unwrap(), "go a\ngo b\n");
        assert_eq!(block(readme, "go").unwrap(), "package a\n");
        assert!(block(readme, "json").is_err());
    }

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

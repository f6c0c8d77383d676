//! Builds, seals and tests the module: `cargo xtask <command>`.

mod bench;
mod campaign;
mod demo;
mod fuzz;
mod release;
mod test;
mod weigh;

use std::process::ExitCode;

use anyhow::Result;
// Modules of the library, under the same names as those of this program.
use xtask::{build, debian, package, packages, project, tools, traefik, version, wheel};

use self::build::Committed;

const USAGE: &str = "\
usage: cargo xtask <command>

  demo    run the main job once, from a fresh clone (--json for machines)
  build   build and seal the module into dist/, with its OCI image and manifests, and compare it
          with module/countersign.wasm.sha256 (after a change of the sources: build --renew;
          of the sources in another folder: build FOLDER)
  package make the npm package: dist/countersign-*.tgz, and dist/inspector/
  wheel   make the Python package: dist/python/
  version VERSION
          write the version of all packages into every file that says it
  release VERSION --key FILE
          make and check all that is published, in dist/release/ (--help lists the options)
  api     compare the public items of the crates with their lists (after a change: api --renew)
  weigh   print the size of each part of the module (--all: of each function)
  test    run all checks and tests; it installs what they need and ends with a table of their times
  campaign
          the random tests of the suite for hours: campaign [TIMES, default 100]
  campaign signatures
          random and crafted signatures, by the module and by a host's own cryptography
          (--host NAME, --count NUMBER, --seed NUMBER)
  campaign server
          the gate server near its limit while everything changes: campaign server [MINUTES, default 30]
  fuzz    coverage-guided fuzzing: fuzz [TARGET] [SECONDS, default 60]
  bench   compare it with other verifiers (--help lists the options)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["demo", options @ ..] => return demo::run(options),
        ["build"] => build::run()?,
        ["build", "--renew"] => build::run_in(project::root(), Committed::Renewed)?,
        ["build", folder] => build::run_in(folder.as_ref(), Committed::Holds)?,
        ["version", version] => version::set(version)?,
        ["release", options @ ..] => return release::run(options),
        ["api", options @ ..] => return release::api(options),
        ["package"] => {
            build::run()?;
            package::run()?;
        }
        ["wheel"] => {
            build::run()?;
            let folder = project::root().join("dist/python");
            println!(
                "{}",
                wheel::run(wheel::Profile::Release, &folder)?.display()
            );
        }
        ["weigh"] => weigh::run(false)?,
        ["weigh", "--all"] => weigh::run(true)?,
        ["campaign"] => return campaign::run("100"),
        ["campaign", "signatures", options @ ..] => return campaign::signatures(options),
        ["campaign", "server"] => return campaign::server("30"),
        ["campaign", "server", minutes] => return campaign::server(minutes),
        ["campaign", times] => return campaign::run(times),
        ["fuzz"] => return fuzz::run(None, "60"),
        ["fuzz", target] => return fuzz::run(Some(target), "60"),
        ["fuzz", target, seconds] => return fuzz::run(Some(target), seconds),
        ["test"] => return Ok(test::run()),
        ["bench", options @ ..] => return bench::run(options),
        _ => {
            eprint!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

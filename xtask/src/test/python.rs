//! Checks the Python host: format, lints and types, and its tests with the wheel
//! in environments of its own, for each Python that is here.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use super::tally::Tally;
use crate::{
    project, tools,
    wheel::{self, PACKAGE, Profile},
};

/// What the tests need beside the wheel: frameworks, servers, tools.
const REQUIREMENTS: &str = "hosts/python/tests/requirements.txt";

/// The Pythons of the tests: the one of the system runs everything, the others what
/// needs no framework.
const OTHERS: [&str; 3] = ["3.10", "3.12", "3.13"];

/// Builds the wheel, and returns a Python that has it and everything for its tests.
pub(crate) fn prepare() -> Result<PathBuf> {
    let wheel = wheel::run(Profile::Dev, &tests().join("dist"))?;
    let requirements = project::root().join(REQUIREMENTS);
    let (wheel, requirements) = (wheel.to_string_lossy(), requirements.to_string_lossy());
    tools::environment(
        "python3",
        &tests().join("environment"),
        &[&wheel, "-r", &requirements],
    )
}

pub(crate) fn run(python: &Path) -> Result<Tally> {
    let folder = project::root().join(PACKAGE);
    let tool = |arguments: &[&str]| {
        let mut command = Command::new(python);
        command.current_dir(&folder).arg("-m").args(arguments);
        tools::output(&mut command).map(drop)
    };
    tool(&["ruff", "format", "--quiet", "--check", "."])?;
    tool(&["ruff", "check", "--quiet", "."])?;
    tool(&["mypy", "--strict", "python/countersign"])?;
    let interpreter = python.to_string_lossy();
    tool(&[
        "pyright",
        "--pythonpath",
        &interpreter,
        "python/countersign",
    ])?;
    let mut total = Tally {
        passed: 4,
        ..Tally::default()
    };
    total += suite(python, &["tests"])?;
    for other in OTHERS {
        total += elsewhere(other)?;
    }
    Ok(total)
}

/// The tests that need only the wheel, in another Python.
fn elsewhere(version: &str) -> Result<Tally> {
    let Some(python) = interpreter(version) else {
        println!("            Python {version} is not here");
        return Ok(Tally::default());
    };
    let dist = tests().join("dist").to_string_lossy().into_owned();
    let packages = [
        "--find-links",
        &dist,
        "countersign-gate",
        "pytest==9.2.0",
        "cryptography==50.0.2",
    ];
    let program = tools::environment(&python, &tests().join(version), &packages)?;
    suite(&program, &["tests/test_gate.py", "tests/test_requests.py"])
}

/// Returns the Python of this version: in the path, or one that pyenv has installed.
fn interpreter(version: &str) -> Option<String> {
    let root = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let folders = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let installed = folders.into_iter().flatten().flatten().filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(&format!("{version}."))
    });
    let name = format!("python{version}");
    let installed = installed.map(|entry| entry.path().join("bin").join(&name));
    let candidates = [PathBuf::from(&name)].into_iter().chain(installed);
    let runs = |python: &PathBuf| {
        let output = Command::new(python).arg("--version").output();
        output.is_ok_and(|output| output.status.success())
    };
    candidates
        .filter(runs)
        .find_map(|python| python.to_str().map(str::to_owned))
}

/// Runs pytest and reads its last line: `3 passed, 1 skipped in 2.1s`.
fn suite(python: &Path, tests: &[&str]) -> Result<Tally> {
    let mut command = Command::new(python);
    command
        .current_dir(project::root().join(PACKAGE))
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs"])
        .args(tests)
        // The command has the issuer of the sibling; cargo has compiled it for its tests.
        .env(
            "COUNTERSIGN_COMMAND",
            project::target(project::root()).join("debug/countersign"),
        )
        .env_remove("PYTHONPATH");
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let tally = Tally::of_pytest(last);
    if !output.status.success() {
        println!("{text}{}", String::from_utf8_lossy(&output.stderr));
        ensure!(tally.failed > 0, "pytest failed");
    }
    println!("            {}: {tally}", python.display());
    Ok(tally)
}

fn tests() -> PathBuf {
    project::target(project::root()).join("python")
}

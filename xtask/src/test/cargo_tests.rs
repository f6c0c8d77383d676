//! Runs `cargo test` of the whole workspace. Prints one line for each test
//! program, and its whole output only if something failed.

use std::{
    io::{BufRead, BufReader, pipe},
    path::PathBuf,
};

use anyhow::{Result, ensure};

use super::tally::Tally;
use crate::project;

/// The programs whose paths the tests get, if they are installed.
#[derive(Default)]
pub(crate) struct Programs {
    pub(crate) envoy: Option<PathBuf>,
    pub(crate) kubernetes_validate: Option<PathBuf>,
    pub(crate) nginx: Option<PathBuf>,
    pub(crate) caddy: Option<PathBuf>,
    pub(crate) oldest_caddy: Option<PathBuf>,
    pub(crate) traefik: Option<PathBuf>,
    pub(crate) debian_nginx: Option<PathBuf>,
    pub(crate) haproxy: Option<PathBuf>,
    pub(crate) debian_haproxy: Option<PathBuf>,
    pub(crate) node: Option<PathBuf>,
    /// The folder of Prometheus and promtool.
    pub(crate) prometheus: Option<PathBuf>,
    pub(crate) python: Option<PathBuf>,
}

/// Compiles the tests, and the program of releases with what they have: compiled alone
/// it would need its dependencies again, with fewer features.
pub(crate) fn compile() -> Result<()> {
    super::cargo(&[
        "build",
        "--quiet",
        "--workspace",
        "--locked",
        "--tests",
        "--bins",
    ])
}

pub(crate) fn run(programs: Programs) -> Result<Tally> {
    let Programs {
        envoy,
        kubernetes_validate,
        nginx,
        caddy,
        oldest_caddy,
        traefik,
        debian_nginx,
        haproxy,
        debian_haproxy,
        node,
        prometheus,
        python,
    } = programs;
    let (output, writer) = pipe()?;
    let mut command = project::cargo();
    command
        .current_dir(project::root())
        .args([
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--",
            "--show-output",
        ])
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let programs = [
        ("COUNTERSIGN_ENVOY", envoy),
        ("COUNTERSIGN_KUBERNETES_VALIDATE", kubernetes_validate),
        ("COUNTERSIGN_NGINX", nginx),
        ("COUNTERSIGN_CADDY", caddy),
        ("COUNTERSIGN_OLDEST_CADDY", oldest_caddy),
        ("COUNTERSIGN_TRAEFIK", traefik),
        ("COUNTERSIGN_NGINX_DEBIAN", debian_nginx),
        ("COUNTERSIGN_HAPROXY", haproxy),
        ("COUNTERSIGN_HAPROXY_DEBIAN", debian_haproxy),
        ("COUNTERSIGN_NODE", node),
        ("COUNTERSIGN_PROMETHEUS", prometheus),
        ("COUNTERSIGN_PYTHON", python),
    ];
    for (name, path) in programs {
        command.envs(path.map(|path| (name, path)));
    }
    let mut cargo = command.spawn()?;
    // `command` holds the writing end of the pipe, so the loop would never end.
    drop(command);

    let mut total = Tally::default();
    let mut suite = Suite::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        if started(&line).is_some() && suite.is_cut_off() {
            // The program before this one crashed.
            suite.report();
            suite = Suite::default();
        }
        if suite.read(&line) {
            suite.report();
            total += suite.tally;
            suite = Suite::default();
        }
    }
    suite.report();
    let status = cargo.wait()?;
    ensure!(status.success() || total.failed > 0, "cargo test failed");
    Ok(total)
}

/// The output of one test program.
#[derive(Default)]
struct Suite {
    name: String,
    lines: Vec<String>,
    skipped: usize,
    tally: Tally,
    ended: bool,
}

impl Suite {
    /// Adds a line. Returns whether it is the last one.
    fn read(&mut self, line: &str) -> bool {
        if let Some(name) = started(line) {
            self.name = program(name);
        }
        if line.starts_with("skipped: ") {
            self.skipped += 1;
        }
        self.lines.push(line.to_owned());
        let Some(tally) = Tally::of_result(line) else {
            return false;
        };
        self.tally = tally;
        (0..self.skipped).for_each(|_| self.tally.skip_one());
        self.ended = true;
        true
    }

    /// Whether cargo says that something failed, and no result was printed.
    fn is_cut_off(&self) -> bool {
        !self.ended && self.lines.iter().any(|line| line.starts_with("error"))
    }

    fn report(&self) {
        if self.is_cut_off() || self.tally.failed > 0 {
            println!("{}", self.lines.join("\n"));
        } else {
            for line in self
                .lines
                .iter()
                .filter(|line| line.starts_with("skipped: "))
            {
                println!("{line}");
            }
        }
        if self.tally != Tally::default() {
            let time = self
                .lines
                .last()
                .and_then(|line| line.split_once("finished in "));
            let time = time.map_or("", |(_, time)| time);
            println!("            {}: {} {time}", self.name, self.tally);
        }
    }
}

/// What `line` says is started, if it says so.
fn started(line: &str) -> Option<&str> {
    let words = line.trim_start();
    words
        .strip_prefix("Running ")
        .or(words.strip_prefix("Doc-tests "))
}

/// Returns the name of a test program. For
/// `tests/file.rs (target/debug/deps/file-4b818b837b9dfd51)` it is the part
/// before the bracket, for `unittests src/lib.rs (…)` the file in the brackets.
fn program(name: &str) -> String {
    let Some((source, path)) = name.split_once(" (") else {
        return name.to_owned();
    };
    if !source.starts_with("unittests") {
        return source.to_owned();
    }
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.split('-').next().unwrap_or(file).to_owned()
}

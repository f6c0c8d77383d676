//! Runs `cargo test` of the whole workspace. Prints one line for each test
//! program, and its whole output only if something failed.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
    process::{Child, ExitStatus},
    thread::sleep,
    time::Duration,
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
    // No pipe: tests kill programs that share it and have made it non-blocking (Node.js), and
    // a test program that then writes faster than it is read would fail.
    let path = project::target(project::root()).join("tests.log");
    let output = File::create(&path)?;
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
        .stdout(output.try_clone()?)
        .stderr(output);
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
    let mut total = Tally::default();
    let mut suite = Suite::default();
    let status = follow(File::open(&path)?, command.spawn()?, |line| {
        if started(line).is_some() && suite.is_cut_off() {
            // The program before this one crashed.
            suite.report();
            suite = Suite::default();
        }
        if suite.read(line) {
            suite.report();
            total += suite.tally;
            suite = Suite::default();
        }
    })?;
    suite.report();
    ensure!(status.success() || total.failed > 0, "cargo test failed");
    Ok(total)
}

/// Reads the lines of a growing file until the program that writes them has ended.
fn follow(file: File, mut program: Child, mut line: impl FnMut(&str)) -> io::Result<ExitStatus> {
    let mut file = BufReader::new(file);
    let mut bytes = Vec::new();
    loop {
        // Asked first: what it has written last is read then too.
        let ended = program.try_wait()?;
        while file.read_until(b'\n', &mut bytes)? > 0 {
            if let Some(whole) = bytes.strip_suffix(b"\n") {
                line(&String::from_utf8_lossy(whole));
                bytes.clear();
            }
        }
        if let Some(status) = ended {
            line(&String::from_utf8_lossy(&bytes));
            return Ok(status);
        }
        sleep(Duration::from_millis(100));
    }
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

#[cfg(all(test, unix))]
mod tests {
    use std::{fs::File, process::Command};

    use super::follow;

    #[test]
    fn a_line_that_is_written_in_parts_is_one() {
        let path = std::env::temp_dir().join(format!("xtask-follow-{}", std::process::id()));
        let mut command = Command::new("sh");
        command
            .args(["-c", "printf 'a\\nb'; sleep 0.3; printf 'c\\n\\377\\nd'"])
            .stdout(File::create(&path).unwrap());
        let mut lines = Vec::new();
        let status = follow(
            File::open(&path).unwrap(),
            command.spawn().unwrap(),
            |line| lines.push(line.to_owned()),
        );
        std::fs::remove_file(&path).unwrap();
        assert!(status.unwrap().success());
        assert_eq!(lines, ["a", "bc", "\u{fffd}", "d"]);
    }
}

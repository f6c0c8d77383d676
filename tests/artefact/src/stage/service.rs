//! Services behind a gate in other languages, and other programs that listen: real
//! processes on loopback.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use super::{
    client::{self, Reply},
    eventually,
};
use crate::dist;

/// A process that ends when this is dropped.
#[derive(Debug)]
pub struct Service {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Service {
    /// Starts a program and waits until it has printed where it listens, as
    /// `listening on 127.0.0.1:8080`. What it prints goes to the file `said`, after
    /// what is there.
    ///
    /// # Panics
    /// If it ends, or says nothing.
    #[must_use]
    pub fn start(command: &mut Command, said: &Path) -> Self {
        Self::start_told(command, said, &["listening on "])
    }

    /// The same for a program that says its address after these words, one after the
    /// other.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_told(command: &mut Command, said: &Path, after: &[&str]) -> Self {
        let before = fs::read_to_string(said).unwrap_or_default().len();
        let file = fs::File::options().create(true).append(true).open(said);
        let file = file.expect("a file for what it prints");
        command
            .stdin(Stdio::null())
            .stderr(file.try_clone().unwrap());
        let process = command.stdout(file).spawn();
        let mut service = Self {
            process: process.unwrap_or_else(|error| panic!("{command:?}: {error}")),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let mut address = None;
        eventually("a service listens", || {
            let text = fs::read_to_string(said).unwrap_or_default();
            let has_ended = service.process.try_wait().unwrap().is_some();
            assert!(!has_ended, "{command:?} has ended:\n{text}");
            address = told(&text[before..], after);
            address.is_some()
        });
        service.address = address.unwrap();
        service
    }

    /// `GET` with a bearer token, or without any.
    ///
    /// # Panics
    /// If no reply comes.
    #[must_use]
    pub fn get(&self, target: &str, token: Option<&str>) -> Reply {
        let bearer = token.map(|token| ("authorization", format!("Bearer {token}").into_bytes()));
        let headers: Vec<_> = bearer.into_iter().collect();
        let sent = client::send(self.address, "GET", target, &headers);
        let reply = sent.and_then(client::Sent::reply);
        reply.unwrap_or_else(|| panic!("{target}: no reply"))
    }

    /// The body of a page for operators, at once and whole: HTTP/1.0 has no chunks.
    ///
    /// # Panics
    /// If no reply comes.
    #[must_use]
    pub fn page(&self, target: &str) -> String {
        let request = format!("GET {target} HTTP/1.0\r\nhost: localhost\r\n\r\n");
        let sent = client::write(self.address, request.as_bytes());
        let reply = sent.and_then(client::Sent::reply);
        reply.unwrap_or_else(|| panic!("{target}: no reply")).body
    }

    /// Waits for the readiness probe.
    ///
    /// # Panics
    /// If the gate does not get its documents.
    #[must_use]
    pub fn ready(self) -> Self {
        eventually("a gate is ready", || {
            self.get("/readyz", None).status == 200
        });
        self
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address after these words, once it is complete.
fn told(text: &str, after: &[&str]) -> Option<SocketAddr> {
    let mut words = after.iter();
    let rest = words.try_fold(text, |rest, words| Some(rest.split_once(words)?.1))?;
    let end = rest.find(|letter: char| letter.is_whitespace() || letter == ',')?;
    rest[..end].parse().ok()
}

/// The Go service of `tests/operators`; `None` if Go is not installed.
///
/// # Panics
/// If it cannot be built.
pub fn go() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAM.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    if Command::new("go").arg("version").output().is_err() {
        println!("skipped: Go is not installed");
        return None;
    }
    let folder = dist::root().join("target/operators");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join(format!("service{}", env::consts::EXE_SUFFIX));
    let built = Command::new("go")
        .current_dir(dist::root().join("tests/operators"))
        .env("CGO_ENABLED", "0")
        .args(["build", "-o"])
        .arg(&program)
        .arg("./service")
        .status();
    let built = built.expect("go starts");
    assert!(built.success(), "tests/operators/service is not built");
    Some(program)
}

/// The command of the Node.js service `npm/tests/service.mjs`; `None` if the npm
/// package is not unpacked for the tests.
pub fn node() -> Option<Command> {
    let tests = dist::root().join("npm/tests");
    // If the variable names a Node.js, the package must be there.
    let node = env::var_os("COUNTERSIGN_NODE");
    if node.is_none() && !tests.join("node_modules/countersign").exists() {
        println!("skipped: the npm package is not unpacked for the tests (cargo xtask test)");
        return None;
    }
    let mut command = Command::new(node.unwrap_or_else(|| "node".into()));
    command.arg(tests.join("service.mjs"));
    Some(command)
}

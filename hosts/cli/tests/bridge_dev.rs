//! `countersign bridge --dev`, tried as a new user would: each line that it prints is run.
#![cfg(unix)]
#![allow(missing_docs)]

mod common;

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use common::Folder;

/// A bridge, and what it has printed.
struct Started {
    child: Child,
    text: String,
}

impl Started {
    fn new(folder: &Folder, arguments: &str) -> Self {
        let mut command = folder.command(&format!("bridge --dev {arguments}"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut text = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            text = text + &line + "\n";
            if line.contains("Ctrl-C ends it") {
                break;
            }
        }
        assert!(text.contains("Ctrl-C ends it"), "{text}");
        Self { child, text }
    }

    /// What to paste into a shell.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines();
        lines.filter_map(|line| line.strip_prefix("    "))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the lines in one shell, and returns what each has printed.
fn shell(folder: &Folder, lines: &[&str]) -> Vec<String> {
    const END: &str = "--- end of a line ---";
    let mut script = String::from("set -eu\n");
    for line in lines {
        script += &format!("{line}\necho\necho '{END}'\n");
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let old = env::var_os("PATH").unwrap();
    let own = [binary.parent().unwrap().to_owned()];
    let path = env::join_paths(own.into_iter().chain(env::split_paths(&old)));
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(&folder.path)
        .env("PATH", path.unwrap())
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    let mut parts: Vec<_> = text.split(END).map(|part| part.trim().to_owned()).collect();
    parts.pop();
    parts
}

fn is_jwt(text: &str, name: &str) -> bool {
    let found = text.split(&format!("\"{name}\":\"")).nth(1);
    let token = found.and_then(|rest| rest.split('"').next());
    token.is_some_and(|token| token.split('.').count() == 3)
}

#[test]
fn each_printed_line_does_what_it_says() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(env::var_os("CI").is_none(), "there is no curl");
        println!("skipped: there is no curl");
        return;
    }
    let folder = Folder::new();
    let started = Started::new(&folder, "--listen 127.0.0.1:0 --data data");
    let lines: Vec<_> = started.lines().collect();
    let printed = shell(&folder, &lines);
    assert_eq!(printed.len(), lines.len(), "{printed:?}");
    let of = |part: &str| {
        let place = lines.iter().position(|line| line.contains(part));
        let place = place.unwrap_or_else(|| panic!("no line with {part}: {lines:?}"));
        &printed[place]
    };
    assert!(of("person=ada").contains("\"csrf\""), "{printed:?}");
    for (line, name) in [
        ("/auth/session/exchange", "access_token"),
        ("/pair/poll", "access_token"),
        ("/v1/nodes/join", "access_token"),
        ("/oauth/token", "access_token"),
    ] {
        assert!(is_jwt(of(line), name), "{line}: {printed:?}");
    }
    let approved = of("decision=approve");
    assert!(approved.contains("The device is paired"), "{approved}");
    assert!(of("/v1/keys").contains("sk_dev_"), "{printed:?}");
    let policy = of("bridge policy");
    folder.write("policy.yaml", policy);
    folder.run("policy lint policy.yaml").expect(0);
}

#[test]
fn what_is_kept_can_be_started_again_and_others_cannot_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    drop(Started::new(&folder, "--listen 127.0.0.1:0 --data data"));
    let master = folder.read("data/master");
    drop(Started::new(&folder, "--listen 127.0.0.1:0 --data data"));
    assert_eq!(folder.read("data/master"), master);
    let mode = |name: &str| {
        let file = std::fs::metadata(folder.path.join(name)).unwrap();
        file.permissions().mode() & 0o777
    };
    assert_eq!(mode("data"), 0o700);
    for name in ["master", "provider", "pepper", "reader", "worker"] {
        assert_eq!(mode(&format!("data/{name}")), 0o600, "{name}");
    }
    folder
        .run("bridge --check --config data/bridge.json")
        .expect(0);
}

#[test]
fn it_listens_on_this_machine_alone() {
    let folder = Folder::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8480"] {
        let run = folder.run(&format!("bridge --dev --listen {address}"));
        let run = run.expect(2);
        assert!(run.stderr.contains("anybody"), "{run:?}");
    }
    // Neither without it, nor beside a configuration.
    for arguments in [
        "bridge --config x.yaml --listen 127.0.0.1:0",
        "bridge --config x.yaml --data x",
        "bridge --dev --config x.yaml",
        "bridge --dev --check",
    ] {
        folder.run(arguments).expect(2);
    }
}

//! The console sessions of the README, run as they are, and the policy of the
//! front page.
#![cfg(unix)]

mod common;

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
};

use common::Folder;

const README: &str = include_str!("../README.md");
const FRONT: &str = include_str!("../../../README.md");

#[test]
fn the_sessions_of_the_readme_print_what_they_say() {
    let folder = Folder::new();
    let mut commands = 0;
    for session in fenced(README, "console") {
        for (command, expected) in steps(session) {
            let output = shell(&folder, command);
            for line in expected {
                assert!(
                    output.contains(line.trim()),
                    "`{command}` prints no `{line}`:\n{output}"
                );
            }
            commands += 1;
        }
    }
    assert!(commands >= 5, "the README lost its sessions");
}

#[test]
fn the_policy_of_the_readme_has_no_problem() {
    let folder = Folder::new();
    let policy = fenced(FRONT, "yaml")
        .next()
        .expect("the README shows a policy");
    folder.write("policy.yaml", policy);
    folder.run("policy lint policy.yaml").expect(0);
}

fn fenced(text: &'static str, language: &'static str) -> impl Iterator<Item = &'static str> {
    text.split("\n```")
        .filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}

/// Every `$ command`, with the lines that follow it; `…` is any lines.
fn steps(session: &str) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
    let chunks = session.split("$ ").skip(1);
    chunks.map(|chunk| {
        let (command, output) = chunk.split_once('\n').unwrap_or((chunk, ""));
        (
            command,
            output
                .lines()
                .filter(|line| !matches!(line.trim(), "" | "…")),
        )
    })
}

fn shell(folder: &Folder, command: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let path = env::join_paths(
        [binary.parent().unwrap().to_owned()]
            .into_iter()
            .chain(env::split_paths(&env::var_os("PATH").unwrap())),
    );
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(&folder.path)
        .env("PATH", path.unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

//! The services in Go and in Node.js, each in a process of its own.

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, anyhow};
use serde_json::json;

use crate::go as bench_go;

use super::{LOGS, Setting};

pub(super) fn go() -> Result<Command> {
    let mut command = Command::new(bench_go::build()?);
    command.arg("log");
    Ok(command)
}

pub(super) fn node() -> Command {
    let mut command = Command::new("node");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("node/log.mjs"));
    command
}

/// A process with the servers of [`LOGS`], which ends with this.
pub(super) struct Servers {
    process: Child,
    pub(super) addresses: [SocketAddr; 3],
}

impl Servers {
    /// Hands the program a policy and its logs. It prints the addresses, as JSON.
    pub(super) fn start(mut program: Command, host: &str, setting: &Setting) -> Result<Self> {
        let logs = LOGS.map(|log| {
            let (every, file) = log.every().zip(setting.file(host, log))?;
            Some(json!({ "every": every, "file": file }))
        });
        let input = json!({ "policy": setting.policy, "logs": logs }).to_string();
        let mut process = program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{program:?} does not start"))?;
        let mut stdin = process.stdin.take().context("no standard input")?;
        stdin.write_all(input.as_bytes())?;
        drop(stdin);
        let output = process.stdout.take().context("no standard output")?;
        let mut servers = Self {
            process,
            addresses: [SocketAddr::from(([127, 0, 0, 1], 0)); 3],
        };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let told: Vec<SocketAddr> =
            serde_json::from_str(&line).with_context(|| format!("{program:?} said {line:?}"))?;
        servers.addresses = told.try_into().map_err(|_| anyhow!("three servers"))?;
        Ok(servers)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

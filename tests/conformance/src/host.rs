//! Hosts under test.

use std::{
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command as Program, Stdio},
};

use crate::{
    protocol::{Command, Reply},
    vector::Signatures,
};

/// Anything that answers commands.
pub trait Host {
    /// Answers one command; every failure is a [`Reply::Error`].
    fn answer(&mut self, command: &Command) -> Reply;
}

/// Answers the commands on `input`, one JSON object a line, until it ends.
///
/// # Errors
/// If reading or writing fails. The reply to an invalid command is
/// [`Reply::Error`].
pub fn serve(host: &mut dyn Host, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    for line in input.lines() {
        let reply = match serde_json::from_str(&line?) {
            Ok(command) => host.answer(&command),
            Err(error) => Reply::Error(error.to_string()),
        };
        serde_json::to_writer(&mut output, &reply)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}

/// Reads the option `--signatures` of a harness.
pub fn signatures(arguments: &[String]) -> Signatures {
    match arguments.iter().any(|argument| argument == "native") {
        true => Signatures::Native,
        false => Signatures::Module,
    }
}

/// A program that speaks the protocol.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a program.
    ///
    /// # Errors
    /// If the program does not start.
    pub fn start(program: &Path, arguments: &[&str]) -> io::Result<Self> {
        let mut child = Program::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self {
                child,
                input,
                output: BufReader::new(output),
            }),
            _ => Err(io::Error::other("no pipes")),
        }
    }

    fn exchange(&mut self, command: &Command) -> io::Result<Reply> {
        let mut line = serde_json::to_string(command)?;
        line.push('\n');
        self.input.write_all(line.as_bytes())?;
        self.input.flush()?;
        line.clear();
        if self.output.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the host ended"));
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Host for Process {
    fn answer(&mut self, command: &Command) -> Reply {
        self.exchange(command)
            .unwrap_or_else(|error| Reply::Error(error.to_string()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The error is ignored: the program can have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! `wrk`, with a token in every request.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// Enough that Envoy is never idle; one thread, as one worker answers.
const CONNECTIONS: u32 = 16;

/// All requests are made before the clock starts: `wrk` itself has only one
/// thread too.
const SCRIPT: &str = r#"
local requests, at = {}, 0
function init(args)
  local file, wanted = args[1], tonumber(args[2])
  for token in io.lines(file) do
    if #requests == wanted then break end
    requests[#requests + 1] =
      wrk.format("GET", nil, { Authorization = "Bearer " .. token, Host = "api.example.com" })
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
"#;

#[derive(Clone, Copy)]
pub(super) enum Tokens {
    One,
    Distinct,
}

pub(super) struct Load {
    script: PathBuf,
    tokens: PathBuf,
    count: usize,
}

impl Load {
    /// Writes what `wrk` reads, into files that begin with `stem`.
    pub(super) fn new(stem: &Path, tokens: &[String]) -> Result<Self> {
        let load = Self {
            script: stem.with_extension("lua"),
            tokens: stem.with_extension("txt"),
            count: tokens.len(),
        };
        fs::write(&load.script, SCRIPT)?;
        fs::write(&load.tokens, tokens.join("\n"))?;
        Ok(load)
    }

    /// Nanoseconds a request, all of which have to be answered with 200.
    pub(super) fn run(
        &self,
        address: SocketAddr,
        target: &str,
        tokens: Tokens,
        seconds: u32,
    ) -> Result<f64> {
        let count = match tokens {
            Tokens::One => 1,
            Tokens::Distinct => self.count,
        };
        let output = Command::new("wrk")
            .args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
            .args(["--duration", &format!("{seconds}s"), "--script"])
            .arg(&self.script)
            .args([&format!("http://{address}{target}"), "--"])
            .arg(&self.tokens)
            .arg(count.to_string())
            .output()
            .context("`wrk` does not start")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success() && !text.contains("Non-2xx") && !text.contains("Socket errors"),
            "the load failed:\n{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let rate = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("Requests/sec:"));
        let rate: f64 = rate.context("`wrk` tells no rate")?.trim().parse()?;
        Ok(1e9 / rate)
    }
}

pub(super) fn version() -> Option<String> {
    // It has no option for its version alone, and fails with it.
    let output = Command::new("wrk").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().nth(1).map(Into::into)
}

//! Runs `wrk` with a token in every request.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// So many that Envoy is never idle. `wrk` uses one thread, because Envoy has
/// one worker.
const CONNECTIONS: u32 = 16;

/// Builds all requests before the measurement, because the script shares the
/// one thread of `wrk`.
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
    /// Writes the files for `wrk`. Their paths begin with `stem`.
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

    /// Returns the nanoseconds per request. Every status must be 200.
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
    // `wrk --version` prints the version, but exits with an error.
    let output = Command::new("wrk").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().nth(1).map(Into::into)
}

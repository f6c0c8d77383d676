//! The benchmark of OpenSSL, `openssl speed`.

use std::process::Command;

use anyhow::{Context, Result};

use crate::figure::{Figure, Unit};

/// Measures verification with a 2048-bit key three times, for `seconds` each.
/// `None` without `openssl`, or for 0 seconds.
pub(crate) fn rsa_2048(seconds: u32) -> Result<Option<Figure>> {
    if seconds == 0 || version().is_none() {
        return Ok(None);
    }
    let turns: Result<Vec<f64>> = (0..3).map(|_| verify_ns(seconds)).collect();
    Ok(Some(Figure::of("OpenSSL speed".into(), Unit::Ns, turns?)))
}

pub(crate) fn version() -> Option<String> {
    let output = Command::new("openssl").arg("version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().nth(1).map(Into::into)
}

/// Parses `+F2:<index>:2048:<signatures per second>:<verifications per second>`.
fn verify_ns(seconds: u32) -> Result<f64> {
    let output = Command::new("openssl")
        .args(["speed", "-mr", "-seconds", &seconds.to_string(), "rsa2048"])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().find_map(|line| line.strip_prefix("+F2:"));
    let verified = line.and_then(|line| line.split(':').nth(3));
    let verified = verified.and_then(|figure| figure.parse::<f64>().ok());
    Ok(1e9 / verified.context("`openssl speed` printed something else")?)
}

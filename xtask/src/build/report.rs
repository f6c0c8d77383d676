//! Prints the path, the size with its share of the budget, and the digest.

use std::{fmt::Write as _, io::Write as _, path::Path};

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use sha2::{Digest, Sha256};

const BUDGET: &str = include_str!("../../../module/budget.json");

pub(super) fn print(path: &Path, file: &[u8], digest: &str) -> Result<()> {
    let budget: Value = serde_json::from_str(BUDGET)?;
    let budget = |of: &str| budget[of].as_u64().context("a budget is a number");
    println!("{}", path.display());
    println!("  raw     {}", against(file.len(), budget("raw")?));
    println!("  gzip    {}", against(gzip(file)?, budget("gzip")?));
    println!("  sha256  {digest}");
    Ok(())
}

fn against(bytes: usize, budget: u64) -> String {
    let percent = bytes as u64 * 100 / budget;
    let over = if percent >= 100 { ", over it" } else { "" };
    format!("{bytes:>7} bytes, {percent} % of the budget{over}")
}

/// Returns the size after compression, in bytes.
pub fn gzip(file: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(file)?;
    Ok(encoder.finish()?.len())
}

/// Returns the SHA-256 in hexadecimal.
pub fn digest(file: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(file) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

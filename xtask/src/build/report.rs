//! Path, size against the budget, and digest.

use std::{fmt::Write as _, io::Write as _, path::Path};

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// The budget of the file, in bytes.
const RAW: usize = 250_000;
const GZIP: usize = 100_000;

pub(crate) fn print(path: &Path, file: &[u8], digest: &str) -> Result<()> {
    println!("{}", path.display());
    println!("  raw     {}", against(file.len(), RAW));
    println!("  gzip    {}", against(gzip(file)?, GZIP));
    println!("  sha256  {digest}");
    Ok(())
}

fn against(bytes: usize, budget: usize) -> String {
    let percent = bytes * 100 / budget;
    let over = if bytes > budget {
        ", over the budget"
    } else {
        ""
    };
    format!("{:>7} bytes, {percent} % of {budget}{over}", bytes)
}

pub(crate) fn gzip(file: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(file)?;
    Ok(encoder.finish()?.len())
}

pub(crate) fn digest(file: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(file) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

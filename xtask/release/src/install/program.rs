//! The command from its archive.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xtask::archive;

use super::{issuer::said, readme};
use crate::program;

/// Unpacks the command for this machine and returns its path.
pub(crate) fn unpack(release: &Path, folder: &Path) -> Result<PathBuf> {
    let archive = release.join(format!("bin/{}.tar.gz", program::own_name()?));
    archive::unpack(&archive, folder)?;
    Ok(folder.join("countersign"))
}

/// Runs the first session in the README: each line after a `$`, and compares
/// what it prints with the lines that follow. `…` stands for any lines.
pub(crate) fn installed(command: &Path) -> Result<()> {
    let readme = command.with_file_name("README.md");
    let session = readme::block(&std::fs::read_to_string(readme)?, "console")?;
    let folder = tempfile::tempdir()?;
    let mut lines = session.lines().peekable();
    let mut seen = 0;
    while let Some(line) = lines.next() {
        let shell = line
            .strip_prefix("$ ")
            .with_context(|| format!("`{line}`"))?;
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            expected.push(line);
        }
        let output = run(command, folder.path(), shell)?;
        for line in expected.iter().filter(|line| **line != "…") {
            ensure!(
                output.contains(line),
                "`{shell}` printed {output}, not `{line}`"
            );
            seen += 1;
        }
    }
    ensure!(
        seen > 3,
        "the README's session says what {seen} commands print"
    );
    said(command, folder.path(), &["demo"]).map(drop)
}

/// Runs a line in a shell. The command denies with exit code 1.
fn run(command: &Path, folder: &Path, line: &str) -> Result<String> {
    let bin = command.parent().context("a program is in a folder")?;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH")?);
    let output = std::process::Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", path)
        .output()?;
    let code = output.status.code();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    ensure!(matches!(code, Some(0 | 1)), "`{line}`: {code:?} {text}");
    Ok(text)
}

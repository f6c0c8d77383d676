//! Writes the results to files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{chart, readme, report::Report};

/// Writes `target/bench/latest.json` and `.svg`, or `quick` for a quick run.
pub(crate) fn latest(report: &Report) -> Result<()> {
    let name = if report.quick { "quick" } else { "latest" };
    write(&root().join("target/bench").join(name), report)
}

/// Writes `tests/bench/results/<processor>.json` and `.svg`, and the table in
/// the README. These files are committed.
pub(crate) fn result(report: &Report) -> Result<()> {
    let path = root()
        .join("tests/bench/results")
        .join(report.machine.slug());
    write(&path, report)?;
    readme::write(&root().join("tests/bench/README.md"), report)?;
    eprintln!("saved {}.json and .svg", path.display());
    Ok(())
}

fn write(path: &Path, report: &Report) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let json = serde_json::to_string_pretty(report)? + "\n";
    let svg = chart::draw(report);
    for (ending, text) in [("json", json), ("svg", svg)] {
        let path = path.with_extension(ending);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

//! Writes the results into tests/bench/README.md, between two marks.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{figure::amount, report::Report, table::times};

const BEGIN: &str = "<!-- written by `cargo xtask bench --save` -->\n";
const END: &str = "<!-- until here -->";

/// Replaces the results of an earlier run.
pub(crate) fn write(path: &Path, report: &Report) -> Result<()> {
    let text = fs::read_to_string(path)?;
    let marks = "the README has no place for the results";
    let (before, rest) = text.split_once(BEGIN).context(marks)?;
    let (_, after) = rest.split_once(END).context(marks)?;
    fs::write(path, [before, BEGIN, &section(report), END, after].concat())?;
    Ok(())
}

fn section(report: &Report) -> String {
    let mut text = format!(
        "On {}, {}:\n\n| where | work | by | ours | peer | peer's | ratio | must | |\n|---|---|---|---:|---|---:|---:|---:|---|\n",
        report.machine.sentence(),
        report.taken.split('T').next().unwrap_or_default(),
    );
    for row in &report.rows {
        // The README reports `growth` in one sentence instead of twelve rows.
        let (Some(peer), Some(ratio), Some(must)) = (&row.peer, row.ratio, row.must) else {
            continue;
        };
        if peer.name == "with 1" {
            continue;
        }
        let typical = |figure: &crate::figure::Figure| amount(row.typical(figure), figure.unit);
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            row.host,
            row.work,
            row.ours.name,
            typical(&row.ours),
            peer.name,
            typical(peer),
            times(ratio),
            times(must),
            row.verdict
                .map(|verdict| verdict.to_string())
                .unwrap_or_default(),
        );
    }
    let slug = report.machine.slug();
    text += &format!(
        "\n![What a check takes, ours and others](results/{slug}.svg)\n\nAll rows: [{slug}.json](results/{slug}.json).\n"
    );
    text
}

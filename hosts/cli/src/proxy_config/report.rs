//! What came through, as a table.

use serde_json::{Value, json};

use crate::{
    output::Output,
    style::{BAD, FAINT, GOOD, visible},
};

/// Findings of one attack.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) fix: &'static str,
    /// How many requests were sent.
    pub(crate) sent: usize,
    /// What is wrong: a sentence each.
    pub(crate) findings: Vec<String>,
}

/// As many findings of one row as are shown.
const SHOWN: usize = 6;

pub(crate) fn print(rows: &[Row], output: Output) {
    if output.json {
        let rows: Vec<_> = rows.iter().map(Row::as_json).collect();
        anstream::println!("{}", json!({ "attacks": rows }));
        return;
    }
    let widest = rows.iter().map(|row| row.title.chars().count());
    let width = widest.max().unwrap_or_default();
    for Row {
        title,
        fix,
        sent,
        findings,
    } in rows
    {
        let (style, mark) = match findings.is_empty() {
            true => (GOOD, '✓'),
            false => (BAD, '✗'),
        };
        anstream::println!(
            "{style}{mark}{style:#} {title:<width$}  {FAINT}{sent:>4} requests{FAINT:#}"
        );
        for finding in findings.iter().take(SHOWN) {
            anstream::println!("    {}", visible(finding));
        }
        if findings.len() > SHOWN {
            anstream::println!("    and {} more", findings.len() - SHOWN);
        }
        if !findings.is_empty() {
            anstream::println!("    fix: {fix}");
        }
    }
}

impl Row {
    fn as_json(&self) -> Value {
        json!({
            "title": self.title,
            "sent": self.sent,
            "findings": self.findings,
            "fix": (!self.findings.is_empty()).then_some(self.fix),
        })
    }
}

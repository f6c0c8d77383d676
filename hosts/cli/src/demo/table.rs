//! The demo's table: aligned, within 120 columns.

use super::Row;
use crate::style::{BAD, FAINT, GOOD, NOTE, STRONG};

/// What a terminal is expected to have at least.
const COLUMNS: usize = 120;

pub(super) fn print(rows: &[Row]) {
    let widest = |text: fn(&Row) -> usize| rows.iter().map(text).max().unwrap_or_default();
    let what = widest(|row| row.what.chars().count());
    let request = widest(|row| row.request.chars().count());
    let code = widest(|row| row.code.as_deref().map_or(0, str::len));
    // Mark, decision, status, microseconds, and two spaces between columns.
    let rest = 1 + 5 + 6 + 6 + 7 * 2;
    let challenge = COLUMNS.saturating_sub(what + request + code + rest);

    let mut scene = "";
    anstream::println!();
    anstream::println!(
        "{FAINT}   {:<what$}  {:<request$}  {:<5}  {:<code$}  {:<6}  {:>6}  {}{FAINT:#}",
        "",
        "request",
        "",
        "code",
        "status",
        "µs",
        "challenge",
    );
    for row in rows {
        if row.scene != scene {
            scene = row.scene;
            anstream::println!("{STRONG}{scene}{STRONG:#}");
        }
        let (mark_style, mark) = if row.is_as_expected() {
            (GOOD, '✓')
        } else {
            (BAD, '✗')
        };
        let style = if row.decision == "allow" { GOOD } else { BAD };
        let status = row
            .status
            .map(|status| status.to_string())
            .unwrap_or_default();
        let line = format!(
            "{mark_style}{mark}{mark_style:#}  {:<what$}  {FAINT}{:<request$}{FAINT:#}  \
             {style}{:<5}{style:#}  {:<code$}  {status:<6}  {NOTE}{:>6.0}{NOTE:#}  {FAINT}{}{FAINT:#}",
            row.what,
            row.request,
            row.decision,
            row.code.as_deref().unwrap_or_default(),
            row.microseconds,
            shortened(row.challenge.as_deref().unwrap_or_default(), challenge),
        );
        anstream::println!("{}", line.trim_end());
        if !row.is_as_expected() {
            anstream::println!("   {BAD}expected {}{BAD:#}", row.expected);
        }
    }
}

/// The telling part of a challenge, within `width`: its `error` (RFC 6750 §3)
/// where it has one. `--json` has all of it.
fn shortened(challenge: &str, width: usize) -> String {
    let start = challenge.find("error=").unwrap_or_default();
    let telling = challenge[start..]
        .split(", error_description")
        .next()
        .unwrap_or_default();
    if telling.chars().count() <= width {
        return telling.to_owned();
    }
    telling
        .chars()
        .take(width.saturating_sub(1))
        .chain(['…'])
        .collect()
}

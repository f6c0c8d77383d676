//! The demo's table: aligned, within 120 columns.

use super::row::Row;
use crate::style::{BAD, FAINT, GOOD, NOTE, STRONG};

/// The smallest width of a terminal that is expected.
const COLUMNS: usize = 120;

pub(super) fn print(rows: &[Row]) {
    let widest = |text: fn(&Row) -> usize| rows.iter().map(text).max().unwrap_or_default();
    let what = widest(|row| row.what.chars().count());
    let request = widest(|row| row.request.chars().count());
    let code = widest(|row| row.code.as_deref().map_or(0, str::len));
    // The mark, `allow`, the status, the microseconds, and the gaps.
    let rest = 1 + 1 + 2 + 2 + 5 + 1 + 2 + 4 + 2 + 5 + 2;
    let challenge = COLUMNS.saturating_sub(what + request + code + rest);

    anstream::println!();
    anstream::println!(
        "{FAINT}  {:<what$}  {:<request$}  {:<5} {:<code$}  http  {:>5}  challenge{FAINT:#}",
        "",
        "request",
        "",
        "code",
        "µs",
    );
    let mut scene = "";
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
        anstream::println!(
            "{mark_style}{mark}{mark_style:#} {:<what$}  {FAINT}{:<request$}{FAINT:#}  \
             {style}{:<5}{style:#} {:<code$}  {:<4}  {NOTE}{:>5.0}{NOTE:#}  {FAINT}{}{FAINT:#}",
            row.what,
            row.request,
            row.decision,
            row.code.as_deref().unwrap_or_default(),
            row.status
                .map(|status| status.to_string())
                .unwrap_or_default(),
            row.microseconds,
            summary(row.challenge.as_deref().unwrap_or_default(), challenge),
        );
        if !row.is_as_expected() {
            anstream::println!("  {BAD}expected {}{BAD:#}", row.expected);
        }
    }
}

/// The main part of a challenge, within `width`: its `error` (RFC 6750 §3),
/// or the scheme where it has none. `--json` has all of it.
fn summary(challenge: &str, width: usize) -> String {
    let error = challenge
        .split("error=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let scheme = challenge.split(' ').next().unwrap_or_default();
    let summary = error.unwrap_or(scheme);
    if summary.chars().count() <= width {
        return summary.to_owned();
    }
    summary
        .chars()
        .take(width.saturating_sub(1))
        .chain(['…'])
        .collect()
}

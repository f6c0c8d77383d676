//! "Did you mean": the known word nearest to one that is not known.

use alloc::{format, string::String, vec::Vec};

/// Longer words are neither compared nor quoted in full.
const LENGTH: usize = 64;
/// More words than this are not compared.
const COMPARED: usize = 100;
/// More words than this are not listed.
const LISTED: usize = 20;

/// A clause for the end of a message: the nearest word, or else the words.
pub(super) fn suggestion(word: &str, known: &mut dyn Iterator<Item = &str>) -> String {
    let known: Vec<&str> = known.take(COMPARED).collect();
    match nearest(word, &known) {
        Some(near) => format!("did you mean {}?", quoted(near)),
        None if known.is_empty() => "none is defined".into(),
        None => format!("known here: {}", list(&known)),
    }
}

/// The word that is near enough to be meant.
fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let word = fold(word)?;
    // `nmae` for `name` is two edits away, `aud` is short for `audiences`.
    let enough = word.len().div_ceil(3);
    let edits = |candidate: &&'w str| {
        let folded = fold(candidate)?;
        let short = word.len() >= 3 && folded.starts_with(&word);
        let edits = if short { 1 } else { distance(&word, &folded) };
        (edits <= enough).then_some((edits, *candidate))
    };
    let near = known
        .iter()
        .filter_map(edits)
        .min_by_key(|(edits, _)| *edits);
    near.map(|(_, candidate)| candidate)
}

/// `` `a`, `b`, `c` ``
fn list(words: &[&str]) -> String {
    let mut text = String::new();
    for word in words.iter().take(LISTED) {
        text.push_str(if text.is_empty() { "" } else { ", " });
        text.push_str(&quoted(word));
    }
    if words.len() > LISTED {
        text.push_str(" …");
    }
    text
}

/// The operator's own text in backticks: cut where it is long, and without
/// anything that a terminal would obey.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("`");
    let mut chars = text.chars();
    for c in chars.by_ref().take(LENGTH) {
        quoted.push(if c.is_control() { '\u{FFFD}' } else { c });
    }
    quoted.push_str(if chars.next().is_some() { "…`" } else { "`" });
    quoted
}

/// Case, `-` and `_` do not tell words apart.
fn fold(word: &str) -> Option<Vec<u8>> {
    let fold = |b: u8| {
        if b == b'-' {
            b'_'
        } else {
            b.to_ascii_lowercase()
        }
    };
    (!word.is_empty() && word.len() <= LENGTH).then(|| word.bytes().map(fold).collect())
}

/// Levenshtein's: insertions, deletions and replacements of bytes.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut above_left = i;
        let mut left = i.saturating_add(1);
        let mut cells = row.iter_mut();
        if let Some(first) = cells.next() {
            *first = left;
        }
        for (cell, y) in cells.zip(b) {
            let replaced = above_left.saturating_add(usize::from(x != y));
            let inserted = left.min(*cell).saturating_add(1);
            above_left = *cell;
            left = replaced.min(inserted);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

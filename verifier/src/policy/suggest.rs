//! "Did you mean": finds the known word that is nearest to an unknown one.

use alloc::{format, string::String, vec::Vec};

/// Maximum length of a word that is compared or quoted in full.
const LENGTH: usize = 64;
/// Maximum number of words that are compared.
const COMPARED: usize = 100;
/// Maximum number of words that are listed.
const LISTED: usize = 20;

/// Makes a clause for the end of a message: the nearest word, or a list of the
/// known words.
pub(super) fn suggestion(word: &str, known: &[&str]) -> String {
    let known = known.get(..COMPARED).unwrap_or(known);
    match nearest(word, known) {
        Some(near) => format!("did you mean {}?", quoted(near)),
        None if known.is_empty() => "none is defined".into(),
        None => format!("known here: {}", list(known)),
    }
}

/// Returns the nearest word, if it is near enough.
fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let word = fold(word)?;
    // `nmae` is two edits away from `name`. `aud` is a prefix of `audiences`.
    let max_edits = word.len().div_ceil(3);
    let edits = |candidate: &&'w str| {
        let folded = fold(candidate)?;
        let is_prefix = word.len() >= 3 && folded.starts_with(&word);
        let edits = if is_prefix {
            1
        } else {
            distance(&word, &folded)
        };
        (edits <= max_edits).then_some((edits, *candidate))
    };
    let near = known
        .iter()
        .filter_map(edits)
        .min_by_key(|(edits, _)| *edits);
    near.map(|(_, candidate)| candidate)
}

/// Formats a list: `` `a`, `b`, `c` ``.
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

/// Quotes the operator's text in backticks. It truncates a long text and
/// replaces control characters, which a terminal could interpret.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("`");
    let mut chars = text.chars();
    for c in chars.by_ref().take(LENGTH) {
        quoted.push(if c.is_control() { '\u{FFFD}' } else { c });
    }
    quoted.push_str(if chars.next().is_some() { "…`" } else { "`" });
    quoted
}

/// Normalises a word: case, `-` and `_` make no difference.
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

/// Returns the Levenshtein distance: insertions, deletions and replacements of
/// bytes.
pub(super) fn distance(a: &[u8], b: &[u8]) -> usize {
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

//! The paths that a text of the input matches.
//!
//! A policy does not distinguish spellings of a path: percent-encoding and a
//! trailing slash do not count, so that `/a` matches `/a`, `/a/` and `/%61`.

use countersign_regions::{Path, Segment, Shape};

use crate::bounds::Bounds;

/// The path of this text.
pub(crate) fn exactly(text: &str) -> Bounds<Path> {
    if text == "/" {
        return Bounds::exactly(Path {
            segments: Vec::new(),
            rest: false,
        });
    }
    let bare = text.strip_suffix('/').unwrap_or(text);
    match segments(bare) {
        None => Bounds::nothing(),
        Some(segments) => {
            let path = Path {
                segments,
                rest: false,
            };
            match bare.len() == text.len() {
                true => Bounds::exactly(path),
                false => Bounds::within(path),
            }
        }
    }
}

/// The paths that begin with this text.
pub(crate) fn prefix(text: &str) -> Bounds<Path> {
    if matches!(text, "" | "/") {
        return Bounds::exactly(Path::ANY);
    }
    let Some((folder, partial)) = text.rsplit_once('/') else {
        return Bounds::nothing();
    };
    let Some(folder) = segments(folder) else {
        return Bounds::nothing();
    };
    let mut further = folder.clone();
    if partial.is_empty() {
        further.push(Segment::Any);
        return Bounds {
            inner: Some(below(further)),
            outer: Some(below(folder)),
        };
    }
    further.push(match Segment::literal(partial) {
        Some(Segment::Literal(text)) => Segment::Starts(text),
        _ => Segment::Any,
    });
    Bounds {
        inner: segments(text).map(below),
        outer: Some(below(further)),
    }
}

/// The paths of Envoy's and Istio's templates.
pub(crate) fn template(text: &str) -> Bounds<Path> {
    let mut segments = Vec::new();
    let mut parts = text.strip_prefix('/').unwrap_or(text).split('/').peekable();
    while let Some(part) = parts.next() {
        let variable = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
            .map(|part| part.split_once('=').map_or(part, |(_, pattern)| pattern));
        match variable.unwrap_or(part) {
            "**" if parts.peek().is_none() => {
                let mut inner = segments.clone();
                inner.push(Segment::Any);
                return Bounds {
                    inner: Some(below(inner)),
                    outer: Some(below(segments)),
                };
            }
            "**" => return Bounds::within(below(segments)),
            "*" => segments.push(Segment::Any),
            name if variable.is_some() && name.chars().all(is_name) => segments.push(Segment::Any),
            literal => match Segment::literal(literal) {
                Some(literal) if variable.is_none() => segments.push(literal),
                _ => return Bounds::within(below(segments)),
            },
        }
    }
    Bounds::exactly(Path {
        segments,
        rest: false,
    })
}

fn is_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

/// A path that covers everything a regular expression matches: that of the text
/// before its first special character, and what is below it.
pub(crate) fn literal_start(regex: &str) -> Path {
    let regex = regex.strip_prefix('^').unwrap_or(regex);
    let is_literal = |char: char| char.is_ascii_alphanumeric() || "/_-".contains(char);
    let length = regex.find(|char| !is_literal(char));
    let (literal, rest) = regex.split_at(length.unwrap_or(regex.len()));
    // What follows may make the last character optional.
    let literal = match rest.starts_with(['?', '*', '{']) {
        true => literal.get(..literal.len().saturating_sub(1)),
        false => Some(literal),
    };
    let is_alternative = regex.contains('|');
    let start = literal
        .filter(|_| !is_alternative)
        .and_then(|text| prefix(text).outer);
    start.unwrap_or(Path::ANY)
}

/// The path of this text and what is below it.
pub(crate) fn segments_of(text: &str) -> Bounds<Path> {
    let base = segments(text.trim_end_matches('/'));
    base.map_or_else(Bounds::nothing, |base| Bounds::exactly(below(base)))
}

fn below(segments: Vec<Segment>) -> Path {
    Path {
        segments,
        rest: true,
    }
}

/// The segments of `/a/b`; an empty text has none. `None` where the gate refuses
/// every such request, so that no pattern is needed.
fn segments(path: &str) -> Option<Vec<Segment>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    path.strip_prefix('/')?
        .split('/')
        .map(Segment::literal)
        .collect()
}

/// The path where the case of letters does not count.
pub(crate) fn without_letters(path: Path) -> Path {
    let segment = |segment| match segment {
        Segment::Literal(text) | Segment::Starts(text)
            if text.bytes().any(|byte| byte.is_ascii_alphabetic()) =>
        {
            Segment::Any
        }
        other => other,
    };
    Path {
        segments: path.segments.into_iter().map(segment).collect(),
        rest: path.rest,
    }
}

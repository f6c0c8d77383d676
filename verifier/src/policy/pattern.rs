//! Parses path patterns such as `/orgs/{org}/**`.

use alloc::{format, vec::Vec};

use super::{
    codes::Code::*,
    reader::{Node, Unique},
    report::Read,
};
use crate::{
    base::limits,
    model::{Pattern, Segment},
    request::target::decode_segment,
};

/// Parses a pattern. Refuses one that no request can match because the gate
/// refuses such paths as ambiguous, and one that an author could misunderstand.
pub(super) fn pattern(node: Node<'_, '_>) -> Read<Pattern> {
    let text = node.text()?;
    let refuse = |sentence| node.refuse(ValueInvalid, sentence);
    let Some(path) = text.strip_prefix('/') else {
        return Err(refuse("a path starts with `/`"));
    };
    if text.contains('?') {
        return Err(refuse(
            "a path is matched without its query: `%3F` stands for a `?` in it",
        ));
    }
    let mut pattern = Pattern {
        segments: Vec::new(),
        rest: false,
    };
    if path.is_empty() {
        return Ok(pattern);
    }
    let mut names = Unique::default();
    // Ignore a trailing slash. Of `//` one slash remains and is refused.
    let path = path
        .strip_suffix('/')
        .filter(|path| !path.is_empty())
        .unwrap_or(path);
    for part in path.split('/') {
        if pattern.rest {
            return Err(refuse(
                "`**` stands for the rest of the path: nothing comes after it",
            ));
        }
        if part == "**" {
            pattern.rest = true;
        } else {
            let segment = segment(part).map_err(refuse)?;
            if let Segment::Name(name) = &segment {
                names.add(node, name, "the segments of this path")?;
            }
            pattern.segments.push(segment);
        }
    }
    if pattern.segments.len() > limits::PATH_SEGMENTS {
        let message = format!("a path has at most {} segments", limits::PATH_SEGMENTS);
        return Err(node.refuse(TooMany, message));
    }
    Ok(pattern)
}

fn segment(part: &str) -> Result<Segment, &'static str> {
    if part.contains(['{', '}']) {
        let name = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        return match name {
            Some(name) if is_segment_name(name) => Ok(Segment::Name(name.into())),
            Some(_) => Err(
                "a segment's name has letters, digits, `_` and `-`, and starts with a letter or `_`",
            ),
            None => Err("`{name}` stands for one whole segment"),
        };
    }
    if part.contains('*') {
        return Err(
            "`{name}` stands for one segment, a last `**` for the rest; `%2A` for a `*` itself",
        );
    }
    if part.is_empty() {
        return Err("a path has no empty segment: the gate refuses such requests");
    }
    if !part.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("a path is visible ASCII: other characters are written as `%C3%A9` for `é`");
    }
    let literal = decode_segment(part.as_bytes());
    literal.map(|literal| Segment::Literal(literal.into())).ok_or(
        "the gate refuses requests with `.`, `..`, `;`, `\\`, `#`, a control byte, an encoded `/`, a \
         broken `%` or something encoded twice in a segment",
    )
}

pub(super) fn is_segment_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl Pattern {
    /// Returns the names that it captures.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Name(name) => Some(&**name),
            Segment::Literal(_) => None,
        })
    }
}

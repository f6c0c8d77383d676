//! The parser's events, one after the other, as JSON.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use super::{
    Position, Yaml, YamlError, child,
    collection::{Collection, Members},
    marker::{position, refused, unreadable},
    scalar::{self, Scalar},
};

/// The deepest nesting: the gate accepts far less.
const DEPTH: usize = 64;

pub(super) fn read(text: &str) -> Result<Yaml, YamlError> {
    let mut walk = Walk::new(text);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| unreadable(&error))?;
        walk.event(event, span)?;
    }
    if walk.yaml.json.is_empty() {
        return Err(YamlError::new(1, 1, "the text says nothing"));
    }
    Ok(walk.yaml)
}

struct Walk<'t> {
    text: &'t str,
    /// The byte offset of each character, as markers count characters.
    offsets: Vec<usize>,
    open: Vec<Collection>,
    /// How much of the text has been read, in characters.
    seen: usize,
    yaml: Yaml,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str) -> Self {
        let offsets = text.char_indices().map(|(offset, _)| offset);
        Self {
            text,
            offsets: offsets.chain([text.len()]).collect(),
            open: Vec::new(),
            seen: 0,
            yaml: Yaml::default(),
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                self.is_bare(span, anchor, tag.is_some())?;
                self.scalar(&value, style, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.is_bare(span, anchor, tag.is_some())?;
                self.begin(span, None)
            }
            Event::MappingStart(anchor, tag) => {
                self.is_bare(span, anchor, tag.is_some())?;
                self.begin(span, Some(Members::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(_) => Err(refused(span.start, "anchors and aliases are not taken")),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    /// Refuses a node with an anchor, a tag, or a `?` before it.
    fn is_bare(&self, span: Span, anchor: usize, is_tagged: bool) -> Result<(), YamlError> {
        if anchor != 0 {
            return Err(refused(span.start, "anchors and aliases are not taken"));
        }
        if is_tagged {
            return Err(refused(span.start, "tags are not taken"));
        }
        // Between two nodes stand indicators and comments only.
        let gap = self.raw(self.seen, span.start.index());
        let has_question = gap.lines().any(|line| {
            line.split('#')
                .next()
                .is_some_and(|line| line.contains('?'))
        });
        if has_question {
            return Err(refused(span.start, "a key is written without `?`"));
        }
        Ok(())
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, span: Span) -> Result<(), YamlError> {
        self.is_within_margin(span.start)?;
        let (raw, position) = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => self.header(),
            _ => {
                let raw = self.raw(span.start.index(), span.end.index());
                (raw, position(span.start))
            }
        };
        let scalar = scalar::read(style, raw, value).map_err(|message| YamlError {
            position,
            message: message.to_owned(),
        })?;
        self.seen = span.end.index();
        match scalar {
            Scalar::Text(name) if self.is_key_next() => self.name(name, span.start),
            Scalar::Other(_) if self.is_key_next() => {
                Err(refused(span.start, "a key is a text: put it in quotes"))
            }
            Scalar::Text(text) => {
                self.before_value(span.start);
                self.yaml.json += &json(&text);
                Ok(())
            }
            Scalar::Other(json) => {
                self.before_value(span.start);
                self.yaml.json += &json;
                Ok(())
            }
        }
    }

    /// The first line of a block text and its position: the parser has only the
    /// position of the text itself. Only indicators and comments are before it.
    fn header(&self) -> (&'t str, Position) {
        let rest = self.raw(self.seen, usize::MAX);
        let mut before = 0;
        for line in rest.split_inclusive('\n') {
            let bare = line.split('#').next().unwrap_or_default();
            if let Some(start) = bare.find(['|', '>']) {
                before += start;
                break;
            }
            before += line.len();
        }
        let (skipped, header) = rest.split_at(before);
        let seen = &self.text[..self.text.len() - rest.len() + skipped.len()];
        let line = seen.rsplit('\n').next().unwrap_or_default();
        let position = Position {
            line: seen.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        };
        (header.lines().next().unwrap_or_default(), position)
    }

    fn begin(&mut self, span: Span, members: Option<Members>) -> Result<(), YamlError> {
        if self.is_key_next() {
            return Err(refused(span.start, "a key is a text"));
        }
        if self.open.len() == DEPTH {
            return Err(refused(span.start, "values are nested too deeply"));
        }
        self.is_within_margin(span.start)?;
        let start = span.start.index();
        self.seen = start;
        let is_flow = matches!(self.raw(start, start + 1), "[" | "{");
        let margin = match self.open.last() {
            Some(parent) if parent.is_flow && !is_flow => {
                return Err(refused(span.start, "a pair in a list has braces"));
            }
            Some(parent) if parent.is_flow => parent.margin,
            Some(parent) => parent.column_of_next(),
            None => 0,
        };
        let pointer = self.before_value(span.start);
        self.yaml
            .json
            .push(if members.is_some() { '{' } else { '[' });
        self.open.push(Collection {
            pointer,
            is_flow,
            margin,
            items: 0,
            members,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), YamlError> {
        let Some(ended) = self.open.pop() else {
            return Ok(());
        };
        let is_mapping = ended.members.is_some();
        self.yaml.json.push(if is_mapping { '}' } else { ']' });
        if ended.is_flow {
            self.seen = span.end.index();
            // The bracket may stand under the key, and no further to the left.
            if self.is_first_on_line(span.start) && span.start.col() + 1 < ended.margin {
                return Err(refused(span.start, OUTSIDE));
            }
        }
        Ok(())
    }

    /// What is inside a flow collection is indented further than its key.
    fn is_within_margin(&self, start: Marker) -> Result<(), YamlError> {
        let margin = self.open.last().filter(|open| open.is_flow);
        let margin = margin.map_or(0, |open| open.margin);
        if self.is_first_on_line(start) && start.col() < margin {
            return Err(refused(start, OUTSIDE));
        }
        Ok(())
    }

    fn is_first_on_line(&self, at: Marker) -> bool {
        let line = self.raw(at.index().saturating_sub(at.col()), at.index());
        line.trim_start().is_empty()
    }

    fn is_key_next(&self) -> bool {
        let members = self.open.last().and_then(|open| open.members.as_ref());
        members.is_some_and(|members| members.next.is_none())
    }

    fn name(&mut self, name: String, start: Marker) -> Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        let Some(members) = &mut open.members else {
            return Ok(());
        };
        if !members.names.insert(name.clone()) {
            return Err(refused(start, "this key stands here a second time"));
        }
        if open.items > 0 {
            self.yaml.json.push(',');
        }
        open.items += 1;
        self.yaml.json += &json(&name);
        self.yaml.json.push(':');
        let pointer = child(&open.pointer, &name);
        self.yaml.positions.insert(pointer, position(start));
        members.next = Some((name, start.col()));
        Ok(())
    }

    /// Writes what comes before a value; the result is the value's pointer.
    fn before_value(&mut self, start: Marker) -> String {
        let pointer = match self.open.last_mut() {
            None => String::new(),
            Some(open) => match &mut open.members {
                Some(members) => {
                    let name = members.next.take().map(|(name, _)| name);
                    child(&open.pointer, &name.unwrap_or_default())
                }
                None => {
                    if open.items > 0 {
                        self.yaml.json.push(',');
                    }
                    open.items += 1;
                    format!("{}/{}", open.pointer, open.items - 1)
                }
            },
        };
        let place = self.yaml.positions.entry(pointer.clone());
        place.or_insert_with(|| position(start));
        pointer
    }

    /// The text between two places, counted in characters.
    fn raw(&self, start: usize, end: usize) -> &'t str {
        let offset = |index: usize| self.offsets.get(index).copied().unwrap_or(self.text.len());
        self.text
            .get(offset(start)..offset(end))
            .unwrap_or_default()
    }
}

const OUTSIDE: &str = "what is inside brackets is indented further than their key";

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

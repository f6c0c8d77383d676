//! Reads a document `{ "name": [item, …], … }` item by item, so that a large
//! one can be read in slices. Each item is strict JSON, as the whole is.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use serde::de::IgnoredAny;

use super::{Bounds, Fault, FaultKind, Value, push_token};
use crate::base::Problem;

/// Where the reading of one document stands.
#[derive(Debug)]
pub(crate) struct Elements {
    bounds: Bounds,
    /// Bytes of one item.
    item_bytes: usize,
    /// What was read of the document.
    at: usize,
    state: State,
    /// The names of its members so far.
    names: Vec<Box<str>>,
}

#[derive(Debug)]
enum State {
    Start,
    /// Within the object, after a member or before the first.
    Members,
    /// Within the array of the last name, before the item of this number.
    Items(usize),
    End,
}

/// What was found next.
#[derive(Debug)]
pub(crate) enum Event<'e, 'b> {
    /// An array of this name begins.
    Array(&'e str),
    /// An item of the array of this name.
    Item(&'e str, usize, Value<'b>),
    /// A member that is no array.
    Value(&'e str),
    /// The document was read to its end.
    End,
}

impl Elements {
    pub(crate) fn new(bounds: Bounds, item_bytes: usize) -> Self {
        Self {
            bounds,
            item_bytes,
            at: 0,
            state: State::Start,
            names: Vec::new(),
        }
    }

    /// How many bytes were read.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Goes on with the same document.
    pub(crate) fn next<'b>(&mut self, document: &'b [u8]) -> Result<Event<'_, 'b>, Problem> {
        if let State::Start = self.state {
            self.enter(1)?;
            self.take(document, b'{')?;
            self.state = State::Members;
        }
        match self.state {
            State::Members => self.member(document),
            State::Items(index) => self.item(document, index),
            State::Start | State::End => Ok(Event::End),
        }
    }

    fn member<'b>(&mut self, document: &'b [u8]) -> Result<Event<'_, 'b>, Problem> {
        if self.is_next(document, b'}') {
            self.take(document, b'}')?;
            return self.end(document);
        }
        if !self.names.is_empty() {
            self.take(document, b',')?;
        }
        let name = match self.value(document, 0, "")? {
            Value::String(name) => Box::from(&*name),
            _ => return Err(syntax("")),
        };
        if self.names.contains(&name) {
            return Err(refusal(FaultKind::Duplicate, pointer(&name)));
        }
        if self.names.len() >= self.bounds.members {
            return Err(refusal(FaultKind::Members, String::new()));
        }
        self.names.push(name);
        self.take(document, b':')?;
        if self.is_next(document, b'[') {
            self.enter(2)?;
            self.take(document, b'[')?;
            self.state = State::Items(0);
            return Ok(Event::Array(self.name()));
        }
        let place = pointer(self.name());
        self.value(document, 1, &place)?;
        Ok(Event::Value(self.name()))
    }

    fn item<'b>(&mut self, document: &'b [u8], index: usize) -> Result<Event<'_, 'b>, Problem> {
        if self.is_next(document, b']') {
            self.take(document, b']')?;
            self.state = State::Members;
            return self.member(document);
        }
        if index > 0 {
            self.take(document, b',')?;
        }
        let value = self.item_value(document, index)?;
        self.state = State::Items(index.saturating_add(1));
        Ok(Event::Item(self.name(), index, value))
    }

    /// The pointer of an item is made only where something is wrong with it.
    fn item_value<'b>(&mut self, document: &'b [u8], index: usize) -> Result<Value<'b>, Problem> {
        let at = self.at;
        let value = self.value(document, 2, "");
        value.or_else(|_| {
            self.at = at;
            let place = format!("{}/{index}", pointer(self.name()));
            self.value(document, 2, &place)
        })
    }

    /// After the object: nothing but white space.
    fn end<'b>(&mut self, document: &'b [u8]) -> Result<Event<'_, 'b>, Problem> {
        self.skip_space(document);
        if self.at < document.len() {
            return Err(syntax(""));
        }
        self.state = State::End;
        Ok(Event::End)
    }

    /// One value at this depth, whose place is `place`.
    fn value<'b>(
        &mut self,
        document: &'b [u8],
        depth: usize,
        place: &str,
    ) -> Result<Value<'b>, Problem> {
        self.skip_space(document);
        let rest = document.get(self.at..).unwrap_or_default();
        let window = rest.get(..self.item_bytes).unwrap_or(rest);
        let mut values = serde_json::Deserializer::from_slice(window).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {}
            Some(Err(error)) if error.is_eof() && window.len() < rest.len() => {
                let message = format!("an item has more than {} bytes", self.item_bytes);
                return Err(Problem::error(place, "document_too_large", message));
            }
            _ => return Err(syntax(place)),
        }
        let text = window.get(..values.byte_offset()).unwrap_or_default();
        self.at = self.at.saturating_add(text.len());
        let bounds = Bounds {
            depth: self.bounds.depth.saturating_sub(depth),
            ..self.bounds
        };
        super::parse(text, bounds).map_err(|Fault { kind, pointer, .. }| {
            let mut within = String::from(place);
            within.push_str(&pointer);
            refusal(kind, within)
        })
    }

    fn name(&self) -> &str {
        self.names.last().map_or("", |name| name)
    }

    fn enter(&self, depth: usize) -> Result<(), Problem> {
        if depth > self.bounds.depth {
            return Err(refusal(FaultKind::Depth, String::new()));
        }
        Ok(())
    }

    fn skip_space(&mut self, document: &[u8]) {
        let rest = document.get(self.at..).unwrap_or_default();
        // Blanks without end are as much work as an item without end.
        let rest = rest.iter().take(self.item_bytes);
        let space = rest.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.at = self.at.saturating_add(space.count());
    }

    fn is_next(&mut self, document: &[u8], byte: u8) -> bool {
        self.skip_space(document);
        document.get(self.at) == Some(&byte)
    }

    fn take(&mut self, document: &[u8], byte: u8) -> Result<(), Problem> {
        if !self.is_next(document, byte) {
            return Err(syntax(""));
        }
        self.at = self.at.saturating_add(1);
        Ok(())
    }
}

fn pointer(name: &str) -> String {
    let mut pointer = String::new();
    push_token(&mut pointer, name);
    pointer
}

fn syntax(place: &str) -> Problem {
    refusal(FaultKind::Syntax, place.into())
}

/// A document that is not strict JSON.
pub(crate) fn refusal(kind: FaultKind, pointer: String) -> Problem {
    let message = match kind {
        FaultKind::Syntax => "the document is not JSON",
        FaultKind::Duplicate => "the document has a member twice",
        FaultKind::Depth => "the document is nested too deeply",
        FaultKind::Members => "the document has too many members in an object",
    };
    Problem::error(pointer, "document_syntax", message)
}

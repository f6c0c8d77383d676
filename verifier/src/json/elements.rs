//! Reads a document `{ "name": [item, …], … }` item by item, so that a caller
//! can read a large one in slices. The document and each item are strict JSON.

use alloc::{boxed::Box, format, string::String};

use super::{Bounds, FaultKind, Value, parse, push_token};
use crate::base::{Problem, Set};

/// The state of reading one document.
#[derive(Debug)]
pub(crate) struct Elements {
    bounds: Bounds,
    /// Maximum bytes of one item.
    item_bytes: usize,
    /// How many bytes of the document are read.
    at: usize,
    state: State,
    /// The member names read so far, and the last one.
    names: Set,
    name: Box<str>,
}

#[derive(Debug)]
enum State {
    Start,
    /// Inside the object, before the first member or after one.
    Members,
    /// Inside the array of the last name, before the item with this index.
    Items(usize),
    End,
}

/// The next part of the document.
#[derive(Debug)]
pub(crate) enum Event<'e, 'b> {
    /// The start of the array with this name.
    Array(&'e str),
    /// An item of the array with this name, and its index.
    Item(&'e str, usize, Value<'b>),
    /// A member that is not an array.
    Value(&'e str, Value<'b>),
    /// The end of the document.
    End,
}

impl Elements {
    pub(crate) fn new(bounds: Bounds, item_bytes: usize) -> Self {
        Self {
            bounds,
            item_bytes,
            at: 0,
            state: State::Start,
            names: Set::default(),
            name: Box::default(),
        }
    }

    /// Returns how many bytes are read.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Reads the next part. Each call takes the same document.
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
        if self.names.len() > 0 {
            self.take(document, b',')?;
        }
        let name: Box<str> = match self.value(document, 0, "")? {
            Value::String(name) => Box::from(&*name),
            _ => return Err(syntax("")),
        };
        if !self.names.insert(name.as_bytes()) {
            return Err(refusal(FaultKind::Duplicate, pointer(&name)));
        }
        if self.names.len() > self.bounds.members {
            return Err(refusal(FaultKind::Members, String::new()));
        }
        self.name = name;
        self.take(document, b':')?;
        if self.is_next(document, b'[') {
            self.enter(2)?;
            self.take(document, b'[')?;
            self.state = State::Items(0);
            return Ok(Event::Array(&self.name));
        }
        let place = pointer(&self.name);
        let value = self.value(document, 1, &place)?;
        Ok(Event::Value(&self.name, value))
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
        Ok(Event::Item(&self.name, index, value))
    }

    /// Builds the pointer of an item only if the item is invalid.
    fn item_value<'b>(&mut self, document: &'b [u8], index: usize) -> Result<Value<'b>, Problem> {
        let at = self.at;
        let value = self.value(document, 2, "");
        value.or_else(|_| {
            self.at = at;
            let place = format!("{}/{index}", pointer(&self.name));
            self.value(document, 2, &place)
        })
    }

    /// Accepts only white space after the object.
    fn end<'b>(&mut self, document: &'b [u8]) -> Result<Event<'_, 'b>, Problem> {
        self.skip_space(document);
        if self.at < document.len() {
            return Err(syntax(""));
        }
        self.state = State::End;
        Ok(Event::End)
    }

    /// Reads one value at this depth. `place` is its JSON Pointer.
    fn value<'b>(
        &mut self,
        document: &'b [u8],
        depth: usize,
        place: &str,
    ) -> Result<Value<'b>, Problem> {
        self.skip_space(document);
        let rest = document.get(self.at..).unwrap_or_default();
        let window = rest.get(..self.item_bytes).unwrap_or(rest);
        let bounds = Bounds {
            depth: self.bounds.depth.saturating_sub(depth),
            ..self.bounds
        };
        match parse::prefix(window, bounds) {
            Ok((value, length)) => {
                self.at = self.at.saturating_add(length);
                Ok(value)
            }
            Err((_, true)) if window.len() < rest.len() => {
                let message = format!("an item has more than {} bytes", self.item_bytes);
                Err(Problem::error(place, "document_too_large", message))
            }
            Err((fault, _)) => {
                let mut within = String::from(place);
                within.push_str(&fault.pointer);
                Err(refusal(fault.kind, within))
            }
        }
    }

    fn enter(&self, depth: usize) -> Result<(), Problem> {
        if depth > self.bounds.depth {
            return Err(refusal(FaultKind::Depth, String::new()));
        }
        Ok(())
    }

    fn skip_space(&mut self, document: &[u8]) {
        let rest = document.get(self.at..).unwrap_or_default();
        // White space has the same bound as an item.
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

/// The problem of a document that is not strict JSON.
pub(crate) fn refusal(kind: FaultKind, pointer: String) -> Problem {
    let message = match kind {
        FaultKind::Syntax => "the document is not JSON",
        FaultKind::Duplicate => "the document has a member twice",
        FaultKind::Depth => "the document is nested too deeply",
        FaultKind::Members => "the document has too many members in an object",
    };
    Problem::error(pointer, "document_syntax", message)
}

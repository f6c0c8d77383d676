//! The strict parser: one pass over the text, which keeps slices of it.

use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec::Vec,
};

use countersign_kernel::bytes;

use super::{Number, Object, Value, number, push_token};
use crate::base::Limits;

/// Up to this many members a linear scan finds duplicates; above it a binary
/// search does. This uses no hash table: the names are unverified, and an
/// attacker could choose names that collide.
const SCAN: usize = 16;

/// The bounds of a text.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Maximum nesting of arrays and objects.
    pub depth: usize,
    /// Maximum members of one object.
    pub members: usize,
}

impl From<&Limits> for Bounds {
    fn from(limits: &Limits) -> Self {
        Self {
            depth: limits.json_depth,
            members: limits.json_members,
        }
    }
}

/// Why a text is not one strict JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub kind: FaultKind,
    /// JSON Pointer of the affected member; empty for a syntax fault.
    pub pointer: String,
    /// Line and column of the byte at which the parser stopped, from 1.
    pub line_column: (usize, usize),
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Not JSON, or not UTF-8.
    Syntax,
    /// Two members of one name.
    Duplicate,
    /// Nested too deeply.
    Depth,
    /// Too many members in one object.
    Members,
}

/// Parses one strict JSON text.
pub fn parse(text: &[u8], bounds: Bounds) -> Result<Value<'_>, Fault> {
    let mut parser = Parser::new(text, bounds);
    parser.whole().ok_or_else(|| parser.into_fault())
}

/// Parses claims. It also returns the top-level `iss` if a later part of the
/// text is not strict JSON. That `iss` is only for routing: the gate verifies
/// the signature and then refuses such a text.
pub fn parse_claims<'a>(
    text: &'a [u8],
    bounds: Bounds,
) -> (Option<Cow<'a, str>>, Result<Object<'a>, Fault>) {
    let mut parser = Parser::new(text, bounds);
    parser.wants_iss = true;
    let value = parser.whole();
    let iss = parser.iss.take();
    match value {
        Some(Value::Object(object)) => (iss, Ok(object)),
        _ => (iss, Err(parser.into_fault())),
    }
}

/// Parses the value at the start of a text. Returns it and its length, or the
/// fault and whether it is that the text ends too early.
pub(super) fn prefix(text: &[u8], bounds: Bounds) -> Result<(Value<'_>, usize), (Fault, bool)> {
    let mut parser = Parser::new(text, bounds);
    match parser.value(0, &Place::Root) {
        Some(value) => Ok((value, parser.at)),
        None => {
            let ended = parser.fault.is_none() && parser.at >= parser.text.len();
            Err((parser.into_fault(), ended))
        }
    }
}

struct Parser<'a> {
    /// The text up to the first byte that is not UTF-8.
    text: &'a str,
    is_utf8: bool,
    at: usize,
    bounds: Bounds,
    /// A fault that is not one of syntax.
    fault: Option<(FaultKind, String)>,
    wants_iss: bool,
    iss: Option<Cow<'a, str>>,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8], bounds: Bounds) -> Self {
        let (text, is_utf8) = match core::str::from_utf8(bytes) {
            Ok(text) => (text, true),
            Err(error) => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                (core::str::from_utf8(valid).unwrap_or_default(), false)
            }
        };
        Self {
            text,
            is_utf8,
            at: 0,
            bounds,
            fault: None,
            wants_iss: false,
            iss: None,
        }
    }

    fn whole(&mut self) -> Option<Value<'a>> {
        let value = self.value(0, &Place::Root)?;
        let ended = self.peek().is_none() && self.is_utf8;
        ended.then_some(value)
    }

    #[cold]
    fn into_fault(self) -> Fault {
        let (kind, pointer) = self.fault.unwrap_or((FaultKind::Syntax, String::new()));
        let before = self.text.as_bytes().get(..self.at).unwrap_or_default();
        let line_start = before.iter().rposition(|byte| *byte == b'\n');
        let column = before
            .len()
            .saturating_sub(line_start.map_or(0, |at| at.saturating_add(1)));
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        Fault {
            kind,
            pointer,
            line_column: (lines.saturating_add(1), column.saturating_add(1)),
        }
    }

    /// Returns the next byte after white space. It and its neighbours are inlined
    /// because the crate is compiled for size, where each would be a call.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.step(1),
                byte => return Some(*byte),
            }
        }
    }

    #[inline(always)]
    fn step(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Takes the next byte after white space if it is this one.
    #[inline(always)]
    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.step(usize::from(taken));
        taken
    }

    fn value(&mut self, depth: usize, place: &Place<'_>) -> Option<Value<'a>> {
        match self.peek()? {
            b'"' => self.string().map(Value::String),
            b'{' => self.object(depth, place),
            b'[' => self.array(depth, place),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Null),
            _ => self.number().map(Value::Number),
        }
    }

    fn literal(&mut self, word: &str, value: Value<'a>) -> Option<Value<'a>> {
        for byte in word.bytes() {
            if self.text.as_bytes().get(self.at) != Some(&byte) {
                return None;
            }
            self.step(1);
        }
        Some(value)
    }

    fn number(&mut self) -> Option<Number> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let (number, length) = number::read(rest);
        self.step(length);
        number
    }

    fn array(&mut self, depth: usize, place: &Place<'_>) -> Option<Value<'a>> {
        self.enter(depth, place)?;
        let mut items = Vec::new();
        if self.take(b']') {
            return Some(Value::Array(items));
        }
        loop {
            let place = Place::Item(place, items.len());
            items.push(self.value(depth.saturating_add(1), &place)?);
            if self.take(b']') {
                return Some(Value::Array(items));
            }
            self.take(b',').then_some(())?;
        }
    }

    fn object(&mut self, depth: usize, place: &Place<'_>) -> Option<Value<'a>> {
        self.enter(depth, place)?;
        // Most tokens have at most 12 top-level members. Nested objects are
        // many and small, so they start empty.
        let capacity = if depth == 0 { 12 } else { 0 };
        let mut members: Vec<(Cow<'a, str>, Value<'a>)> = Vec::with_capacity(capacity);
        let mut order = Order::default();
        if self.take(b'}') {
            return Some(Value::Object(Object(members)));
        }
        loop {
            (self.peek() == Some(b'"')).then_some(())?;
            let name = self.string()?;
            let is_new = if members.len() < SCAN {
                members.iter().all(|(n, _)| !same(n, &name))
            } else {
                order.add(&members, &name)
            };
            if !is_new {
                return self.fail(FaultKind::Duplicate, &Place::Member(place, &name));
            }
            if members.len() >= self.bounds.members {
                return self.fail(FaultKind::Members, place);
            }
            self.take(b':').then_some(())?;
            let value = self.value(depth.saturating_add(1), &Place::Member(place, &name))?;
            if self.wants_iss
                && depth == 0
                && name == "iss"
                && let Value::String(iss) = &value
            {
                self.iss = Some(iss.clone());
            }
            members.push((name, value));
            if self.take(b'}') {
                return Some(Value::Object(Object(members)));
            }
            self.take(b',').then_some(())?;
        }
    }

    fn enter(&mut self, depth: usize, place: &Place<'_>) -> Option<()> {
        if depth >= self.bounds.depth {
            return self.fail(FaultKind::Depth, place);
        }
        self.step(1);
        Some(())
    }

    #[cold]
    fn fail<T>(&mut self, kind: FaultKind, place: &Place<'_>) -> Option<T> {
        let mut pointer = String::new();
        place.write(&mut pointer);
        self.fault = Some((kind, pointer));
        None
    }

    /// Reads a string, which starts here.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.step(1);
        let plain = self.plain()?;
        if self.text.as_bytes().get(self.at) == Some(&b'"') {
            self.step(1);
            return Some(Cow::Borrowed(plain));
        }
        let mut unescaped = String::from(plain);
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'"' => {
                    self.step(1);
                    return Some(Cow::Owned(unescaped));
                }
                b'\\' => unescaped.push(self.escape()?),
                // A control character.
                _ => return None,
            }
            unescaped.push_str(self.plain()?);
        }
    }

    /// Takes the text up to a quote, a backslash or a control character.
    #[inline(always)]
    fn plain(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let length = bytes::plain_text(rest.as_bytes());
        self.step(length);
        rest.get(..length)
    }

    /// Reads an escape (RFC 8259 §7). A surrogate without its partner is
    /// refused.
    fn escape(&mut self) -> Option<char> {
        self.step(1);
        let letter = *self.text.as_bytes().get(self.at)?;
        let escaped = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return None,
        };
        self.step(1);
        Some(escaped)
    }

    fn code_point(&mut self) -> Option<char> {
        let first = self.code_unit()?;
        let code = match first {
            0xd800..0xdc00 => {
                (self.text.as_bytes().get(self.at) == Some(&b'\\')).then_some(())?;
                self.step(1);
                (self.text.as_bytes().get(self.at) == Some(&b'u')).then_some(())?;
                match self.code_unit()? {
                    second @ 0xdc00..0xe000 => {
                        0x10000 + (((first & 0x3ff) << 10) | (second & 0x3ff))
                    }
                    _ => return None,
                }
            }
            other => other,
        };
        char::from_u32(code)
    }

    /// Reads `u` and four hexadecimal digits.
    fn code_unit(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            self.step(1);
            let digit = char::from(*self.text.as_bytes().get(self.at)?).to_digit(16)?;
            code = (code << 4) | digit;
        }
        self.step(1);
        Some(code)
    }
}

#[inline(always)]
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && bytes::equal(a.as_bytes(), b.as_bytes())
}

/// The path from the root to the current value, kept on the stack.
enum Place<'p> {
    Root,
    Member(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn write(&self, pointer: &mut String) {
        match self {
            Self::Root => {}
            Self::Member(parent, name) => {
                parent.write(pointer);
                push_token(pointer, name);
            }
            Self::Item(parent, index) => {
                parent.write(pointer);
                push_token(pointer, &index.to_string());
            }
        }
    }
}

/// Indices of the members, sorted by name.
#[derive(Default)]
struct Order(Vec<u32>);

impl Order {
    /// Adds all members and the next name. Returns whether that name is new.
    fn add(&mut self, members: &[(Cow<'_, str>, Value<'_>)], next: &str) -> bool {
        let name = |index: u32| match members.get(index as usize) {
            Some((name, _)) => &**name,
            None => next,
        };
        let mut is_new = true;
        while self.0.len() <= members.len() {
            let Ok(index) = u32::try_from(self.0.len()) else {
                return false;
            };
            match self.0.binary_search_by(|held| name(*held).cmp(name(index))) {
                Ok(place) => {
                    is_new = false;
                    self.0.insert(place, index);
                }
                Err(place) => self.0.insert(place, index),
            }
        }
        is_new
    }
}

//! Revocation documents: they list signed tokens that are no longer valid.

use alloc::{format, sync::Arc, vec::Vec};

use hashbrown::HashTable;

use crate::{
    base::{Limits, Problem, hash},
    json::{Elements, Event, Object, Value},
};

/// Maximum bytes of one entry. No token is larger, so no claim of a token is.
const ENTRY_BYTES: usize = 16 * 1024;
/// Bytes of a document that one slice reads: a few thousand entries.
pub(super) const SLICE_BYTES: usize = 128 * 1024;
/// Cost of moving one entry when a hash table grows, counted as bytes of a
/// slice.
pub(super) const MOVE_BYTES: usize = 16;

/// `{ "jti": […], "sub": [{ "sub", "issued_before"? }], "kid": […] }`
#[derive(Default)]
pub(crate) struct Revoked {
    texts: Texts,
    jti: Table,
    sub: Table,
    /// For each index in `sub`: tokens issued before this time (ms) are
    /// revoked. Without a time, all tokens of the subject are.
    issued_before: Vec<Option<i64>>,
    kid: Table,
}

/// The parts of a token that a revocation document can list.
pub(crate) struct Revocable<'t> {
    pub(crate) jti: Option<&'t str>,
    pub(crate) sub: Option<&'t str>,
    pub(crate) issued_at_ms: Option<i64>,
    pub(crate) kid: Option<&'t str>,
}

impl Revoked {
    /// Returns the number of entries.
    pub(crate) fn len(&self) -> usize {
        let tables = [&self.jti, &self.sub, &self.kid];
        tables.iter().map(|table| table.len()).sum()
    }

    pub(crate) fn covers(&self, token: &Revocable<'_>) -> bool {
        let texts = &self.texts;
        let by_subject = || {
            let place = token
                .sub
                .and_then(|sub| self.sub.find(texts, sub.as_bytes()));
            match place.and_then(|place| self.issued_before.get(place)) {
                None => false,
                Some(None) => true,
                // Without `iat` the issue time is unknown, so the token is
                // revoked.
                Some(Some(before)) => token.issued_at_ms.is_none_or(|at| at < *before),
            }
        };
        token
            .jti
            .is_some_and(|jti| self.jti.find(texts, jti.as_bytes()).is_some())
            || token
                .kid
                .is_some_and(|kid| self.kid.find(texts, kid.as_bytes()).is_some())
            || by_subject()
    }

    /// Returns how many entries the tables moved since the last call.
    fn take_moved(&mut self) -> usize {
        let tables = [&mut self.jti, &mut self.sub, &mut self.kid];
        tables
            .into_iter()
            .map(|table| core::mem::take(&mut table.moved))
            .fold(0, usize::saturating_add)
    }

    fn add_subject(&mut self, item: &Value<'_>) -> Result<(), &'static str> {
        const SHAPE: &str = "it is not an object with `sub` and, if wanted, `issued_before`";
        let entry: &Object<'_> = item.as_object().ok_or(SHAPE)?;
        let sub = entry.get("sub").and_then(Value::as_str).ok_or(SHAPE)?;
        let before = match entry.get("issued_before") {
            None => None,
            Some(time) => Some(
                time.as_milliseconds()
                    .ok_or("`issued_before` is not a time in seconds")?,
            ),
        };
        if entry
            .iter()
            .any(|(name, _)| !matches!(name, "sub" | "issued_before"))
        {
            return Err(SHAPE);
        }
        let place = self.sub.insert(&mut self.texts, sub.as_bytes());
        match self.issued_before.get_mut(place) {
            None => self.issued_before.push(before),
            // Of two entries for one subject, the one that revokes more
            // applies.
            Some(known) => *known = known.zip(before).map(|(a, b)| a.max(b)),
        }
        Ok(())
    }
}

/// A revocation document that is being read.
pub(crate) struct Reading {
    elements: Elements,
    revoked: Revoked,
    /// How many more entries are allowed.
    remaining: usize,
}

impl Reading {
    pub(crate) fn new(document: Vec<u8>, limits: &Limits) -> Self {
        Self {
            elements: Elements::new(limits.into(), ENTRY_BYTES),
            revoked: Revoked {
                texts: Texts {
                    document: Arc::new(document),
                    unescaped: Vec::new(),
                },
                ..Revoked::default()
            },
            remaining: limits.revocation_entries,
        }
    }

    /// Reads one slice. Returns the revocations after the last slice. A
    /// document with an unknown member is refused: if the gate ignored the
    /// member, it could admit a revoked token.
    pub(crate) fn step(&mut self) -> Result<Option<Revoked>, Problem> {
        const MEMBERS: &str = "the members are `jti`, `sub` and `kid`";
        let start = self.elements.position();
        let revoked = &mut self.revoked;
        let document = Arc::clone(&revoked.texts.document);
        let mut moved = 0_usize;
        while self
            .elements
            .position()
            .saturating_sub(start)
            .saturating_add(moved.saturating_mul(MOVE_BYTES))
            < SLICE_BYTES
        {
            match self.elements.next(&document)? {
                Event::End => return Ok(Some(core::mem::take(revoked))),
                Event::Array("jti" | "sub" | "kid") => {}
                Event::Array(name) => return Err(invalid(&format!("/{name}"), MEMBERS)),
                Event::Value(name, _) => {
                    return Err(invalid(&format!("/{name}"), "it is not an array"));
                }
                Event::Item(name, index, item) => {
                    let Some(remaining) = self.remaining.checked_sub(1) else {
                        let message = "the document has more entries than are read";
                        return Err(Problem::error("", "too_many", message));
                    };
                    self.remaining = remaining;
                    let added = match (name, item.as_str()) {
                        ("sub", _) => revoked.add_subject(&item),
                        (_, None) => Err("it is not a string"),
                        ("kid", Some(kid)) => {
                            revoked.kid.insert(&mut revoked.texts, kid.as_bytes());
                            Ok(())
                        }
                        (_, Some(jti)) => {
                            revoked.jti.insert(&mut revoked.texts, jti.as_bytes());
                            Ok(())
                        }
                    };
                    added.map_err(|why| invalid(&format!("/{name}/{index}"), why))?;
                    moved = revoked.take_moved().saturating_add(moved);
                }
            }
        }
        Ok(None)
    }
}

fn invalid(pointer: &str, message: &str) -> Problem {
    Problem::error(pointer, "revocations_invalid", message)
}

/// The texts of the entries. A text without escapes is a slice of the document;
/// one with escapes is a copy in `unescaped`.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) document: Arc<Vec<u8>>,
    unescaped: Vec<u8>,
}

/// The start and the length of a text in [`Texts`].
#[derive(Clone, Copy)]
pub(super) struct Span(u32, u32);

impl Texts {
    pub(super) fn get(&self, Span(start, length): Span) -> &[u8] {
        let (start, length) = (start as usize, length as usize);
        let (texts, start) = match start.checked_sub(self.document.len()) {
            None => (&**self.document, start),
            Some(start) => (&*self.unescaped, start),
        };
        let end = start.saturating_add(length);
        texts.get(start..end).unwrap_or_default()
    }

    /// Stores a text. The sum of both buffers is far below 2^32 bytes:
    /// documents are bounded, and unescaping makes a text shorter.
    pub(super) fn add(&mut self, text: &[u8]) -> Span {
        let offset = text
            .as_ptr()
            .addr()
            .checked_sub(self.document.as_ptr().addr());
        let start = match offset {
            Some(start) if start < self.document.len() => start,
            _ => {
                let start = self.document.len().saturating_add(self.unescaped.len());
                self.unescaped.extend_from_slice(text);
                start
            }
        };
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span(number(start), number(text.len()))
    }
}

/// A set of texts. It consists of many small hash tables, so that one insertion
/// moves at most the entries of a small table.
#[derive(Default)]
pub(super) struct Table {
    spans: Vec<Span>,
    /// Indices into `spans`; none before the first insertion.
    parts: Vec<HashTable<u32>>,
    /// Number of entries that moved because a part grew.
    pub(super) moved: usize,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    const PARTS: usize = 64;

    /// Returns the index of a text.
    pub(super) fn find(&self, texts: &Texts, text: &[u8]) -> Option<usize> {
        let hash = hash::of(text, 0);
        let is_text = |number: &u32| text_of(&self.spans, texts, *number) == text;
        let number = self.parts.get(part(hash))?.find(hash, is_text)?;
        usize::try_from(*number).ok()
    }

    /// Returns the text with this index.
    pub(super) fn at<'t>(&self, texts: &'t Texts, number: u32) -> &'t [u8] {
        text_of(&self.spans, texts, number)
    }

    /// Returns the index of a text in insertion order. Inserts the text if it
    /// is new.
    pub(super) fn insert(&mut self, texts: &mut Texts, text: &[u8]) -> usize {
        if let Some(number) = self.find(texts, text) {
            return number;
        }
        self.parts.resize_with(Self::PARTS, HashTable::new);
        let number = self.spans.len();
        self.spans.push(texts.add(text));
        let hash = hash::of(text, 0);
        let (spans, texts) = (&self.spans, &*texts);
        let rehash = |number: &u32| hash::of(text_of(spans, texts, *number), 0);
        if let (Some(part), Ok(number)) = (self.parts.get_mut(part(hash)), u32::try_from(number)) {
            if part.len() == part.capacity() {
                self.moved = self.moved.saturating_add(part.len());
            }
            part.insert_unique(hash, number, rehash);
        }
        number
    }
}

fn text_of<'t>(spans: &[Span], texts: &'t Texts, number: u32) -> &'t [u8] {
    let span = spans.get(number as usize);
    span.map_or(&[], |span| texts.get(*span))
}

/// The low bits of the hash choose the table, the high bits the slot in it.
fn part(hash: u64) -> usize {
    usize::try_from(hash % Table::PARTS as u64).unwrap_or_default()
}

//! Documents of API keys: who has which key. The document itself stays in
//! memory, and beside it only what finds an entry: an entry is read when its key
//! is presented.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};

use super::revocation::{MOVE_BYTES, SLICE_BYTES, Span, Table, Texts};
use crate::{
    base::{Limits, Problem},
    jose::is_equal,
    json::{Elements, Event, Pointer, Value, push_text, raw},
    model::{ApiKeys, DIGEST, Entry, HashForm, entry_id},
};

/// Maximum bytes of one entry.
const ENTRY_BYTES: usize = 16 * 1024;
/// Maximum number of skipped keys that are reported individually.
const REPORTED: usize = 100;

/// The keys of one document.
#[derive(Default)]
pub(crate) struct KeyTable {
    texts: Texts,
    ids: Table,
    /// One for each of `ids`.
    entries: Vec<Known>,
    hashes: Table,
    /// For each of `hashes`, the index of its entry.
    owners: Vec<u32>,
}

/// One key of the document.
#[derive(Clone, Copy)]
struct Known {
    /// The text of the entry.
    text: Span,
    /// Index into `hashes`; none of an entry that is skipped.
    digest: Option<u32>,
    form: HashForm,
    pepper: Option<u8>,
    is_active: bool,
}

/// What the document says about a presented key.
pub(crate) enum Found<'d> {
    /// The text of its entry.
    Active(&'d str),
    /// The key is switched off, or its entry is skipped.
    Inactive,
    /// The document has its id with another hash.
    OtherHash,
    Nothing,
}

impl KeyTable {
    /// Returns the number of keys whose entries are not skipped.
    pub(crate) fn len(&self) -> usize {
        let known = self.entries.iter();
        known.filter(|known| known.digest.is_some()).count()
    }

    /// Finds a key by its id, else by its hash. The work is the same whether the
    /// document has the id or not.
    pub(crate) fn find(&self, keys: &ApiKeys, key: &[u8]) -> Found<'_> {
        let digests = keys.digests(key);
        let id = keys.id_of(key).unwrap_or_default();
        let by_id = self.ids.find(&self.texts, id);
        let mut by_hash = None;
        for digest in &digests {
            let place = self.hashes.find(&self.texts, &digest.bytes);
            let owner = place.and_then(|place| self.owners.get(place));
            by_hash = owner.copied().or(by_hash);
        }
        let by_hash = by_hash.and_then(|owner| usize::try_from(owner).ok());
        let known = by_id.or(by_hash).and_then(|at| self.entries.get(at));
        let stored = match known.and_then(|known| known.digest) {
            Some(digest) => self.hashes.at(&self.texts, digest),
            None => &[0; DIGEST],
        };
        let mut is_same = false;
        for digest in &digests {
            let fits = known.is_some_and(|known| {
                known.form == digest.form && known.pepper.is_none_or(|at| at == digest.pepper)
            });
            is_same |= is_equal(stored, &digest.bytes) & fits;
        }
        match known {
            None => Found::Nothing,
            Some(known) if !known.is_active => Found::Inactive,
            Some(_) if !is_same => Found::OtherHash,
            Some(known) => {
                // The document was read as JSON, which is UTF-8.
                let text = core::str::from_utf8(self.texts.get(known.text));
                text.map_or(Found::Nothing, Found::Active)
            }
        }
    }

    /// Returns whether the document has this id.
    pub(crate) fn has_id(&self, id: &[u8]) -> bool {
        self.ids.find(&self.texts, id).is_some()
    }

    /// Adds an entry. Two of one id, or of one hash, are both skipped: nobody
    /// knows which of them counts.
    fn add(
        &mut self,
        id: &str,
        text: Span,
        entry: Result<Entry, &'static str>,
    ) -> Result<(), &'static str> {
        if let Some(at) = self.ids.find(&self.texts, id.as_bytes()) {
            self.skip(at);
            return Err("its `id` stands twice, so neither key is good");
        }
        let at = self.ids.insert(&mut self.texts, id.as_bytes());
        let mut known = Known {
            text,
            digest: None,
            form: HashForm::Hmac,
            pepper: None,
            is_active: false,
        };
        let mut added = Ok(());
        match entry {
            Err(why) => added = Err(why),
            Ok(entry) => match self.hashes.find(&self.texts, &entry.digest) {
                Some(place) => {
                    let owner = self.owners.get(place).copied().unwrap_or_default();
                    self.skip(owner as usize);
                    added = Err("its `hash` stands twice, so neither key is good");
                }
                None => {
                    let place = self.hashes.insert(&mut self.texts, &entry.digest);
                    known.digest = u32::try_from(place).ok();
                    self.owners.push(u32::try_from(at).unwrap_or(u32::MAX));
                    known.form = entry.form;
                    known.pepper = entry.pepper;
                    known.is_active = entry.is_active;
                }
            },
        }
        self.entries.push(known);
        added
    }

    fn skip(&mut self, at: usize) {
        if let Some(known) = self.entries.get_mut(at) {
            known.digest = None;
            known.is_active = false;
        }
    }

    /// Returns how many entries the tables moved since the last call.
    fn take_moved(&mut self) -> usize {
        let moved = self.ids.moved.saturating_add(self.hashes.moved);
        (self.ids.moved, self.hashes.moved) = (0, 0);
        moved
    }
}

/// Makes the claims of a key from the text of its entry: those of its fields
/// before its free ones.
pub(crate) fn claims_of(entry: &str, iss: &str) -> Vec<u8> {
    let mut claims = Vec::from(b"{");
    if !iss.is_empty() {
        claims.extend_from_slice(b"\"iss\":");
        push_text(&mut claims, iss);
    }
    for (field, claim) in [
        ("id", "jti"),
        ("subject", "sub"),
        ("tenant", "tenant"),
        ("roles", "roles"),
        ("scopes", "scopes"),
        ("expires_at", "exp"),
    ] {
        if let Some(text) = raw(entry, &Pointer::member(field)) {
            push_comma(&mut claims);
            push_text(&mut claims, claim);
            claims.push(b':');
            claims.extend_from_slice(text.as_bytes());
        }
    }
    let free = raw(entry, &Pointer::member("claims")).unwrap_or_default();
    let free = free
        .strip_prefix('{')
        .and_then(|free| free.strip_suffix('}'));
    let free = free.unwrap_or_default().trim();
    if !free.is_empty() {
        push_comma(&mut claims);
        claims.extend_from_slice(free.as_bytes());
    }
    claims.push(b'}');
    claims
}

fn push_comma(claims: &mut Vec<u8>) {
    if claims.len() > 1 {
        claims.push(b',');
    }
}

/// A document that is being read: `{ "keys": [ … ] }`.
pub(crate) struct Reading {
    elements: Elements,
    table: KeyTable,
    /// How many more entries are allowed.
    remaining: usize,
    has_keys: bool,
    skipped: Vec<Problem>,
    /// Number of skipped keys that are not reported individually.
    unreported: usize,
}

impl Reading {
    pub(crate) fn new(document: Vec<u8>, limits: &Limits) -> Self {
        let mut table = KeyTable::default();
        table.texts.document = Arc::new(document);
        Self {
            elements: Elements::new(limits.into(), ENTRY_BYTES),
            table,
            remaining: limits.api_keys,
            has_keys: false,
            skipped: Vec::new(),
            unreported: 0,
        }
    }

    /// Reads one slice. Returns the keys after the last slice. A key that cannot
    /// be used is skipped.
    pub(crate) fn step(
        &mut self,
        keys: &ApiKeys,
    ) -> Result<Option<(KeyTable, Vec<Problem>)>, Problem> {
        let start = self.elements.position();
        let document = Arc::clone(&self.table.texts.document);
        let mut moved = 0_usize;
        loop {
            let at = self.elements.position();
            let cost = moved.saturating_mul(MOVE_BYTES).saturating_add(at);
            if cost.saturating_sub(start) >= SLICE_BYTES {
                return Ok(None);
            }
            match self.elements.next(&document)? {
                Event::End if self.has_keys => return Ok(Some(self.finish())),
                Event::Array("keys") => self.has_keys = true,
                Event::Item(_, index, item) => {
                    let Some(remaining) = self.remaining.checked_sub(1) else {
                        let message = "the document has more keys than are read";
                        return Err(Problem::error("", "too_many", message));
                    };
                    self.remaining = remaining;
                    let before = document.get(at..self.elements.position());
                    self.add(index, &item, before.unwrap_or_default(), keys);
                    moved = self.table.take_moved().saturating_add(moved);
                }
                Event::End | Event::Array(_) | Event::Value(..) => {
                    let message = "a document of API keys has one member, the array `keys`";
                    return Err(Problem::error("", "api_keys_invalid", message));
                }
            }
        }
    }

    /// Adds the item at the end of `text`: a comma and white space can stand
    /// before it.
    fn add(&mut self, index: usize, item: &Value<'_>, text: &[u8], keys: &ApiKeys) {
        let brace = text.iter().position(|byte| *byte == b'{');
        let text = brace.and_then(|at| text.get(at..)).unwrap_or_default();
        let added = match item.as_object() {
            None => Err("it is not an object"),
            Some(object) => match entry_id(object) {
                None => Err("its `id` is not 1 to 128 letters, digits, `-`, `.` and `_`"),
                Some(id) => {
                    let text = self.table.texts.add(text);
                    self.table.add(id, text, keys.entry(object))
                }
            },
        };
        let Err(why) = added else {
            return;
        };
        if self.skipped.len() < REPORTED {
            let message = format!("this key is skipped: {why}");
            let place = format!("/keys/{index}");
            self.skipped
                .push(Problem::warning(place, "api_key_unusable", message));
        } else {
            self.unreported = self.unreported.saturating_add(1);
        }
    }

    fn finish(&mut self) -> (KeyTable, Vec<Problem>) {
        let mut skipped = core::mem::take(&mut self.skipped);
        if self.unreported > 0 {
            let message = format!("more keys that are skipped: {}", self.unreported);
            skipped.push(Problem::warning("/keys", "api_key_unusable", message));
        }
        (core::mem::take(&mut self.table), skipped)
    }
}

/// Reads the document of a policy, which the policy's parser has checked.
pub(crate) fn read_inline(document: Vec<u8>, keys: &ApiKeys) -> KeyTable {
    let mut reading = Box::new(Reading::new(document, &Limits::DEFAULT));
    loop {
        match reading.step(keys) {
            Ok(None) => {}
            Ok(Some((table, _))) => return table,
            // Without keys everything is denied.
            Err(_) => return KeyTable::default(),
        }
    }
}

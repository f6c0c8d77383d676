//! Reads a JWK Set (RFC 7517 §5) key by key: a fetched set in slices, or an
//! inline set of a policy.

use alloc::{format, string::String, sync::Arc, vec::Vec};

use super::{Keyring, jwk};
use crate::{
    base::{Limits, Problem},
    jose::Algorithm,
    json::{self, Elements, Event, Fault, Value, refusal},
};

/// Preparation work of one slice, in units of [`work`]: a few milliseconds.
const SLICE_WORK: usize = 16;
/// Bytes of a document that are read in one slice.
const SLICE_BYTES: usize = 128 * 1024;
/// Maximum number of skipped keys that are reported individually.
const REPORTED: usize = 100;

/// The keys of a set that are read so far.
pub(super) struct KeySet {
    ring: Keyring,
    skipped: Vec<Problem>,
    /// Number of skipped keys that are not reported individually.
    unreported: usize,
    /// Number of keys for one of the issuer's algorithms.
    usable: usize,
    max_keys: usize,
    /// JSON Pointer of the set, for pointers of problems.
    pointer: String,
}

impl KeySet {
    pub(super) fn new(limits: &Limits, pointer: &str) -> Self {
        Self {
            ring: Keyring::default(),
            skipped: Vec::new(),
            unreported: 0,
            usable: 0,
            max_keys: limits.document_keys,
            pointer: pointer.into(),
        }
    }

    /// Adds the key with this index. If `old` has an equal key, the set shares
    /// that object, so that a refresh without changes forgets no remembered
    /// token.
    pub(super) fn add(
        &mut self,
        index: usize,
        key: &Value<'_>,
        algorithms: &[Algorithm],
        old: &Keyring,
    ) -> Result<(), Problem> {
        if is_symmetric(key) {
            let message = "a JWK Set with a symmetric key is refused: a secret was published, or kinds of keys are mixed";
            return Err(self.refuse("jwks_symmetric", message));
        }
        let parsed = match key {
            Value::Object(key) => jwk::public_key(key, algorithms),
            _ => Err("it is not an object".into()),
        };
        let added = parsed.and_then(|key| {
            let is_usable = algorithms.contains(&key.algorithm);
            let key = old
                .find_equal(&key)
                .cloned()
                .unwrap_or_else(|| Arc::new(key));
            self.ring.add(key)?;
            self.usable = self.usable.saturating_add(usize::from(is_usable));
            Ok(())
        });
        if self.usable > self.max_keys {
            let message = format!("at most {} keys are read", self.max_keys);
            return Err(self.refuse("too_many", &message));
        }
        match added {
            Ok(()) => {}
            Err(_) if self.skipped.len() >= REPORTED => {
                self.unreported = self.unreported.saturating_add(1);
            }
            Err(why) => {
                let place = format!("{}/keys/{index}", self.pointer);
                let message = format!("this key is skipped: {why}");
                self.skipped
                    .push(Problem::warning(place, "key_unusable", message));
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(Keyring, Vec<Problem>), Problem> {
        if let (true, Some(first)) = (self.ring.is_empty(), self.skipped.first()) {
            let message = format!(
                "no key of the set can be used; of the first: {}",
                first.message
            );
            return Err(self.refuse("jwks_no_usable_key", &message));
        }
        if self.unreported > 0 {
            let message = format!("more keys that are skipped: {}", self.unreported);
            let place = format!("{}/keys", self.pointer);
            self.skipped
                .push(Problem::warning(place, "key_unusable", message));
        }
        Ok((self.ring, self.skipped))
    }

    pub(super) fn not_a_set(&self) -> Problem {
        self.refuse(
            "jwks_invalid",
            "a JWK Set is an object with an array `keys`",
        )
    }

    fn refuse(&self, code: &'static str, message: &str) -> Problem {
        Problem::error(format!("{}/keys", self.pointer), code, message)
    }
}

/// A fetched JWK Set that is being read.
pub(crate) struct Reading {
    document: Arc<Vec<u8>>,
    elements: Elements,
    keys: Option<KeySet>,
    /// Whether the document has an array `keys`.
    is_set: bool,
}

impl Reading {
    pub(crate) fn new(document: Vec<u8>, limits: &Limits) -> Self {
        Self {
            elements: Elements::new(limits.into(), document.len()),
            document: Arc::new(document),
            keys: Some(KeySet::new(limits, "")),
            is_set: false,
        }
    }

    /// Reads one slice. Returns the keys after the last slice.
    pub(crate) fn step(
        &mut self,
        algorithms: &[Algorithm],
        old: &Keyring,
    ) -> Result<Option<(Keyring, Vec<Problem>)>, Problem> {
        let end = self.elements.position().saturating_add(SLICE_BYTES);
        let mut remaining = SLICE_WORK;
        let document = Arc::clone(&self.document);
        let Some(keys) = &mut self.keys else {
            return Ok(None);
        };
        while remaining > 0 && self.elements.position() < end {
            match self.elements.next(&document)? {
                Event::End if self.is_set => {
                    return self.keys.take().map(KeySet::finish).transpose();
                }
                Event::End | Event::Value("keys") => return Err(keys.not_a_set()),
                Event::Array(name) => self.is_set |= name == "keys",
                Event::Item("keys", index, key) => {
                    keys.add(index, &key, algorithms, old)?;
                    remaining = remaining.saturating_sub(work(&key));
                }
                Event::Item(..) | Event::Value(_) => {}
            }
        }
        Ok(None)
    }
}

/// Parses a small document. The caller has checked its size.
pub(crate) fn parse_document<'a>(body: &'a [u8], limits: &Limits) -> Result<Value<'a>, Problem> {
    json::parse(body, limits.into()).map_err(|Fault { kind, pointer, .. }| refusal(kind, pointer))
}

/// Returns how long it takes to prepare a key, by its curve. An RSA key counts 1.
fn work(key: &Value<'_>) -> usize {
    let Some(key) = key.as_object() else {
        return 0;
    };
    match key.get("crv").map(Value::as_str) {
        None => 1,
        Some(Some("P-521")) => 8,
        Some(Some("P-384")) => 4,
        Some(_) => 2,
    }
}

fn is_symmetric(key: &Value<'_>) -> bool {
    let kty = key.as_object().and_then(|key| key.get("kty"));
    kty.and_then(Value::as_str) == Some("oct")
}

//! Reads a document of keys key by key: a JWK Set (RFC 7517 §5), fetched in
//! slices or inline in a policy, or an object that maps each `kid` to a PEM.

use alloc::{format, string::String, sync::Arc, vec::Vec};

use super::{
    Accepted, Key, Keyring,
    jwk::{self, Unusable},
};
use crate::{
    base::{Limits, Problem},
    json::{self, Bounds, Elements, Event, Fault, Value, push_token, refusal},
};

/// Preparation work of one slice, in units of [`work`]: a few milliseconds.
const SLICE_WORK: usize = 16;
/// Work for a key in PEM, whose kind is not known before.
const PEM_WORK: usize = 4;
/// Bytes of a document that are read in one slice.
const SLICE_BYTES: usize = 128 * 1024;
/// Maximum number of skipped keys that are reported individually.
const REPORTED: usize = 100;

/// The keys of a set that are read so far.
pub(super) struct KeySet {
    ring: Keyring,
    /// Keys that are skipped, and warnings about keys that are used.
    reported: Vec<Problem>,
    /// Number of keys that are not reported individually.
    unreported: usize,
    /// Whether it has a key that is skipped without a report.
    has_others: bool,
    /// Number of keys for one of the source's algorithms.
    usable: usize,
    max_keys: usize,
    /// JSON Pointer of the keys, for pointers of problems.
    pointer: String,
}

impl KeySet {
    pub(super) fn new(limits: &Limits, pointer: String) -> Self {
        Self {
            ring: Keyring::default(),
            reported: Vec::new(),
            unreported: 0,
            has_others: false,
            usable: 0,
            max_keys: limits.document_keys,
            pointer,
        }
    }

    /// Adds the key with this index in a JWK Set.
    pub(super) fn add_jwk(
        &mut self,
        index: usize,
        key: &Value<'_>,
        accepted: &Accepted,
        old: &Keyring,
    ) -> Result<(), Problem> {
        if is_symmetric(key) {
            let message = "a JWK Set with a symmetric key is refused: a secret was published, or kinds of keys are mixed";
            return Err(self.refuse("jwks_symmetric", message));
        }
        let parsed = match key {
            Value::Object(key) if jwk::has_other_use(key, accepted) => {
                self.has_others = true;
                return Ok(());
            }
            Value::Object(key) => jwk::public_key(key, accepted),
            _ => Err("it is not an object".into()),
        };
        let place = format!("{}/{index}", self.pointer);
        self.add(place, parsed, accepted, old)
    }

    /// Adds the key of a `kid`.
    fn add_pem(
        &mut self,
        kid: &str,
        pem: &Value<'_>,
        accepted: &Accepted,
        old: &Keyring,
    ) -> Result<(), Problem> {
        let parsed = match pem.as_str() {
            Some(pem) => jwk::pem_key(Some(kid), None, pem, accepted),
            None => Err("it is not a text".into()),
        };
        let mut place = String::new();
        push_token(&mut place, kid);
        self.add(place, parsed.map(|key| (key, false)), accepted, old)
    }

    /// Adds a key. If `old` has an equal key, the set shares that object.
    fn add(
        &mut self,
        place: String,
        parsed: Result<(Key, bool), Unusable>,
        accepted: &Accepted,
        old: &Keyring,
    ) -> Result<(), Problem> {
        let added = parsed.and_then(|(key, tolerated)| {
            let (algorithm, is_nameless) = (key.algorithm, key.kid.is_none());
            self.ring.add(old.shared(key))?;
            if accepted.algorithms.contains(&algorithm) {
                self.usable = self.usable.saturating_add(1);
            }
            let is_fifth = is_nameless && self.ring.nameless(algorithm) > 4;
            Ok((tolerated, is_fifth))
        });
        if self.usable > self.max_keys {
            let message = format!("at most {} keys are read", self.max_keys);
            return Err(self.refuse("too_many", &message));
        }
        let (code, message) = match added {
            Ok((false, false)) => return Ok(()),
            Ok((_, true)) => (
                "key_not_tried",
                "a fifth key without `kid` is not tried".into(),
            ),
            Ok((true, false)) => (
                "key_encoding",
                "this key is used, but its numbers are not base64url without padding and leading zeros".into(),
            ),
            Err(why) => ("key_unusable", format!("this key is skipped: {why}")),
        };
        if self.reported.len() < REPORTED {
            self.reported.push(Problem::warning(place, code, message));
        } else {
            self.unreported = self.unreported.saturating_add(1);
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(Keyring, Vec<Problem>), Problem> {
        let first = self.reported.first().map(|problem| &*problem.message);
        let first = first.or(self.has_others.then_some("its `use` is another one"));
        if let (true, Some(first)) = (self.ring.is_empty(), first) {
            let message = ["no key of the set can be used; of the first: ", first].concat();
            return Err(self.refuse("jwks_no_usable_key", &message));
        }
        if self.unreported > 0 {
            let message = format!("more keys with a warning: {}", self.unreported);
            self.reported
                .push(Problem::warning(self.pointer, "key_unusable", message));
        }
        Ok((self.ring, self.reported))
    }

    pub(super) fn not_a_set(&self) -> Problem {
        self.refuse(
            "jwks_invalid",
            "a JWK Set is an object with an array `keys`",
        )
    }

    fn refuse(&self, code: &'static str, message: &str) -> Problem {
        Problem::error(&*self.pointer, code, message)
    }
}

/// A fetched document of keys that is being read.
pub(crate) struct Reading {
    document: Arc<Vec<u8>>,
    elements: Elements,
    keys: Option<KeySet>,
    /// Whether it maps each `kid` to a PEM.
    is_map: bool,
    /// Whether the document has an array `keys`.
    is_set: bool,
}

impl Reading {
    pub(crate) fn new(document: Vec<u8>, limits: &Limits, is_map: bool) -> Self {
        let mut bounds = Bounds::from(limits);
        let mut pointer = "/keys";
        if is_map {
            // Each member is a key, and keys have their own limit.
            (bounds.members, pointer) = (usize::MAX, "");
        }
        Self {
            elements: Elements::new(bounds, document.len()),
            document: Arc::new(document),
            keys: Some(KeySet::new(limits, pointer.into())),
            is_map,
            is_set: false,
        }
    }

    /// Reads one slice. Returns the keys after the last slice.
    pub(crate) fn step(
        &mut self,
        accepted: &Accepted,
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
                Event::End if self.is_set || self.is_map => {
                    return self.keys.take().map(KeySet::finish).transpose();
                }
                Event::Array(name) if self.is_map => {
                    keys.add_pem(name, &Value::Null, accepted, old)?;
                }
                Event::Value(kid, pem) if self.is_map => {
                    keys.add_pem(kid, &pem, accepted, old)?;
                    remaining = remaining.saturating_sub(PEM_WORK);
                }
                Event::End | Event::Value("keys", _) => return Err(keys.not_a_set()),
                Event::Array(name) => self.is_set |= name == "keys",
                Event::Item("keys", index, key) if !self.is_map => {
                    keys.add_jwk(index, &key, accepted, old)?;
                    remaining = remaining.saturating_sub(work(&key));
                }
                Event::Item(..) | Event::Value(..) => {}
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

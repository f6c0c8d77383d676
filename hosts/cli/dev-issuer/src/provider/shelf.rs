//! Values under secret names, each for a limited time, of a limited number.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{error::Error, signer::random};

/// What is under secret names. It has only their hashes.
pub(super) struct Shelf<T> {
    places: HashMap<Name, Place<T>>,
    lifetime_ms: u64,
    max_places: usize,
}

/// The hash of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name([u8; 32]);

struct Place<T> {
    value: T,
    expires_at_ms: u64,
}

impl<T> Shelf<T> {
    pub(super) fn new(lifetime_ms: u64, max_places: usize) -> Self {
        Self {
            places: HashMap::new(),
            lifetime_ms,
            max_places,
        }
    }

    /// Puts a value there. Where no place is left, the oldest one is given up.
    pub(super) fn put(&mut self, name: Name, value: T, now_ms: u64) {
        self.places.retain(|_, place| place.expires_at_ms > now_ms);
        if self.places.len() >= self.max_places {
            let oldest = self
                .places
                .iter()
                .min_by_key(|(_, place)| place.expires_at_ms);
            if let Some(oldest) = oldest.map(|(name, _)| *name) {
                self.places.remove(&oldest);
            }
        }
        let place = Place {
            value,
            expires_at_ms: now_ms.saturating_add(self.lifetime_ms),
        };
        self.places.insert(name, place);
    }

    pub(super) fn find(&mut self, name: Name, now_ms: u64) -> Option<&mut T> {
        let place = self.places.get_mut(&name)?;
        (place.expires_at_ms > now_ms).then_some(&mut place.value)
    }

    pub(super) fn take(&mut self, name: Name, now_ms: u64) -> Option<T> {
        let place = self.places.remove(&name)?;
        (place.expires_at_ms > now_ms).then_some(place.value)
    }
}

impl Name {
    pub(super) fn of(secret: &str) -> Self {
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
        Self(name)
    }
}

/// A new secret of 256 bits, in base64url.
pub(super) fn secret() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

#[cfg(test)]
mod tests {
    use super::{Name, Shelf};

    #[test]
    fn the_oldest_makes_room_and_nothing_outlives_its_time() {
        let mut shelf = Shelf::new(100, 2);
        for (now_ms, name) in [(0, "a"), (1, "b"), (2, "c")] {
            shelf.put(Name::of(name), name, now_ms);
        }
        assert_eq!(shelf.places.len(), 2);
        assert!(shelf.find(Name::of("a"), 3).is_none());
        assert_eq!(shelf.find(Name::of("b"), 100), Some(&mut "b"));
        assert!(shelf.find(Name::of("b"), 101).is_none());
        assert_eq!(shelf.take(Name::of("c"), 101), Some("c"));
        assert!(shelf.take(Name::of("c"), 101).is_none());
    }
}

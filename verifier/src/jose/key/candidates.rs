//! The keys that a token is tried with.

use alloc::sync::Arc;

use super::Key;
use crate::{jose::Algorithm, refusal::Code};

/// What a token asks of the keys of its issuer.
pub(crate) struct Asked<'t> {
    pub(crate) kid: Option<&'t str>,
    pub(crate) algorithm: Algorithm,
    /// Whether a key whose document gives it the member `issuer` is for this
    /// token. `None` if the policy names the issuer exactly.
    pub(crate) serves: Option<&'t dyn Fn(&str) -> bool>,
}

impl Asked<'_> {
    pub(super) fn fits(&self, key: &Key) -> bool {
        key.algorithm == self.algorithm
            && match (&key.issuer, self.serves) {
                (Some(issuer), Some(serves)) => serves(issuer),
                _ => true,
            }
    }
}

/// Maximum number of keys that one token is tried with.
const TRIED: usize = 4;

/// The keys that could verify a token.
#[derive(Default)]
pub(crate) struct Candidates<'k> {
    /// The first ones, in the order of sources and documents.
    tried: [Option<&'k Arc<Key>>; TRIED],
    /// Number of keys that fit; the search ends after one too many.
    pub(crate) fitting: usize,
    /// Number of keys with the token's `kid`, whether they fit or not.
    pub(crate) named: usize,
}

impl<'k> Candidates<'k> {
    pub(super) fn add(&mut self, key: &'k Arc<Key>) {
        if let Some(place) = self.tried.get_mut(self.fitting) {
            *place = Some(key);
        }
        self.fitting = self.fitting.saturating_add(1);
    }

    /// Returns whether there are more keys than are tried.
    pub(crate) fn too_many(&self) -> bool {
        self.fitting > TRIED
    }

    /// Returns the keys to try.
    pub(crate) fn tried(&self) -> impl Iterator<Item = &'k Arc<Key>> + use<'_, 'k> {
        self.tried.iter().flatten().copied()
    }

    /// Returns the first key that verifies this signature.
    pub(crate) fn verifying(&self, message: &[u8], signature: &[u8]) -> Option<&'k Arc<Key>> {
        self.tried().find(|key| key.verify(message, signature))
    }

    /// Returns whether a token that this key verified would reach it again: no
    /// equal key stands before it.
    pub(crate) fn reach(&self, key: &Arc<Key>) -> bool {
        let first = self.tried().find(|other| other.material == key.material);
        first.is_some_and(|first| Arc::ptr_eq(first, key))
    }

    /// Returns the code if none of the keys verifies the token.
    pub(crate) fn code(&self) -> Code {
        match self.fitting {
            0 if self.named > 0 => Code::KeyUnsuitable,
            1..=TRIED => Code::SignatureInvalid,
            _ => Code::KeyUnknown,
        }
    }
}

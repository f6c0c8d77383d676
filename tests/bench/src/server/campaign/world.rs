//! What is true while everything changes, and so what must be decided.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use super::tokens::Tokens;

/// The policy in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Variant {
    /// Members may do everything below `/orgs/{org}/`.
    Plain,
    /// Only admins may ask `/orgs/{org}/admin/**`.
    Strict,
    /// One of both: a reload is under way.
    Between,
}

/// What the server knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Known {
    /// It was told of the key, and not of its end.
    Good,
    /// It was told of keys without this one.
    Gone,
    /// The issuer has changed its mind, and the server need not know.
    Either,
}

/// A key of the issuer, and tokens that it has signed.
pub(super) struct Key {
    known: AtomicU8,
    pub(super) tokens: Tokens,
}

impl Key {
    pub(super) fn new(known: Known, tokens: Tokens) -> Arc<Self> {
        Arc::new(Self {
            known: AtomicU8::new(known as u8),
            tokens,
        })
    }

    pub(super) fn known(&self) -> Known {
        match self.known.load(Ordering::SeqCst) {
            known if known == Known::Good as u8 => Known::Good,
            known if known == Known::Gone as u8 => Known::Gone,
            _ => Known::Either,
        }
    }
}

/// The truth. Every change has a number, so that a request that saw two truths is
/// judged by both.
pub(super) struct World {
    changes: AtomicU64,
    variant: AtomicU8,
    keys: RwLock<Vec<Arc<Key>>>,
}

impl World {
    pub(super) fn new(key: Arc<Key>) -> Self {
        Self {
            changes: AtomicU64::new(0),
            variant: AtomicU8::new(Variant::Plain as u8),
            keys: RwLock::new(vec![key]),
        }
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    pub(super) fn variant(&self) -> Variant {
        match self.variant.load(Ordering::SeqCst) {
            variant if variant == Variant::Plain as u8 => Variant::Plain,
            variant if variant == Variant::Strict as u8 => Variant::Strict,
            _ => Variant::Between,
        }
    }

    pub(super) fn set_variant(&self, variant: Variant) {
        self.variant.store(variant as u8, Ordering::SeqCst);
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn set_known(&self, key: &Key, known: Known) {
        key.known.store(known as u8, Ordering::SeqCst);
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn keys(&self) -> Vec<Arc<Key>> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set_keys(&self, keys: Vec<Arc<Key>>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        self.changes.fetch_add(1, Ordering::SeqCst);
    }
}

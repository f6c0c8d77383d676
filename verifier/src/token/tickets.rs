//! Signatures that the host verifies: the questions that are open, and the
//! answers until the check that needs them.
//!
//! A ticket belongs to the bytes of one token and to one key. A key that a
//! document no longer has is found by no check, so its answers are never used.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    fmt,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use countersign_kernel::bytes;

use super::Verified;
use crate::{
    base::limits,
    jose::{Algorithm, HostKey, Key},
};

/// What the host found out about a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It is a signature of this key over these bytes.
    Valid,
    /// It is not.
    Invalid,
    /// The host could not find it out: its cryptography failed, or left its
    /// validated mode.
    Failed,
}

/// A signature to verify.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    /// Identifies the question in [`verified`](crate::Gate::verified).
    pub ticket: u64,
    /// The algorithm; the key is for no other.
    pub algorithm: Algorithm,
    /// Identifies the key in [`key`](crate::Gate::key). It is the same for every
    /// question about this key, so that a host can keep a prepared key.
    pub key: u32,
    /// The signed bytes.
    pub signed: Box<[u8]>,
    /// The signature as the token has it: of ECDSA `r` then `s`, each of the
    /// curve's length (RFC 7518 §3.4).
    pub signature: Box<[u8]>,
}

/// Does not show the token.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature")
            .field("ticket", &self.ticket)
            .field("algorithm", &self.algorithm)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The signature of a token, and the keys for which the host is asked.
pub(crate) struct OfSignature {
    pub(crate) token: Arc<[u8]>,
    /// Bytes of the token that are signed.
    pub(crate) signed: usize,
    pub(crate) signature: Box<[u8]>,
    pub(crate) keys: Vec<Arc<Key>>,
    /// The content of the token, if its only key verifies it: the check that
    /// uses the answer needs not read the token again.
    pub(crate) verified: Option<Arc<Verified>>,
}

pub(crate) struct Tickets {
    open: Vec<Ticket>,
    /// Those that the last decision used up, for its explanation.
    spent: Vec<Ticket>,
    last: u64,
    last_key: u32,
}

struct Ticket {
    number: u64,
    of: Arc<Asked>,
    key: Arc<Key>,
    asked_ms: u64,
    verified: Option<Arc<Verified>>,
    answer: Option<Verification>,
}

/// What the tickets of one question share.
struct Asked {
    token: Arc<[u8]>,
    /// Whether the present check has read one of its answers.
    used: AtomicBool,
}

impl Tickets {
    /// The numbers of another gate's tickets are others, so that its answers
    /// count for nothing here. They are exact in a double.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            open: Vec::new(),
            spent: Vec::new(),
            last: seed >> 12,
            last_key: 0,
        }
    }

    /// Returns the number of the next question, whatever it is about.
    pub(crate) fn number(&mut self) -> u64 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    /// Opens a ticket for each key. `None` if there are too many.
    pub(crate) fn ask(&mut self, question: OfSignature, now_ms: u64) -> Option<Vec<Signature>> {
        self.open.retain(|ticket| ticket.is_open(now_ms));
        let OfSignature {
            token,
            signed,
            signature,
            keys,
            verified,
        } = question;
        if !self.has_room(keys.len()) {
            // Nobody came for these answers. If requests with one new token come
            // at once, the first that is decided decides the others.
            self.open.retain(|ticket| ticket.answer.is_none());
        }
        if !self.has_room(keys.len()) {
            return None;
        }
        let of = Arc::new(Asked {
            token,
            used: AtomicBool::new(false),
        });
        let mut asked = Vec::with_capacity(keys.len());
        for key in keys {
            self.last = self.last.wrapping_add(1);
            asked.push(Signature {
                ticket: self.last,
                algorithm: key.algorithm,
                key: key.number(&mut self.last_key)?,
                signed: of.token.get(..signed)?.into(),
                signature: signature.clone(),
            });
            self.open.push(Ticket {
                number: self.last,
                of: Arc::clone(&of),
                key,
                asked_ms: now_ms,
                verified: verified.clone(),
                answer: None,
            });
        }
        Some(asked)
    }

    fn has_room(&self, tickets: usize) -> bool {
        self.open.len().saturating_add(tickets) <= limits::TICKETS
    }

    /// Returns the key with this number, if a ticket of it is open.
    pub(crate) fn key(&self, number: u32) -> Option<HostKey> {
        let mut open = self.open.iter();
        let ticket = open.find(|ticket| ticket.key.is_number(number))?;
        Some(ticket.key.for_host())
    }

    /// Takes the answer to a ticket: the first one, if it is still open.
    pub(crate) fn answer(&mut self, number: u64, answer: Verification) {
        let mut open = self.open.iter_mut();
        if let Some(ticket) = open.find(|ticket| ticket.number == number) {
            ticket.answer.get_or_insert(answer);
        }
    }

    /// Returns the answer about this token and key.
    pub(crate) fn find(&self, token: &[u8], key: &Arc<Key>, now_ms: u64) -> Option<Verification> {
        let mut open = self.open.iter();
        let ticket = open.find(|ticket| {
            ticket.answer.is_some() && ticket.is_open(now_ms) && ticket.is_about(token, key)
        })?;
        ticket.of.used.store(true, Relaxed);
        ticket.answer
    }

    /// Returns the content of a token that the host has verified.
    pub(crate) fn recall(&self, token: &[u8], now_ms: u64) -> Option<&Arc<Verified>> {
        let ticket = self.open.iter().find(|ticket| {
            ticket.verified.is_some()
                && ticket.answer == Some(Verification::Valid)
                && ticket.is_open(now_ms)
                && bytes::equal(&ticket.of.token, token)
        })?;
        ticket.of.used.store(true, Relaxed);
        ticket.verified.as_ref()
    }

    /// Makes the next checks read their tokens again, because keys have changed.
    pub(crate) fn forget_contents(&mut self) {
        for ticket in &mut self.open {
            ticket.verified = None;
        }
    }

    /// Returns the answer about this token and key that the last decision used.
    pub(crate) fn find_spent(&self, token: &[u8], key: &Arc<Key>) -> Option<Verification> {
        let mut spent = self.spent.iter();
        spent.find(|ticket| ticket.is_about(token, key))?.answer
    }

    /// Drops all questions about a token.
    pub(crate) fn close(&mut self, token: &[u8]) {
        self.open
            .retain(|ticket| !bytes::equal(&ticket.of.token, token));
    }

    /// Ends a check. A decision ends the questions whose answers it has read; a
    /// check that waits for more needs them again.
    pub(crate) fn end_check(&mut self, waits: bool) {
        if !waits {
            let used = |ticket: &mut Ticket| ticket.of.used.load(Relaxed);
            self.spent = self.open.extract_if(.., used).collect();
            // A remembered token has no other owner.
            self.spent
                .iter_mut()
                .for_each(|ticket| ticket.verified = None);
        }
        for ticket in &self.open {
            ticket.of.used.store(false, Relaxed);
        }
    }
}

impl Ticket {
    fn is_about(&self, token: &[u8], key: &Arc<Key>) -> bool {
        Arc::ptr_eq(&self.key, key) && bytes::equal(&self.of.token, token)
    }

    fn is_open(&self, now_ms: u64) -> bool {
        let age_ms = now_ms.checked_sub(self.asked_ms);
        age_ms.is_some_and(|age_ms| age_ms < limits::TICKET_MS)
    }
}

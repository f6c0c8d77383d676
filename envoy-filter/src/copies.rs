//! Copies of documents in the shared data, in pieces: what is large is put
//! down and taken a piece in one callback. There are two places for each
//! document, so that the one in force stays whole meanwhile.

use crate::{
    host::{self, shared},
    journal::Copy,
};

/// Bytes of a piece: to copy them takes a millisecond or two.
const PIECE: usize = 1 << 20;

impl Copy {
    /// A new one of so many bytes, beside the one in force.
    pub(crate) fn beside(self, bytes: usize) -> Self {
        Self {
            number: host::now_ns().unwrap_or(0),
            place: 1 - self.place.min(1),
            pieces: u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(0),
        }
    }

    /// Puts down one piece of a document; `false` if there is none of this
    /// number.
    pub(crate) fn put(self, key: &str, piece: u32, body: &[u8]) -> bool {
        let from = usize::try_from(piece)
            .unwrap_or(usize::MAX)
            .saturating_mul(PIECE);
        let Some(rest) = body.get(from..).filter(|rest| !rest.is_empty()) else {
            return false;
        };
        let bytes = &rest[..rest.len().min(PIECE)];
        shared::set(
            &self.name(key, piece),
            &[&self.number.to_le_bytes(), bytes].concat(),
        );
        true
    }

    /// Takes the next piece of a document; `None` if it is not there any more.
    pub(crate) fn take(self, key: &str, body: &mut Vec<u8>) -> Option<()> {
        let piece = u32::try_from(body.len().div_ceil(PIECE)).ok()?;
        let (bytes, _) = shared::get(&self.name(key, piece))?;
        let bytes = bytes.strip_prefix(&self.number.to_le_bytes())?;
        if body.is_empty() {
            // At once: a growing one is copied again and again.
            body.reserve_exact(usize::try_from(self.pieces).ok()?.checked_mul(PIECE)?);
        }
        body.extend_from_slice(bytes);
        Some(())
    }

    /// Whether these are all pieces of it.
    pub(crate) fn is_whole(self, body: &[u8]) -> bool {
        u32::try_from(body.len().div_ceil(PIECE)).is_ok_and(|pieces| pieces >= self.pieces)
    }

    /// Nobody needs it.
    pub(crate) fn discard(self, key: &str) {
        for piece in 0..self.pieces {
            shared::set(&self.name(key, piece), b"");
        }
    }

    fn name(self, key: &str, piece: u32) -> String {
        let [place, piece] = [self.place, piece].map(|number| number.to_string());
        [key, "copy", &place, &piece].join("\n")
    }
}

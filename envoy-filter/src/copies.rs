//! Copies of documents in the shared data, in pieces. One callback writes or
//! reads one piece. Each document has two places, so that the copy in force
//! stays complete while a new one is written.

use crate::{
    host::{self, shared},
    journal::Copy,
};

/// Bytes of a piece. Copying a piece takes one or two milliseconds.
const PIECE: usize = 1 << 20;

impl Copy {
    /// Returns a new copy of `bytes` bytes at the other place.
    pub(crate) fn next(self, bytes: usize) -> Self {
        Self {
            number: host::now_ns().unwrap_or(0),
            place: 1 - self.place.min(1),
            pieces: u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(0),
        }
    }

    /// Writes one piece of a document. Returns `false` if the document has no
    /// such piece.
    pub(crate) fn write_piece(self, key: &str, piece: u32, body: &[u8]) -> bool {
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

    /// Reads the next piece of a document. `None` if the piece no longer
    /// exists.
    pub(crate) fn read_piece(self, key: &str, body: &mut Vec<u8>) -> Option<()> {
        let piece = u32::try_from(body.len().div_ceil(PIECE)).ok()?;
        let (bytes, _) = shared::get(&self.name(key, piece))?;
        let bytes = bytes.strip_prefix(&self.number.to_le_bytes())?;
        if body.is_empty() {
            // Reserve all memory at once: a growing buffer is copied again and
            // again.
            body.reserve_exact(usize::try_from(self.pieces).ok()?.checked_mul(PIECE)?);
        }
        body.extend_from_slice(bytes);
        Some(())
    }

    /// Returns whether `body` has all pieces.
    pub(crate) fn is_complete(self, body: &[u8]) -> bool {
        u32::try_from(body.len().div_ceil(PIECE)).is_ok_and(|pieces| pieces >= self.pieces)
    }

    /// Deletes a copy that is no longer needed.
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

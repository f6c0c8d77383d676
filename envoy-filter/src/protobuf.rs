//! Protobuf's encoding (protobuf.dev/programming-guides/encoding), as far as
//! Envoy's messages need it.

/// The remaining bytes of a message.
pub(crate) struct Message<'a>(pub(crate) &'a [u8]);

/// A field: its number and its value.
pub(crate) enum Field<'a> {
    Varint(u64, u64),
    Fixed(u64, u64),
    Bytes(u64, &'a [u8]),
}

impl<'a> Message<'a> {
    /// Reads the next field. Returns `Some(None)` at the end of the message and
    /// `None` if it is invalid.
    #[expect(clippy::option_option, reason = "a fault differs from the end")]
    pub(crate) fn next(&mut self) -> Option<Option<Field<'a>>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let tag = self.varint()?;
        let field = tag >> 3;
        Some(Some(match tag & 7 {
            0 => Field::Varint(field, self.varint()?),
            1 => {
                let (bits, rest) = self.0.split_first_chunk()?;
                self.0 = rest;
                Field::Fixed(field, u64::from_le_bytes(*bits))
            }
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Field::Bytes(field, bytes)
            }
            _ => return None,
        }))
    }

    pub(crate) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            number |= bits.checked_shl(shift).filter(|n| n >> shift == bits)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

/// Appends a field of bytes: a number up to 15 and its value.
pub(crate) fn push(message: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    message.push(field << 3 | 2);
    let mut length = bytes.len();
    while length > 0x7f {
        message.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    message.push(length.to_le_bytes()[0]);
    message.extend(bytes);
}

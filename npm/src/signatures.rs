//! Writes the signatures that JavaScript verifies into one byte buffer.

use countersign::Need;

/// Writes the number of signatures (`u32`), then for each of them:
///
/// | | |
/// |---|---|
/// | `f64` | the ticket |
/// | `u32` | the number of the key |
/// | `u32` | the bytes that are signed |
/// | `u32` | the bytes of the signature |
/// | 5 bytes | the algorithm: `RS256` |
/// | | the signed bytes, then the signature |
///
/// All numbers are little-endian.
pub(crate) fn write(needs: &[Need], frame: &mut Vec<u8>) {
    frame.clear();
    frame.extend(number(needs.len()));
    for need in needs {
        if let Need::Signature(asked) = need {
            frame.extend((asked.ticket as f64).to_le_bytes());
            frame.extend(asked.key.to_le_bytes());
            frame.extend(number(asked.signed.len()));
            frame.extend(number(asked.signature.len()));
            frame.extend(asked.algorithm.as_str().as_bytes());
            frame.extend(&asked.signed);
            frame.extend(&asked.signature);
        }
    }
}

/// A token is far shorter than 2^32 bytes.
fn number(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or_default().to_le_bytes()
}

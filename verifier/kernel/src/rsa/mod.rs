//! RSA with public data only: `s^e mod n`, and the two signature encodings on
//! top of it (RFC 8017).
//!
//! All input is public, so the time may depend on every value: never give this code a private
//! exponent or a secret message.
//!
//! | file | content |
//! |---|---|
//! | `encoding` | EMSA-PKCS1-v1_5 and EMSA-PSS on top of the operation |
//! | `modulus` | a modulus `n` with its reciprocal, and Barrett reduction |
//! | `columns` | the columns of a product of digits, 32 at a time |
//! | `tile` | sums of sixteen columns, and the bound of every digit |
//! | `digits` | conversion between bytes and balanced 13-bit digits |
//! | `reciprocal` | `2^k / n` by long division, once for each key |
//! | `lanes` | vector operations: WebAssembly SIMD, SSE2, or plain Rust |

mod columns;
mod digits;
mod encoding;
mod lanes;
mod modulus;
#[cfg(any(test, feature = "check"))]
pub mod probe;
mod reciprocal;
#[cfg(test)]
mod tests;
mod tile;

use alloc::vec::Vec;

use modulus::Modulus;

/// Shortest modulus, in bits (RFC 7518 §3.3).
pub const MODULUS_BITS_MIN: usize = 2048;
/// Longest modulus, in bits.
pub const MODULUS_BITS_MAX: usize = 8192;

/// An RSA public key, with what does not depend on a signature computed in advance (about 1.9 KB
/// for 2048 bits, 7 KB for 8192).
pub struct PublicKey {
    modulus: Modulus,
    exponent: u32,
}

impl PublicKey {
    /// From big-endian bytes; leading zeros are allowed. `None` unless the
    /// modulus is odd and has 2048 to 8192 bits and the exponent is odd and
    /// within 3 to 2^32-1.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let exponent = exponent_from_bytes(exponent)?;
        let modulus = Modulus::new(without_leading_zeros(modulus))?;
        Some(Self { modulus, exponent })
    }

    /// Length of the modulus in bits.
    pub fn modulus_bits(&self) -> usize {
        self.modulus.bits()
    }

    /// Length of the modulus, and so of every signature, in bytes.
    pub fn modulus_bytes(&self) -> usize {
        self.modulus.bytes().len()
    }

    /// Whether the bit length is even, as FIPS 186-5 §5.1 demands, and the
    /// exponent is 65537: it demands one above 2^16, and Cloudflare's WebCrypto
    /// refuses all others but 3.
    pub fn is_approved(&self) -> bool {
        self.modulus_bits().is_multiple_of(2) && self.exponent == 65_537
    }

    /// Whether a signature has the length of the modulus and is below it (RFC 8017
    /// §5.2.2, step 1). Any other is invalid.
    pub fn admits(&self, signature: &[u8]) -> bool {
        signature.len() == self.modulus_bytes() && signature < self.modulus.bytes()
    }

    /// RSAVP1 (RFC 8017 §5.2.2) from octets to octets: `signature^e mod n`,
    /// big-endian, as long as the modulus. `None` if the signature has
    /// another length or is not below the modulus.
    pub fn power(&self, signature: &[u8]) -> Option<Vec<u8>> {
        self.modulus.power(signature, self.exponent)
    }
}

fn without_leading_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn exponent_from_bytes(bytes: &[u8]) -> Option<u32> {
    let bytes = without_leading_zeros(bytes);
    if bytes.len() > 4 {
        return None;
    }
    let exponent = bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    (exponent >= 3 && exponent % 2 == 1).then_some(exponent)
}

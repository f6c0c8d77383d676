//! The two signature schemes: RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2) and
//! RSASSA-PSS (§8.1.2).
//!
//! PKCS1-v1_5 is verified as the standard says, by encoding the expected message
//! and comparing all of it. Nothing is parsed, so no lenient form (a missing NULL, BER lengths,
//! trailing bytes, short padding) can be accepted. PSS has to be unmasked; MGF1 uses the same
//! hash function as the message, and the salt is exactly as long as the digest (RFC 7518 §3.5).

use alloc::vec::Vec;

use super::PublicKey;
use crate::{bytes, hash::Hash};

impl PublicKey {
    /// RSASSA-PKCS1-v1_5 verification.
    pub fn verify_pkcs1(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let Some(encoded) = self.power(signature) else {
            return false;
        };
        let (info, digest) = (hash.digest_info(), hash.digest(&[message]));
        let Some(padding) = encoded.len().checked_sub(3 + info.len() + digest.len()) else {
            return false;
        };
        let mut expected = Vec::with_capacity(encoded.len());
        expected.extend([0, 1]);
        expected.resize(2 + padding, 0xff);
        expected.push(0);
        expected.extend(info);
        expected.extend(digest);
        padding >= 8 && bytes::equal(&encoded, &expected)
    }

    /// RSASSA-PSS verification.
    pub fn verify_pss(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let Some(encoded) = self.power(signature) else {
            return false;
        };
        verify_pss_encoding(hash, message, &encoded, self.modulus_bits() - 1).unwrap_or(false)
    }
}

/// EMSA-PSS-VERIFY (RFC 8017 §9.1.2); the numbers are its steps. `None` is
/// "inconsistent": a part is missing.
fn verify_pss_encoding(hash: Hash, message: &[u8], octets: &[u8], bits: usize) -> Option<bool> {
    // Where the length in bits is a multiple of eight, the integer has one
    // octet more than the encoded message (§8.1.2, step 2c).
    let length = bits.div_ceil(8);
    let (excess, encoded) = octets.split_at_checked(octets.len().checked_sub(length)?)?;
    let (masked, encoded) = encoded.split_at_checked(length.checked_sub(hash.length() + 1)?)?; // 3
    let (digest, trailer) = encoded.split_at_checked(hash.length())?; // 5
    let unused = !(0xff_u8 >> (8 * length - bits)); // from 0 to 7 bits
    let consistent = excess.iter().all(|byte| *byte == 0)
        && trailer == [0xbc] // 4
        && masked.first()? & unused == 0; // 6

    let mut block = hash.mask(digest, masked.len()); // 7
    block
        .iter_mut()
        .zip(masked)
        .for_each(|(mask, byte)| *mask ^= byte); // 8
    *block.first_mut()? &= !unused; // 9
    let (padding, salt) = block.split_at_checked(block.len().checked_sub(hash.length())?)?; // 11
    let (one, zeros) = padding.split_last()?;
    let padded = *one == 1 && zeros.iter().all(|byte| *byte == 0); // 10

    let expected = hash.digest(&[&[0; 8], &hash.digest(&[message]), salt]); // 12, 13
    Some(consistent && padded && expected == digest) // 14
}

impl Hash {
    /// DigestInfo in DER up to the digest itself (RFC 8017 §9.2, note 1).
    pub(super) const fn digest_info(self) -> &'static [u8] {
        match self {
            Self::Sha256 => {
                b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
            }
            Self::Sha384 => {
                b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
            }
            Self::Sha512 => {
                b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
            }
        }
    }

    /// MGF1 (RFC 8017 §B.2.1).
    fn mask(self, seed: &[u8], length: usize) -> Vec<u8> {
        let mut mask = Vec::with_capacity(length + self.length());
        for counter in 0_u32.. {
            if mask.len() >= length {
                break;
            }
            mask.extend(self.digest(&[seed, &counter.to_be_bytes()]));
        }
        mask.truncate(length);
        mask
    }
}

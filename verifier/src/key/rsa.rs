//! RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2).

use alloc::boxed::Box;

use ::rsa::{BoxedUint, Pkcs1v15Sign, RsaPublicKey};

use crate::{algorithm::Hash, limits};

/// DER of `DigestInfo` up to the digest (RFC 8017 §9.2, note 1).
const SHA256_INFO: [u8; 19] =
    *b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const SHA384_INFO: [u8; 19] =
    *b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
const SHA512_INFO: [u8; 19] =
    *b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

#[derive(PartialEq, Eq)]
pub(super) struct PublicKey(RsaPublicKey);

impl PublicKey {
    /// Big-endian without leading zeros (RFC 7518 §2, Base64urlUInt); says why
    /// a key cannot be used.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, &'static str> {
        let (Some(0x01..), Some(0x01..)) = (modulus.first(), exponent.first()) else {
            return Err("its modulus or exponent is empty or has leading zeros");
        };
        if modulus.last().is_none_or(|b| b & 1 == 0) {
            return Err("its modulus is even");
        }
        // Cut here, before arithmetic meets lengths that it was not made for.
        if modulus.len() > *limits::RSA_BITS.end() / 8 {
            return Err("its modulus has more than 8192 bits");
        }
        if exponent.len() > 4 || exponent.last().is_none_or(|b| b & 1 == 0) || exponent == [1] {
            return Err("its exponent is not an odd number from 3 to 2^32-1");
        }
        let (n, e) = (
            BoxedUint::from_be_slice_vartime(modulus),
            BoxedUint::from_be_slice_vartime(exponent),
        );
        RsaPublicKey::new_with_size_limits(n, e, limits::RSA_BITS)
            .map(Self)
            .map_err(|_| "its modulus does not have 2048 to 8192 bits")
    }

    pub(super) fn verify_pkcs1(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let info = match hash {
            Hash::Sha256 => SHA256_INFO,
            Hash::Sha384 => SHA384_INFO,
            Hash::Sha512 => SHA512_INFO,
        };
        let scheme = Pkcs1v15Sign {
            hash_len: Some(hash.len()),
            prefix: Box::new(info),
        };
        hash.digest(message, |digest| {
            self.0.verify(scheme, digest, signature).is_ok()
        })
    }
}

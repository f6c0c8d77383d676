//! P-384 with SHA-384: ES384 of RFC 7518 §3.4. Constants: NIST SP 800-186
//! §3.2.1.

use super::limbs::hex;
use super::montgomery::{Modulus, Residue};
use super::weierstrass::{Constants, Curve, Key};

const PRIME: [u8; 48] = hex(
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
);
const ORDER: [u8; 48] = hex(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
);
const B: [u8; 48] = hex(
    "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
);
const G_X: [u8; 48] = hex(
    "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
);
const G_Y: [u8; 48] = hex(
    "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
);

/// A public key with its tables, 5.1 KB.
pub struct VerifyingKey(Key<Residue>);

impl VerifyingKey {
    /// The key with these big-endian coordinates, or `None` if they are no
    /// point of the curve.
    pub fn new(x: &[u8; 48], y: &[u8; 48]) -> Option<Self> {
        Key::new(&CURVE, x, y).map(Self)
    }

    /// Whether `signature`, `r` then `s`, is this key's over what has the
    /// SHA-384 `digest`. A large `s` is as good as its negative: JWS has no
    /// rule against it.
    pub fn verify(&self, digest: &[u8; 48], signature: &[u8; 96]) -> bool {
        let (r, s) = signature.split_at(48);
        self.0.verify(digest, r, s)
    }
}

static CURVE: Curve<Residue> = Curve::new(
    Constants {
        prime: &PRIME,
        order: &ORDER,
        b: &B,
        generator: [&G_X, &G_Y],
    },
    |bytes| Residue::parse(bytes, &MODULUS),
    5,
);
pub(super) static MODULUS: Modulus = Modulus::new(&PRIME);

//! P-384 with SHA-384: ES384 of RFC 7518 §3.4. Constants: NIST SP 800-186
//! §3.2.1.

use super::limbs::hex;
use super::montgomery::{Modulus, Residue};
use super::weierstrass::{Constants, Curve, Key, verifying_key};

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

verifying_key! {
    field: Residue, tables: "5.1 KB", coordinate: 48,
    hash: "SHA-384", digest: 48, signature: 96
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

//! P-521 with SHA-512: ES512 of RFC 7518 §3.4. Constants: NIST SP 800-186
//! §3.2.1.

use super::limbs::hex;
use super::montgomery::{Modulus, Residue};
use super::weierstrass::{Constants, Curve, Key, verifying_key};

const PRIME: [u8; 66] = hex(
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
);
const ORDER: [u8; 66] = hex(
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
);
const B: [u8; 66] = hex(
    "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
);
const G_X: [u8; 66] = hex(
    "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
);
const G_Y: [u8; 66] = hex(
    "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
);

verifying_key! {
    field: Residue, tables: "5.1 KB", coordinate: 66,
    hash: "SHA-512", digest: 64, signature: 132
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

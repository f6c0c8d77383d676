//! P-256 with SHA-256: ES256 of RFC 7518 §3.4. Constants: NIST SP 800-186
//! §3.2.1.

pub(super) mod field;

use super::limbs::hex;
use super::weierstrass::{Constants, Curve, Key, verifying_key};
use field::{Element, PRIME};

const ORDER: [u8; 32] = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const B: [u8; 32] = hex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
const G_X: [u8; 32] = hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
const G_Y: [u8; 32] = hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");

verifying_key! {
    field: Element, tables: "2.3 KB", coordinate: 32,
    hash: "SHA-256", digest: 32, signature: 64
}

static CURVE: Curve<Element> = Curve::new(
    Constants {
        prime: &PRIME,
        order: &ORDER,
        b: &B,
        generator: [&G_X, &G_Y],
    },
    Element::parse,
    7,
);

//! Keys of the elliptic curves, their signatures, and points of low order.

use curve25519_dalek::{
    EdwardsPoint, Scalar,
    constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
};
use num_bigint::BigUint;
use sha2::{Digest, Sha512};

use crate::random::Random;

/// A curve of ECDSA.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

pub(crate) struct Ecdsa {
    pub(crate) curve: Curve,
    secret: Vec<u8>,
}

impl Curve {
    /// Bytes of a coordinate.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    pub(crate) fn order(self) -> BigUint {
        let hex = match self {
            Self::P256 => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
            Self::P384 => {
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
                 581a0db248b0a77aecec196accc52973"
            }
            Self::P521 => {
                "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
                 fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
            }
        };
        BigUint::parse_bytes(hex.as_bytes(), 16).expect("a number")
    }
}

impl Ecdsa {
    pub(crate) fn new(random: &mut Random, curve: Curve) -> Self {
        let order = curve.order();
        let secret = random.bits(order.bits() + 64) % (&order - 1_u8) + 1_u8;
        let secret = crate::rsa::fixed(&secret, curve.length());
        Self { curve, secret }
    }

    /// The coordinates of the public key.
    pub(crate) fn public(&self) -> Vec<u8> {
        macro_rules! point {
            ($curve:ident) => {{
                let key = $curve::ecdsa::SigningKey::from_slice(&self.secret).expect("a key");
                key.verifying_key().to_sec1_point(false).as_bytes()[1..].to_vec()
            }};
        }
        match self.curve {
            Curve::P256 => point!(p256),
            Curve::P384 => point!(p384),
            Curve::P521 => point!(p521),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        macro_rules! sign {
            ($curve:ident) => {{
                use $curve::ecdsa::{Signature, SigningKey, signature::Signer};
                let key = SigningKey::from_slice(&self.secret).expect("a key");
                let signature: Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }};
        }
        match self.curve {
            Curve::P256 => sign!(p256),
            Curve::P384 => sign!(p384),
            Curve::P521 => sign!(p521),
        }
    }
}

/// An Ed25519 key, `A = aB + T`: with a point `T` of low order, or none.
pub(crate) struct Ed25519 {
    secret: Scalar,
    torsion: EdwardsPoint,
}

impl Ed25519 {
    pub(crate) fn new(random: &mut Random, torsion: usize) -> Self {
        Self {
            secret: scalar(random),
            torsion: EIGHT_TORSION[torsion],
        }
    }

    /// Whether the key has a component of low order.
    pub(crate) fn is_mixed(&self) -> bool {
        self.torsion != EIGHT_TORSION[0]
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        let point = self.secret * ED25519_BASEPOINT_POINT + self.torsion;
        point.compress().to_bytes()
    }

    /// Signs so that the equation with the cofactor holds (RFC 8032 §5.1.7), with a
    /// component of low order in `R`. The equation without it may hold too.
    pub(crate) fn sign(&self, random: &mut Random, message: &[u8], torsion: usize) -> Vec<u8> {
        let r = scalar(random);
        let point = r * ED25519_BASEPOINT_POINT + EIGHT_TORSION[torsion];
        let point = point.compress().to_bytes();
        let parts = [&point[..], &self.public(), message].concat();
        let k = Scalar::from_bytes_mod_order_wide(&Sha512::digest(parts).into());
        [point, (r + k * self.secret).to_bytes()].concat()
    }
}

fn scalar(random: &mut Random) -> Scalar {
    let bytes: [u8; 64] = random.bytes(64).try_into().expect("64 bytes");
    Scalar::from_bytes_mod_order_wide(&bytes)
}

/// A point plus one of low order, encoded; the same bytes if it is no point.
pub(crate) fn moved(encoded: &[u8], torsion: usize) -> Vec<u8> {
    let point = curve25519_dalek::edwards::CompressedEdwardsY::from_slice(encoded);
    let point = point.ok().and_then(|point| point.decompress());
    let moved = point.map(|point| point + EIGHT_TORSION[torsion]);
    moved.map_or(encoded.to_vec(), |point| {
        point.compress().to_bytes().to_vec()
    })
}

/// Encodings of points of low order, canonical and not.
pub(crate) fn low_order(random: &mut Random) -> Vec<u8> {
    let mut encoded = EIGHT_TORSION[random.below(8)].compress().to_bytes();
    if random.one_in(4) {
        encoded[31] ^= 0x80;
    }
    if random.one_in(4) {
        // y + p, where it is below 2^255: only for small y.
        let p = (BigUint::from(1_u8) << 255_u32) - 19_u8;
        let y = BigUint::from_bytes_le(&encoded) + p;
        if y.bits() <= 255 {
            encoded = crate::rsa::fixed(&y, 32).try_into().expect("32 bytes");
            encoded.reverse();
        }
    }
    encoded.to_vec()
}

/// The order of the base point.
pub(crate) fn ed25519_order() -> BigUint {
    BigUint::parse_bytes(
        b"1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed",
        16,
    )
    .expect("a number")
}

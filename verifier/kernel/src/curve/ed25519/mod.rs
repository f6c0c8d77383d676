//! Ed25519 of RFC 8032, verified strictly: EdDSA of RFC 8037 §3.1.
//!
//! The rules, for the cases in which implementations differ:
//!
//! 1. The key `A` is a canonical encoding (`y < p`, no sign on `x = 0`) of a
//!    point that is not of low order. A low-order component is accepted.
//! 2. `S < L`.
//! 3. `S B - k A`, encoded, equals the first half of the signature byte for
//!    byte, `k = SHA-512(R || A || M) mod L`: the equation without cofactor, and
//!    no other encoding of `R` than the canonical one.
//! 4. `R` is not of low order.
//!
//! These are the decisions of `verify_strict` of `ed25519-dalek`. `R` is never
//! decoded: it is compared with what is computed.

pub(super) mod field;
pub(super) mod point;

use super::comb::{self, Comb, Group, KEY_TEETH};
use super::limbs;
use super::montgomery::{Modulus, number};
use super::recode::Signs;
use super::wide::{BITS, LIMBS_MAX, Limbs};
use crate::{expected::expected, hash::Hash};
use alloc::boxed::Box;
use once_cell::race::OnceBox;
use point::{Affine, Entry, Sum};

/// RFC 8032 §5.1: the order of the base point, big-endian.
static ORDER: Modulus = Modulus::new(&limbs::hex::<32>(
    "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed",
));
const ORDER_BITS: usize = 253;
/// The base point, encoded.
const BASE: [u8; 32] =
    limbs::hex("5866666666666666666666666666666666666666666666666666666666666666");
const BASE_TEETH: usize = 7;

/// A public key with its tables, 3.6 KB.
pub struct VerifyingKey {
    encoded: [u8; 32],
    /// `-A`, and its multiples.
    negative: Entry,
    tables: Comb<Entry>,
    base: &'static Comb<Entry>,
}

impl VerifyingKey {
    /// The key with this encoding, or `None` if it is not canonical, no point
    /// of the curve, or a point of low order.
    pub fn new(encoded: &[u8; 32]) -> Option<Self> {
        let point = Affine::decode(encoded).filter(|point| !point.is_low_order())?;
        let negative = point.negative();
        let tables = Comb::new::<Sum>(&negative, ORDER_BITS, KEY_TEETH);
        Some(Self {
            encoded: *encoded,
            negative,
            tables,
            base: base()?,
        })
    }

    /// Whether `S < L` and `R` is the canonical encoding of a point that is not of low
    /// order: rules 2 and 4, and of rule 3 what does not depend on the message. Any
    /// other signature is invalid.
    pub fn admits(&self, signature: &[u8; 64]) -> bool {
        let mut reversed = *signature;
        reversed.reverse();
        let (s, _) = reversed.split_at(32);
        let r = signature.first_chunk().and_then(Affine::decode);
        ORDER.parse(s).is_some() && r.is_some_and(|point| !point.is_low_order())
    }

    /// Whether `signature`, `R` then `S`, is this key's over the message.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.accepts(message, signature).unwrap_or(false)
    }

    fn accepts(&self, message: &[u8], signature: &[u8; 64]) -> Option<bool> {
        let (r, s) = expected(signature.split_first_chunk::<32>())?;
        let mut s: [u8; 32] = expected(s.try_into().ok())?;
        field::reverse(&mut s);
        let s = Signs::odd(&ORDER.parse(&s)?, &ORDER.limbs);

        let digest = Hash::Sha512.digest(&[r, &self.encoded, message]);
        let k = reduce(expected(digest.try_into().ok())?);
        // A key may have a low-order component, so `k` must not be negated
        // modulo the order. If it is even, `k + 1` is used, and `A` subtracted afterwards.
        let is_even = k[0] & 1 == 0;
        let k = Signs::odd_above(&k);

        let products = [(self.base, &s), (&self.tables, &k)];
        let mut sum = expected(comb::sum(products, Sum::add))?;
        if is_even {
            sum = sum.add(&self.negative, -1);
        }
        let sum = sum.to_affine();
        Some(sum.encode() == *r && !sum.is_low_order())
    }
}

/// The base point's tables, computed when they are first needed.
fn base() -> Option<&'static Comb<Entry>> {
    static TABLES: OnceBox<Comb<Entry>> = OnceBox::new();
    if let Some(tables) = TABLES.get() {
        return Some(tables);
    }
    let tables = Comb::new::<Sum>(
        &expected(Affine::decode(&BASE))?.entry(),
        ORDER_BITS,
        BASE_TEETH,
    );
    Some(TABLES.get_or_init(|| Box::new(tables)))
}

/// 64 little-endian bytes modulo the order. Both halves are below `2^256`, far
/// below Montgomery's `R = 2^280`, so each product is in `[0, L + 1)`.
fn reduce(mut hash: [u8; 64]) -> Limbs {
    const HALF: Limbs = limbs::power_of_two::<LIMBS_MAX, BITS>(280 + 256, &ORDER.limbs);
    field::reverse(&mut hash);
    let (high, low) = hash.split_at(32);
    let high = number(high);
    let low = number(low);
    // Of a constant modulus the compiler would make multiplications of its own: 1 KB of code.
    let order = core::hint::black_box(&ORDER);
    let sum = order.mul_add(&high, &HALF, &order.mul(&low, &order.one), 1);
    order.canonical(&order.canonical(&sum))
}

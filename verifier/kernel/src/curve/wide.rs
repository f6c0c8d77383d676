//! Numbers of the primes above 256 bits, and of the orders: up to 19 limbs of 28
//! bits.

/// Bits of a limb.
pub(super) const BITS: u32 = 28;
pub(super) const MASK: i64 = (1 << BITS) - 1;
/// Limbs of the longest modulus, that of P-521.
pub(super) const LIMBS_MAX: usize = 19;

/// A number, or a residue; limbs above those of the modulus are zero.
pub(super) type Limbs = [i32; LIMBS_MAX];

//! Elliptic-curve verification: ECDSA on the three NIST curves of RFC 7518
//! §3.4 and Ed25519 of RFC 8037. All input is public, so the time may depend on it.
//!
//! | file | content |
//! |---|---|
//! | `p256/`, `p384`, `p521`, `ed25519/` | the curves: constants, public keys, signatures |
//! | `weierstrass/` | ECDSA and point addition for the three NIST curves |
//! | `comb`, `recode` | `u G + v Q` with precomputed tables (a signed comb) |
//! | `field` | what point addition requires of a field, and the bounds of elements |
//! | `montgomery` | arithmetic modulo any odd number: group orders, fields of P-384 and P-521 |
//! | `columns`, `limbs`, `word` | columns of products; numbers as limbs; the types of limbs |
//! | `inverse` | modular inverse by division steps |
//! | `bounds` | the proof that no limb or column overflows, as tests |
//! | `check` | internals, public for the differential tests and fuzzing |
#![forbid(unsafe_code)]

#[cfg(test)]
mod bounds;
#[doc(hidden)]
pub mod check;
mod columns;
mod comb;
mod field;
mod inverse;
mod limbs;
mod montgomery;
mod recode;
mod weierstrass;
mod wide;
mod word;

pub mod ed25519;
pub mod p256;
pub mod p384;
pub mod p521;

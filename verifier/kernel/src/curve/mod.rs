//! Elliptic-curve verification: ECDSA on the three NIST curves of RFC 7518
//! §3.4 and Ed25519 of RFC 8037. Everything here works on public data, so
//! variable time is right here and nowhere else.
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
mod word;

pub mod ed25519;
pub mod p256;
pub mod p384;
pub mod p521;

//! The elliptic-curve kernels against big integers (fields) and the RustCrypto
//! and dalek crates (whole verifications; random, damaged and crafted).
//!
//! A longer run: `COUNTERSIGN_CASES=12000000 COUNTERSIGN_VERIFICATIONS=10000000 cargo
//! test --release -p countersign-kernel --test differential -- --nocapture`, with
//! another `COUNTERSIGN_SEED` if wanted.

mod crafted;
mod edwards;
mod fields;
mod random;
mod whole;

use std::time::Instant;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn every_operation_and_every_verification_agrees_with_its_oracle() {
    let seed = number("COUNTERSIGN_SEED", 20_261_121);
    let count = number("COUNTERSIGN_CASES", 20_000);
    let mut random = random::Random::new(seed);
    let start = Instant::now();
    fields::run(&mut random, count);
    println!(
        "seed {seed}: {count} field cases, 0 differences, {:.1?}",
        start.elapsed()
    );
    let start = Instant::now();
    whole::run(&mut random, number("COUNTERSIGN_VERIFICATIONS", count / 80));
    println!(
        "seed {seed}: whole verifications, 0 differences, {:.1?}",
        start.elapsed()
    );
}

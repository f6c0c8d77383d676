//! `cargo run --release --example rsa --features check -- SEED COUNT [PER_KEY] [BITS]`:
//! COUNT steps of RSA arithmetic, and whole powers, against big integers.

use std::{env, process::ExitCode, time::Instant};

use countersign_kernel::rsa::probe;

fn main() -> ExitCode {
    let numbers: Option<Vec<u64>> = env::args().skip(1).map(|a| a.parse().ok()).collect();
    let (seed, count, rest) = match numbers.as_deref() {
        Some([seed, count, rest @ ..]) => (*seed, *count, rest),
        _ => {
            eprintln!("usage: rsa SEED COUNT [PER_KEY] [BITS], all numbers");
            return ExitCode::from(2);
        }
    };
    let per_key = rest.first().copied().unwrap_or(1000);
    let bits = rest.get(1).map_or(0, |bits| *bits as usize);
    let start = Instant::now();
    let report = probe::run(seed, count, per_key, bits);
    println!(
        "seed {seed}: {} steps, {} powers, {} keys, {} differences, {:.1?}",
        report.steps,
        report.powers,
        report.keys,
        report.differences.len(),
        start.elapsed()
    );
    report
        .differences
        .iter()
        .for_each(|difference| println!("{difference}"));
    ExitCode::from(u8::from(!report.differences.is_empty()))
}

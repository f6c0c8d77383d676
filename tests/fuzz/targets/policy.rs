//! Opens any bytes as a policy. `Gate::open` fails if and only if `lint` reports
//! an error.
#![no_main]

use countersign::{Gate, Severity, lint};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|policy: &[u8]| {
    let problems = lint(policy);
    let refused = problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    assert_eq!(Gate::open(policy, 1).is_err(), refused);
});

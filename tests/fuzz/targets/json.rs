//! Parses any bytes as JSON. What the strict parser accepts, `serde_json`
//! accepts; what only the strict parser refuses has a name twice or is beyond a
//! bound.
#![no_main]

use countersign::json::{Bounds, FaultKind, parse};
use libfuzzer_sys::fuzz_target;

const BOUNDS: Bounds = Bounds {
    depth: 16,
    members: 64,
};

fuzz_target!(|text: &[u8]| {
    let is_json = serde_json::from_slice::<serde_json::Value>(text).is_ok();
    match parse(text, BOUNDS) {
        Ok(_) => assert!(is_json),
        Err(fault) if fault.kind == FaultKind::Syntax => assert!(!is_json),
        Err(_) => {}
    }
});

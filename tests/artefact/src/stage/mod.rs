//! A real Envoy on loopback, and clients that send it exactly what a test
//! wants.

pub mod client;
pub mod envoy;
pub mod http2;
pub mod service;
pub mod setup;

use std::{
    env,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// How long a test waits for what has to happen.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Where `cargo xtask test` has put Envoy. A host that is absent is said to
/// be; in CI it fails the run.
///
/// # Panics
/// In CI, where Envoy is absent.
#[must_use]
pub fn binary() -> Option<PathBuf> {
    let path = env::var_os("COUNTERSIGN_ENVOY").map(PathBuf::from);
    let ci = env::var_os("CI").is_some();
    assert!(path.is_some() || !ci, "COUNTERSIGN_ENVOY is not set");
    if path.is_none() {
        println!("skipped: COUNTERSIGN_ENVOY is not set; `cargo xtask test` installs Envoy");
    }
    path
}

/// Waits until it is so.
///
/// # Panics
/// Where that takes longer than [`TIMEOUT`].
pub fn eventually(what: &str, so: impl FnMut() -> bool) {
    assert!(within(TIMEOUT, so), "it never happened: {what}");
}

/// Whether it is so before the time is over.
pub fn within(time: Duration, mut so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < time {
        if so() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    so()
}

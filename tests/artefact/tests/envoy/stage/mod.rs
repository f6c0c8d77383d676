//! The setup of every test: a client, a real Envoy, and an upstream and issuers
//! behind it, all on loopback.

pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod envoy;
pub(crate) mod h2;
pub(crate) mod issuer;
pub(crate) mod policy;
pub(crate) mod setup;
pub(crate) mod upstream;

use std::{
    env,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// How long a test waits for an expected event.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the path of the Envoy that `cargo xtask test` installed. If it is
/// absent, a message says so; in CI that fails the run.
pub(crate) fn binary() -> Option<PathBuf> {
    let path = env::var_os("COUNTERSIGN_ENVOY").map(PathBuf::from);
    let ci = env::var_os("CI").is_some();
    assert!(path.is_some() || !ci, "COUNTERSIGN_ENVOY is not set");
    if path.is_none() {
        println!("skipped: COUNTERSIGN_ENVOY is not set; `cargo xtask test` installs Envoy");
    }
    path
}

/// Waits until a condition holds.
pub(crate) fn eventually(what: &str, so: impl FnMut() -> bool) {
    assert!(within(TIMEOUT, so), "it never happened: {what}");
}

/// Returns whether a condition holds within a time.
pub(crate) fn within(time: Duration, mut so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < time {
        if so() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    so()
}

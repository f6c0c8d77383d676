//! The setup of every test: a client, a real proxy, the decision server beside it, and an
//! origin behind it, all on loopback.

pub(crate) mod issuer;
pub(crate) mod origin;
pub(crate) mod process;
pub(crate) mod server;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

pub(crate) use countersign_artefact_tests::stage::{client, eventually};

/// The path of a proxy, which `cargo xtask test` has put into this variable. A proxy that
/// is absent is said to be; in CI it fails the run.
pub(crate) fn program(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    assert!(
        path.is_some() || env::var_os("CI").is_none(),
        "{variable} is not set"
    );
    if path.is_none() {
        println!("skipped: {variable} is not set; `cargo xtask test` installs the proxy");
    }
    path
}

/// A new folder below `target/`, which stays: logs can be read after the test.
pub(crate) fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/proxy-tests");
    let folder = root.join(format!("{name}-{}-{count}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder.canonicalize().unwrap()
}

/// A port that is free now. A proxy that cannot say which port it got is started with it,
/// and again with another one if somebody was faster.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

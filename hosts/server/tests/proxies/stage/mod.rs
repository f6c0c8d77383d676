//! The setup of every test: a client, a real proxy, the decision server beside it, and an
//! origin behind it, all on loopback.

pub(crate) mod issuer;
pub(crate) mod origin;
pub(crate) mod process;
pub(crate) mod server;

use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

pub(crate) use countersign_artefact_tests::stage::{TIMEOUT, client, eventually};

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

/// Several versions of one proxy.
pub(crate) fn programs(variables: &[&str]) -> Vec<PathBuf> {
    let all = variables.iter();
    all.filter_map(|variable| program(variable)).collect()
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

/// An address of loopback that nobody else uses: where a server was stopped, no client of
/// another test has got its port meanwhile.
pub(crate) fn own_host() -> Ipv4Addr {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    if cfg!(not(target_os = "linux")) {
        return Ipv4Addr::LOCALHOST;
    }
    let [.., high, low] = std::process::id().to_be_bytes();
    let count = COUNT.fetch_add(1, Ordering::Relaxed) % 254;
    let count = u8::try_from(count).unwrap_or_default();
    Ipv4Addr::new(127, 64 | high, low, count + 1)
}

/// Addresses of loopback that are free. A proxy that cannot say which port it got is
/// started with them.
pub(crate) fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let host = own_host();
    let bind = || TcpListener::bind((host, 0)).unwrap();
    let listeners: Vec<_> = std::iter::repeat_with(bind).take(count).collect();
    let address = |listener: &TcpListener| listener.local_addr().unwrap();
    listeners.iter().map(address).collect()
}

/// Whether a program listens there, once it does; not if it has ended.
pub(crate) fn listens(process: &mut process::Process, addresses: &[SocketAddr]) -> bool {
    let mut ended = false;
    eventually("the proxy listens", || {
        ended = process.has_ended();
        ended
            || addresses
                .iter()
                .all(|address| TcpStream::connect(address).is_ok())
    });
    !ended
}

//! A clock that a test sets, because the vectors of the corpus have a fixed
//! day. Envoy is unchanged, but a preloaded `clock_gettime` reads the time of
//! day from eight bytes of a file. Its timers continue.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use countersign_artefact_tests::dist;

/// The source of the library that is loaded into Envoy before the C library.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/envoy/stage/preload.rs");

pub(crate) struct Clock {
    file: PathBuf,
}

impl Clock {
    /// Makes a clock. Prints a message and returns `None` if the platform
    /// cannot preload libraries this way.
    pub(crate) fn new(now_ms: u64) -> Option<Self> {
        if !cfg!(target_os = "linux") {
            println!("skipped: a clock that can be set needs Linux");
            return None;
        }
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("clock-{}-{count}", std::process::id());
        let clock = Self {
            file: folder().join(name),
        };
        fs::write(&clock.file, now_ms.to_le_bytes()).unwrap();
        Some(clock)
    }

    /// Sets the time, in milliseconds since the epoch.
    pub(crate) fn set(&self, now_ms: u64) {
        // Write in place, because Envoy maps the file.
        let mut file = fs::OpenOptions::new().write(true).open(&self.file).unwrap();
        std::io::Write::write_all(&mut file, &now_ms.to_le_bytes()).unwrap();
    }

    /// Advances the clock by this many seconds.
    pub(crate) fn pass(&self, seconds: u64) {
        let now_ms: [u8; 8] = fs::read(&self.file).unwrap().try_into().unwrap();
        self.set(u64::from_le_bytes(now_ms) + seconds * 1000);
    }

    /// Returns the environment variables that make a program use this clock.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("LD_PRELOAD", library().to_owned()),
            ("COUNTERSIGN_TEST_CLOCK", self.file.clone()),
        ]
    }
}

fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = folder().join(format!("libclock-{}.so", std::process::id()));
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let built = Command::new(rustc)
            .current_dir(dist::root())
            .args([
                "--edition=2024",
                "--crate-type=cdylib",
                "-Cpanic=abort",
                "-O",
                "-o",
            ])
            .args([library.as_os_str(), SOURCE.as_ref()])
            .status();
        assert!(built.unwrap().success(), "the clock does not compile");
        library
    })
}

fn folder() -> PathBuf {
    let folder = dist::root().join("target/envoy-tests");
    fs::create_dir_all(&folder).unwrap();
    folder
}

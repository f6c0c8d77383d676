//! Tests that every build gives the same module: on a machine without installed
//! tools, and with vendored sources on one core.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use countersign_artefact_tests::dist;

/// Folders that a build creates or does not need.
const NOT_COPIED: [&str; 4] = [".git", "dist", "node_modules", "target"];

/// Variables that the toolchain of this test sets. The tested build uses
/// another one.
const SET_BY_CARGO: [&str; 8] = [
    "CARGO",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "LD_LIBRARY_PATH",
    "RUSTC",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUST_RECURSION_COUNT",
];

/// `./run` installs the toolchain into an empty `RUSTUP_HOME`. The module is
/// built with it, with the sources of the standard library beside it, in
/// another folder and with an empty `CARGO_HOME`.
#[test]
fn an_empty_machine_installs_what_it_needs_and_gives_the_same_bytes() {
    let elsewhere = Elsewhere::new("on an empty machine");
    let (rustup, cargo) = (elsewhere.0.join("rustup"), elsewhere.0.join("cargo"));
    let fresh = |program: &Path| {
        let mut command = Command::new(program);
        for name in SET_BY_CARGO {
            command.env_remove(name);
        }
        command.env("RUSTUP_HOME", &rustup);
        command.env("RUSTUP_AUTO_INSTALL", "0");
        command
    };
    fs::create_dir_all(&cargo).unwrap();
    // The settings of registries come from this machine.
    for name in ["config.toml", "credentials.toml"] {
        let _ = fs::copy(cargo_home().join(name), cargo.join(name));
    }

    let before = fresh(Path::new("cargo"))
        .current_dir(dist::root())
        .arg("--version")
        .output()
        .expect("rustup's cargo is in PATH");
    assert!(!before.status.success(), "it installs a toolchain unasked");
    // `cargo xtask` uses its own CARGO_HOME. Without a command it prints its
    // usage.
    let run = fresh(&dist::root().join("run"))
        .env("CARGO_HOME", cargo_home())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("usage: cargo xtask <command>"), "{said}");
    succeed(fresh(Path::new("rustup")).current_dir(dist::root()).args([
        "component",
        "add",
        "rust-src",
    ]));

    copy(dist::root(), &elsewhere.sources()).unwrap();
    succeed(
        fresh(&xtask())
            .env("CARGO_HOME", &cargo)
            .arg("build")
            .arg(elsewhere.sources()),
    );
    elsewhere.assert_same();
}

#[test]
fn vendored_sources_on_one_core_give_the_same_bytes() {
    let elsewhere = Elsewhere::new("of vendored sources");
    copy(dist::root(), &elsewhere.sources()).unwrap();
    let vendor = elsewhere.0.join("kept here");
    succeed(
        Command::new(env!("CARGO"))
            .current_dir(elsewhere.sources())
            .args(["vendor", "--quiet", "--locked"])
            .arg(&vendor),
    );
    let config = elsewhere.sources().join(".cargo/config.toml");
    let aliases = fs::read_to_string(&config).unwrap();
    let source = format!(
        "[source.crates-io]\nreplace-with = \"kept\"\n[source.kept]\ndirectory = {vendor:?}\n"
    );
    fs::write(config, aliases + &source).unwrap();
    succeed(
        Command::new(xtask())
            .env("CARGO_BUILD_JOBS", "1")
            .env("RAYON_NUM_THREADS", "1")
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("CARGO_TARGET_DIR")
            .arg("build")
            .arg(elsewhere.sources()),
    );
    elsewhere.assert_same();
}

/// Returns the xtask that was built for this test run.
fn xtask() -> PathBuf {
    let this = env::current_exe().unwrap();
    let folder = this.ancestors().nth(2).unwrap();
    let xtask = folder.join(format!("xtask{}", env::consts::EXE_SUFFIX));
    assert!(xtask.is_file(), "run `cargo xtask build` first");
    xtask
}

fn cargo_home() -> PathBuf {
    let set = env::var_os("CARGO_HOME").map(PathBuf::from);
    set.unwrap_or_else(|| env::home_dir().expect("a home").join(".cargo"))
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{said}");
}

/// A folder with a longer path with spaces, and with enough space for a
/// toolchain.
struct Elsewhere(PathBuf);

impl Elsewhere {
    /// Makes the folder, and removes files of an aborted run.
    fn new(why: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("built {why}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn sources(&self) -> PathBuf {
        self.0.join("countersign, the sources")
    }

    fn assert_same(&self) {
        for name in [
            "countersign.wasm",
            "countersign.component.wasm",
            "npm/countersign.js",
            "oci/index.json",
        ] {
            let other = fs::read(self.sources().join("dist").join(name)).unwrap();
            assert!(
                dist::read(name) == other,
                "{name} is another file; is dist/ up to date?"
            );
        }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        if NOT_COPIED.iter().any(|not| name == *not) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

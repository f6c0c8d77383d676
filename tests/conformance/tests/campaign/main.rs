//! Random and crafted signatures, decided by a host twice: where the module verifies
//! them, and where the host's own cryptography does. The decisions must be equal.
//!
//! A longer run: `cargo xtask campaign signatures --host sealed --count 1000000
//! --seed 7`.

mod change;
mod curves;
#[path = "../go/mod.rs"]
mod go;
mod pool;
mod random;
mod rsa;

use std::{path::Path, sync::OnceLock, time::Instant};

use countersign_conformance::{
    host::{Host, Process},
    native::Native,
    protocol::{Command, Reply},
    vector::Signatures,
};
use pool::{NOW_S, Pool};
use random::Random;

const GATE: u32 = 1;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Decides about every case by both, and prints the differences.
fn run(name: &str, mut start: impl FnMut(Signatures) -> Box<dyn Host>) {
    let seed = number("COUNTERSIGN_SEED", 20_261_129);
    let count = number("COUNTERSIGN_CASES", 10_000);
    let time = Instant::now();
    static MADE: OnceLock<(Pool, Random)> = OnceLock::new();
    let (pool, random) = MADE.get_or_init(|| {
        let mut random = Random::new(seed);
        (Pool::new(&mut random), random)
    });
    let (policy, mut random) = (pool.policy(), random.clone());
    let mut hosts = [Signatures::Module, Signatures::Native].map(&mut start);
    for host in &mut hosts {
        let policy = policy.clone();
        let opened = host.answer(&Command::Open {
            gate: GATE,
            policy,
            secrets: Default::default(),
        });
        assert_eq!(opened, Reply::Opened {}, "{name}");
    }
    let (mut allowed, mut differences) = (0_u64, 0_u64);
    for index in 0..count {
        let case = change::case(&mut random, pool);
        let command = Command::Token {
            gate: GATE,
            at: NOW_S * 1_000,
            token: case.token.clone().into(),
            requirement: None,
            proven: false,
        };
        let [module, native] = hosts.each_mut().map(|host| host.answer(&command));
        if module != native {
            differences += 1;
            println!("{name}: seed {seed}, case {index}: {}", case.token);
            println!("    module: {module:?}");
            println!("    native: {native:?}");
        }
        let is_allowed = matches!(module, Reply::Allow(_));
        allowed += u64::from(is_allowed);
        assert!(is_allowed || matches!(module, Reply::Deny(_)), "{module:?}");
        if let Some(is_good) = case.is_good {
            assert_eq!(is_allowed, is_good, "{name}: {}, {module:?}", case.token);
        }
    }
    println!(
        "{name}: seed {seed}, {count} signatures, {allowed} valid, {differences} differences, {:.0?}",
        time.elapsed()
    );
    assert_eq!(differences, 0, "{name}");
    assert!(allowed > count / 50 && allowed < count / 2, "{allowed}");
}

fn process(program: &Path, arguments: &[&str], signatures: Signatures) -> Box<dyn Host> {
    let option: &[&str] = match signatures {
        Signatures::Module => &[],
        Signatures::Native => &["--signatures", "native"],
    };
    let arguments = [arguments, option].concat();
    Box::new(Process::start(program, &arguments).expect("the host starts"))
}

#[test]
fn signatures_in_crate() {
    run("crate", |signatures| Box::new(Native::new(signatures)));
}

#[cfg(feature = "wasmtime")]
#[test]
fn signatures_in_sealed() {
    use countersign_conformance::{files, sealed::Sealed};

    let component = files::component();
    if !component.exists() {
        return println!("skipped: {} is not built", component.display());
    }
    run("sealed", |signatures| {
        Box::new(Sealed::load(&component, signatures).expect("the component loads"))
    });
}

#[test]
fn signatures_in_go() {
    match go::harness() {
        Err(reason) => println!("skipped: {reason}"),
        Ok(program) => run("go", |signatures| process(program, &[], signatures)),
    }
}

#[test]
fn signatures_in_node() {
    npm("node");
}

#[test]
fn signatures_in_deno() {
    npm("deno");
}

#[test]
fn signatures_in_bun() {
    npm("bun");
}

/// The packed package in one of the runtimes of `npm/tests`.
fn npm(runtime: &str) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../npm/tests");
    let node = std::env::var_os("COUNTERSIGN_NODE");
    if node.is_none() && !tests.join("node_modules/countersign").exists() {
        return println!("skipped: the npm package is not unpacked for the tests");
    }
    let node = node.unwrap_or_else(|| "node".into());
    let harness = tests.join("harness.mjs");
    let harness = harness.to_str().expect("a path that is text");
    run(runtime, |signatures| {
        process(Path::new(&node), &[harness, runtime], signatures)
    });
}

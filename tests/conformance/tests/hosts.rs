//! Plays every vector on every host in every mode, and checks that all hosts
//! give equal answers.

mod go;

use std::path::Path;

use countersign_conformance::{
    files,
    host::{Host, Process},
    native::Native,
    protocol::Reply,
    run::{Mode, Record, play},
    vector::Vector,
};

fn vectors() -> Vec<Vector> {
    files::topics()
        .expect("vectors")
        .into_iter()
        .flat_map(|topic| topic.vectors)
        .collect()
}

/// Plays all vectors. It prints all faults of all vectors before it fails.
fn check_host(name: &str, host: &mut dyn Host, vectors: &[Vector]) -> Vec<Record> {
    check_host_in(&Mode::ALL, name, host, vectors)
}

fn check_host_in(
    modes: &[Mode],
    name: &str,
    host: &mut dyn Host,
    vectors: &[Vector],
) -> Vec<Record> {
    let mut records = Vec::new();
    let mut faulty = 0;
    for vector in vectors {
        for &mode in modes {
            let record = play(host, vector, mode);
            if !record.faults.is_empty() {
                faulty += 1;
                println!("{name} {mode:?} `{}` ({}):", vector.id, vector.title);
                record
                    .faults
                    .iter()
                    .for_each(|fault| println!("    {fault}"));
            }
            records.push(record);
        }
    }
    println!(
        "{name}: {} vectors, {} runs, {faulty} faulty",
        vectors.len(),
        records.len()
    );
    assert_eq!(faulty, 0, "{name} does not hold the contract");
    records
}

#[test]
fn the_native_crate_satisfies_the_contract() {
    check_host("native", &mut Native::default(), &vectors());
}

#[test]
fn the_native_crate_behind_the_protocol_answers_alike() {
    let vectors = vectors();
    let program = Path::new(env!("CARGO_BIN_EXE_harness-native"));
    let mut process = Process::start(program, &[]).expect("harness-native starts");
    let behind = check_host("harness-native", &mut process, &vectors);
    alike(&vectors, &behind, &mut Native::default());
}

#[cfg(feature = "wasmtime")]
#[test]
fn the_sealed_component_answers_alike() {
    use countersign_conformance::sealed::Sealed;

    // If the variable names it, it must exist. Otherwise its absence is only
    // reported.
    let component = match std::env::var_os("COUNTERSIGN_COMPONENT") {
        Some(path) => path.into(),
        None => files::component(),
    };
    if std::env::var_os("COUNTERSIGN_COMPONENT").is_none() && !component.exists() {
        println!(
            "skipped: {} is not built (cargo xtask build)",
            component.display()
        );
        return;
    }
    let vectors = vectors();
    let mut host = Sealed::load(&component).expect("the component loads");
    let sealed = check_host("wasmtime", &mut host, &vectors);
    alike(&vectors, &sealed, &mut Native::default());
}

#[test]
fn the_npm_package_in_node_answers_alike() {
    npm_package("node");
}

#[test]
fn the_npm_package_by_require_answers_alike() {
    npm_package("commonjs");
}

#[test]
fn the_npm_package_in_the_edge_runtime_answers_alike() {
    npm_package("edge");
}

#[test]
fn the_npm_package_in_workerd_answers_alike() {
    npm_package("workerd");
}

#[test]
fn the_npm_package_in_chromium_answers_alike() {
    npm_package("chromium");
}

#[test]
fn the_npm_package_in_deno_answers_alike() {
    npm_package("deno");
}

#[test]
fn the_npm_package_in_bun_answers_alike() {
    npm_package("bun");
}

/// Plays the packed package in one of the runtimes of `npm/tests`.
fn npm_package(runtime: &str) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../npm/tests");
    // If the variable names a Node.js, the package must exist. Otherwise its
    // absence is only reported.
    let node = std::env::var_os("COUNTERSIGN_NODE");
    if node.is_none() && !tests.join("node_modules/countersign").exists() {
        println!("skipped: the npm package is not unpacked for the tests (cargo xtask test)");
        return;
    }
    let harness = tests.join("harness.mjs");
    let harness = harness.to_str().expect("a path that is text");
    let vectors = vectors();
    let node = node.unwrap_or_else(|| "node".into());
    let mut process = Process::start(Path::new(&node), &[harness, runtime]).expect("Node starts");
    let records = check_host(&format!("npm in {runtime}"), &mut process, &vectors);
    alike(&vectors, &records, &mut Native::default());
}

#[test]
fn the_go_host_answers_alike() {
    answers_alike_in_go("wazero, compiled", &[], &Mode::ALL);
}

/// On platforms for which wazero does not compile, it interprets.
#[test]
fn the_interpreting_go_host_answers_alike() {
    answers_alike_in_go("wazero, interpreted", &["-interpreter"], &[Mode::Fresh]);
}

fn answers_alike_in_go(name: &str, arguments: &[&str], modes: &[Mode]) {
    let program = match go::harness() {
        Ok(program) => program,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let vectors = vectors();
    let mut process = Process::start(program, arguments).expect("the Go harness starts");
    let records = check_host_in(modes, name, &mut process, &vectors);
    alike_in(modes, &vectors, &records, &mut Native::default());
}

/// Checks that the replies are equal in every member that a program can use,
/// not only in those of the vectors.
fn alike(vectors: &[Vector], records: &[Record], native: &mut dyn Host) {
    alike_in(&Mode::ALL, vectors, records, native);
}

fn alike_in(modes: &[Mode], vectors: &[Vector], records: &[Record], native: &mut dyn Host) {
    let runs = vectors
        .iter()
        .flat_map(|vector| modes.iter().map(move |&mode| (vector, mode)));
    for ((vector, mode), record) in runs.zip(records) {
        let own = play(native, vector, mode);
        let replies = own.replies.iter().zip(&record.replies);
        for (index, (own, other)) in replies.enumerate() {
            let (own, other) = (without_message(own), without_message(other));
            assert_eq!(own, other, "`{}` {mode:?}, reply {index}", vector.id);
        }
        assert_eq!(own.replies.len(), record.replies.len(), "`{}`", vector.id);
    }
}

/// Removes the message of a problem: it is for people and can differ between
/// builds.
fn without_message(reply: &Reply) -> Reply {
    let mut reply = reply.clone();
    match &mut reply {
        Reply::Problems(problems) | Reply::Accepted(problems) => {
            problems
                .iter_mut()
                .for_each(|problem| problem.message.clear());
        }
        Reply::Refused(problem) => problem.message.clear(),
        _ => {}
    }
    reply
}

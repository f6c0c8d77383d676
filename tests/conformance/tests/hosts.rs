//! Plays every vector on every host in every mode, and checks that all hosts
//! give equal answers: where the module verifies signatures, and where the host's
//! own cryptography does.

mod go;

use std::{collections::BTreeSet, fs, path::Path};

use countersign_conformance::{
    files,
    host::{Host, Process},
    native::Native,
    protocol::Reply,
    run::{Mode, Record, play},
    vector::{
        Event, Expect,
        Signatures::{self, Module, Native as ByHost},
        Vector,
    },
};

/// The vectors for hosts whose signatures are verified so.
fn vectors(signatures: Signatures) -> Vec<Vector> {
    let topics = files::topics().expect("vectors").into_iter();
    let mut vectors: Vec<Vector> = topics.flat_map(|topic| topic.vectors).collect();
    vectors.retain(|vector| vector.signatures.is_none_or(|only| only == signatures));
    vectors
}

/// The vectors about what an operator asks, which are played as they are written.
fn operation() -> Vec<Vector> {
    let topics = files::topics_of(&files::operation()).expect("vectors");
    let topics = topics.into_iter();
    topics.flat_map(|topic| topic.vectors).collect()
}

/// The modes that are played: the memory of tokens and the option of the host meet
/// in the gate, which is the same in every host, so that one mode of the other hosts
/// shows what differs in them.
fn modes(signatures: Signatures) -> &'static [Mode] {
    match signatures {
        Module => &Mode::ALL,
        ByHost => &[Mode::Remembered],
    }
}

/// Plays vectors. It prints all faults of all vectors before it fails.
fn check_host(modes: &[Mode], name: &str, host: &mut dyn Host, vectors: &[Vector]) -> Vec<Record> {
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

/// Plays all vectors on a host, and checks that its replies are equal to those of
/// the native crate in every member that a program can use, not only in those of
/// the vectors.
fn answers_alike(signatures: Signatures, modes: &[Mode], name: &str, host: &mut dyn Host) {
    all_alike(signatures, modes, name, host, &vectors(signatures));
}

/// Plays the vectors about what an operator asks, too.
fn tells_alike(signatures: Signatures, name: &str, host: &mut dyn Host) {
    let name = format!("{name}, asked by an operator");
    all_alike(signatures, &[Mode::Fresh], &name, host, &operation());
}

fn all_alike(
    signatures: Signatures,
    modes: &[Mode],
    name: &str,
    host: &mut dyn Host,
    vectors: &[Vector],
) {
    let name = match signatures {
        Module => name.to_owned(),
        ByHost => format!("{name}, its own cryptography"),
    };
    let records = check_host(modes, &name, host, vectors);
    let mut native = Native::new(signatures);
    let runs = vectors
        .iter()
        .flat_map(|vector| modes.iter().map(move |&mode| (vector, mode)));
    for ((vector, mode), record) in runs.zip(&records) {
        let own = play(&mut native, vector, mode);
        let replies = own.replies.iter().zip(&record.replies);
        for (index, (own, other)) in replies.enumerate() {
            let (own, other) = (without_message(own), without_message(other));
            assert_eq!(
                own, other,
                "{name}: `{}` {mode:?}, reply {index}",
                vector.id
            );
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

/// Starts a program behind the protocol, with the option for its signatures.
fn start(program: &Path, arguments: &[&str], signatures: Signatures) -> Process {
    let option: &[&str] = match signatures {
        Module => &[],
        ByHost => &["--signatures", "native"],
    };
    Process::start(program, &[arguments, option].concat()).expect("the host starts")
}

/// And everything that can be seen is equal, whoever verifies signatures.
#[test]
fn the_native_crate_satisfies_the_contract() {
    let play = |signatures| {
        let vectors = vectors(signatures);
        let name = format!("native, {signatures:?}");
        let mut native = Native::new(signatures);
        let records = check_host(&Mode::ALL, &name, &mut native, &vectors);
        let runs = vectors.iter().zip(records.chunks(Mode::ALL.len()));
        let both = runs.filter(|(vector, _)| vector.signatures.is_none());
        let named = both.map(|(vector, records)| (vector.id.clone(), records.to_vec()));
        named.collect::<Vec<_>>()
    };
    for (module, native) in play(Module).iter().zip(&play(ByHost)) {
        assert_eq!(module, native);
    }
}

#[test]
fn the_native_crate_behind_the_protocol_answers_alike() {
    let program = Path::new(env!("CARGO_BIN_EXE_harness-native"));
    for signatures in [Module, ByHost] {
        let mut process = start(program, &[], signatures);
        answers_alike(
            signatures,
            modes(signatures),
            "harness-native",
            &mut process,
        );
    }
}

#[test]
fn the_native_crate_tells_what_an_operator_asks() {
    let vectors = operation();
    for signatures in [Module, ByHost] {
        let mut native = Native::new(signatures);
        check_host(&[Mode::Fresh], "native", &mut native, &vectors);
    }
    let program = Path::new(env!("CARGO_BIN_EXE_harness-native"));
    let mut process = start(program, &[], Module);
    tells_alike(Module, "harness-native", &mut process);
}

#[cfg(feature = "wasmtime")]
#[test]
fn the_sealed_component_answers_alike() {
    sealed_component(Module);
}

#[cfg(feature = "wasmtime")]
#[test]
fn the_sealed_component_with_its_own_cryptography_answers_alike() {
    sealed_component(ByHost);
}

#[cfg(feature = "wasmtime")]
fn sealed_component(signatures: Signatures) {
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
    let mut host = Sealed::load(&component, signatures).expect("the component loads");
    answers_alike(signatures, modes(signatures), "wasmtime", &mut host);
    tells_alike(signatures, "wasmtime", &mut host);
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

#[test]
fn the_npm_package_with_the_cryptography_of_its_runtime_answers_alike() {
    for runtime in ["node", "commonjs", "deno", "bun"] {
        npm_package_by(ByHost, &[runtime, "--signatures", "native"]);
    }
}

#[test]
fn the_npm_package_with_webcrypto_answers_alike() {
    for runtime in ["node", "edge", "workerd", "chromium"] {
        npm_package_by(ByHost, &[runtime, "--signatures", "webcrypto"]);
    }
}

/// Plays the packed package in one of the runtimes of `npm/tests`.
fn npm_package(runtime: &str) {
    npm_package_by(Module, &[runtime]);
}

fn npm_package_by(signatures: Signatures, arguments: &[&str]) {
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
    let node = node.unwrap_or_else(|| "node".into());
    let arguments = [&[harness], arguments].concat();
    let mut process = Process::start(Path::new(&node), &arguments).expect("the host starts");
    let name = format!("npm in {}", arguments[1..].join(" "));
    answers_alike(signatures, modes(signatures), &name, &mut process);
    tells_alike(signatures, &name, &mut process);
}

#[test]
fn the_go_host_answers_alike() {
    go("wazero, compiled", &[], Module, modes(Module));
}

/// On platforms for which wazero does not compile, it interprets.
#[test]
fn the_interpreting_go_host_answers_alike() {
    let arguments = ["-interpreter"];
    go("wazero, interpreted", &arguments, Module, &[Mode::Fresh]);
}

#[test]
fn the_go_host_with_its_own_cryptography_answers_alike() {
    go("wazero, compiled", &[], ByHost, modes(ByHost));
}

fn go(name: &str, arguments: &[&str], signatures: Signatures, modes: &[Mode]) {
    let program = match go::harness() {
        Ok(program) => program,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let mut process = start(program, arguments, signatures);
    answers_alike(signatures, modes, name, &mut process);
    tells_alike(signatures, name, &mut process);
}

#[test]
fn the_python_host_answers_alike() {
    python(Module);
}

#[test]
fn the_python_host_with_its_own_cryptography_answers_alike() {
    python(ByHost);
}

/// Plays the installed wheel. `COUNTERSIGN_PYTHON` names the Python that has it.
fn python(signatures: Signatures) {
    let Some(program) = std::env::var_os("COUNTERSIGN_PYTHON") else {
        println!(
            "skipped: COUNTERSIGN_PYTHON names no Python that has the package (cargo xtask test)"
        );
        return;
    };
    let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hosts/python/tests/harness.py");
    let harness = harness.to_str().expect("a path that is text");
    let mut process = start(Path::new(&program), &[harness], signatures);
    answers_alike(signatures, modes(signatures), "Python", &mut process);
    let operation = operation();
    all_alike(
        signatures,
        &[Mode::Fresh],
        "Python",
        &mut process,
        &operation,
    );
}

#[test]
fn the_python_reference_answers_alike() {
    let Some(program) = std::env::var_os("COUNTERSIGN_PYTHON") else {
        println!(
            "skipped: COUNTERSIGN_PYTHON names no Python that has cryptography (cargo xtask test)"
        );
        return;
    };
    reference(
        "the Python reference",
        Path::new(&program),
        "python/harness.py",
    );
}

/// Node.js runs TypeScript from 23.6 on.
#[test]
fn the_typescript_reference_answers_alike() {
    let Some(node) = std::env::var_os("COUNTERSIGN_NODE") else {
        println!(
            "skipped: COUNTERSIGN_NODE names no Node.js that runs TypeScript (cargo xtask test)"
        );
        return;
    };
    reference(
        "the TypeScript reference",
        Path::new(&node),
        "typescript/harness.ts",
    );
}

/// The topics that the validators of `tests/reference` leave out.
const NOT_IN_REFERENCES: [&str; 10] = [
    "api-key-documents",
    "api-keys",
    "client-certificate",
    "dpop",
    "dpop-requests",
    "dpop-time",
    "opaque",
    "opaque-signed",
    "opaque-times",
    "sender",
];

/// Plays a validator of `tests/reference`, without what it leaves out.
fn reference(name: &str, program: &Path, harness: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reference");
    let harness = folder.join(harness);
    let mut process = start(program, &[harness.to_str().expect("a path")], Module);
    let topics = files::topics().expect("vectors").into_iter();
    let topics = topics.filter(|topic| NOT_IN_REFERENCES.contains(&&*topic.topic));
    let ids: BTreeSet<_> = topics
        .flat_map(|topic| topic.vectors)
        .map(|vector| vector.id)
        .collect();
    let (left_out, vectors): (Vec<_>, Vec<_>) = vectors(Module)
        .into_iter()
        .partition(|vector| ids.contains(&vector.id) || is_left_out(vector));
    let listed = fs::read_to_string(folder.join("left-out.txt")).expect("the list");
    let left_out: BTreeSet<_> = left_out.iter().map(|vector| &*vector.id).collect();
    let listed: BTreeSet<_> = listed.lines().collect();
    let differing: Vec<_> = left_out.symmetric_difference(&listed).collect();
    assert!(
        differing.is_empty(),
        "left-out.txt differs in {differing:?}"
    );
    all_alike(Module, &[Mode::Fresh], name, &mut process, &vectors);
}

/// Documents in time, and problems of policies.
fn is_left_out(vector: &Vector) -> bool {
    let waits = |expect: &Expect| matches!(expect, Expect::Wait(_));
    !vector.problems.is_empty()
        || vector.steps.iter().any(|step| match &step.event {
            Event::Request { expect, .. } | Event::Token { expect, .. } => waits(expect),
            Event::Due { .. }
            | Event::NextDue { .. }
            | Event::Supply { .. }
            | Event::Operation(_) => true,
        })
}

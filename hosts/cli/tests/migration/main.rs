//! The same requests to `jwt_authn` and RBAC in a real Envoy, and to this
//! filter with the policy that `countersign import` makes of them: every
//! difference is in `differences.json`, with its reason, and none is that is not.
#![allow(missing_docs)]

mod configuration;
mod envoy;
mod random;
mod requests;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use countersign_artefact_tests::token::Key;
use serde::Deserialize;
use serde_json::Value;

use envoy::{Envoy, Reply};
use requests::Request;

/// What one of the two says otherwise.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Difference {
    request: String,
    envoy: String,
    countersign: String,
    reason: String,
}

#[test]
fn the_imported_policy_decides_as_the_original_but_for_the_known_differences() {
    let Some(binary) = envoy::binary() else {
        return;
    };
    let (key, stranger) = (Key::read("rsa-2048-a"), Key::read("rsa-2048-b"));
    let original = configuration::original(&key);
    let policy = imported(&original);
    let envoy = Envoy::start(&binary, &original);
    let countersign = Envoy::start(&binary, &configuration::with_policy(&policy));

    let known: Vec<Difference> =
        serde_json::from_str(include_str!("differences.json")).expect("differences.json");
    let known_count = known.len();
    let mut known: BTreeMap<_, _> = known
        .iter()
        .map(|difference| (difference.request.as_str(), difference))
        .collect();
    let mut faults = Vec::new();
    let all = requests::all(&key, &stranger);
    let (mut admitted, mut denied) = (0, 0);
    for request in &all {
        let [theirs, ours] = both(&envoy, &countersign, request);
        match theirs.status {
            200 => admitted += 1,
            _ => denied += 1,
        }
        let expected = known.remove(request.name);
        let (theirs, ours) = (decision(&theirs), decision(&ours));
        let is_same = is_allowed(&theirs) == is_allowed(&ours);
        match expected {
            None if is_same => {}
            Some(known) if !is_same && (&known.envoy, &known.countersign) == (&theirs, &ours) => {
                assert!(!known.reason.is_empty(), "{known:?}");
            }
            _ => faults.push(format!(
                "{}: envoy {theirs}, countersign {ours}; known: {expected:?}",
                request.name
            )),
        }
    }
    let gone = known
        .keys()
        .map(|name| format!("no request is named so: {name}"));
    faults.extend(gone);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    println!(
        "{} requests, {known_count} are decided differently",
        all.len()
    );
    // The requests prove something: both decisions are among them.
    assert!(admitted >= 10 && denied >= 10, "{admitted} {denied}");
}

/// Of configurations at random: whatever the policy admits, the original admits.
#[test]
fn an_imported_policy_admits_nothing_that_the_original_denies() {
    const CONFIGURATIONS: u64 = 8;
    let Some(binary) = envoy::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let (mut admitted, mut denied, mut stricter, mut looser) = (0, 0, 0, Vec::new());
    for seed in 1..=CONFIGURATIONS {
        let mut random = random::Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let original = random::configuration(&mut random, &key);
        let policy = imported(&original);
        let envoy = Envoy::start(&binary, &original);
        let countersign = Envoy::start(&binary, &configuration::with_policy(&policy));
        for (method, path, headers) in random::requests(&mut random, &key, requests::now_s()) {
            let send = |host: &Envoy| host.send(&method, &path, &headers).expect("a reply").status;
            match [&envoy, &countersign].map(|host| send(host) == 200) {
                [true, true] => admitted += 1,
                [false, false] => denied += 1,
                [true, false] => stricter += 1,
                [false, true] => looser.push(format!("seed {seed}: {method} {path} {headers:?}")),
            }
        }
    }
    assert!(looser.is_empty(), "{}\n{}", looser.len(), looser.join("\n"));
    // Denying everything would be no import.
    assert!(admitted > stricter, "{admitted} {stricter}");
    println!("{admitted} admitted and {denied} denied by both, {stricter} by this filter alone");
}

/// In the same second, as some requests are about it.
fn both(envoy: &Envoy, countersign: &Envoy, request: &Request) -> [Reply; 2] {
    for _ in 0..10 {
        let now = requests::now_s();
        let headers = (request.headers)(now);
        let replies = [envoy, countersign].map(|host| {
            host.send(request.method, request.target, &headers)
                .unwrap_or_else(|| panic!("{}: no reply", request.name))
        });
        if requests::now_s() == now {
            return replies;
        }
    }
    panic!("{}: both never answer within one second", request.name)
}

/// `allow`, or `deny` with the code or what Envoy says.
fn decision(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    match (reply.status, body["code"].as_str()) {
        (200, _) => "allow".to_owned(),
        (_, Some(code)) => format!("deny {code}"),
        (status, None) => format!("deny {status} {}", reply.body.trim()),
    }
}

fn is_allowed(decision: &str) -> bool {
    decision == "allow"
}

/// What `countersign import envoy` makes of a bootstrap.
fn imported(original: &Value) -> Value {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("migration-{}-{number}.json", std::process::id());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, original.to_string()).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["import", "envoy", "--json", "--query-token"])
        .arg(&file)
        .output()
        .unwrap();
    let shape: Value = serde_json::from_slice(&run.stdout).unwrap_or_default();
    assert!(run.status.success(), "{shape}");
    shape["policy"].clone()
}

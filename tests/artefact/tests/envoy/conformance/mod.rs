//! Plays the corpus through Envoy and compares decisions and codes with those
//! of the native crate. Vectors that cannot be played are counted by reason.

mod issuers;
mod play;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
    thread,
    time::Duration,
};

use countersign_artefact_tests::token::Key;
use countersign_conformance::{
    files,
    scene::{Check, Scene, Stage},
    vector::Signatures,
};
use serde_json::json;

use self::{
    issuers::Issuers,
    play::{Fault, play},
};
use crate::stage::{self, clock::Clock, envoy::Envoy, eventually, policy, setup::Setup, upstream};

/// Vectors whose request Envoy itself answers with 400, because it is not valid
/// HTTP.
const REFUSED_BY_ENVOY: [&str; 16] = [
    "authority-host-form",
    "handshake-http2",
    "host-list",
    "host-slash",
    "host-space",
    "method-non-ascii",
    "opaque-bytes",
    "order-opaque-bytes",
    "order-opaque-place",
    "target-asterisk",
    "target-fragment",
    "target-non-ascii",
    "target-query",
    "target-query-only",
    "target-raw-ff",
    "target-relative",
];

/// Number of listeners of one Envoy. Each has its own gate.
const STAGES: usize = 100;

#[test]
fn envoy_decides_the_corpus_like_the_native_crate() {
    play_all(Signatures::Module);
}

#[test]
fn envoy_decides_the_corpus_alike_if_it_verifies_the_signatures() {
    play_all(Signatures::Native);
}

fn play_all(signatures: Signatures) {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (scenes, mut left_out) = scenes(signatures);
    let first = scenes.values().next().unwrap().first().unwrap();
    let Some(clock) = Clock::new(first.checks[0].at) else {
        return;
    };
    let (mut played, mut refused, mut faults) = (0, BTreeSet::new(), Vec::new());
    // Documents belong to a fixed day; a stage without documents can begin
    // earlier.
    let (with, without): (Vec<_>, Vec<_>) = scenes
        .iter()
        .partition(|(stage, _)| !stage.documents.is_empty());
    for batch in with.chunks(STAGES).chain(without.chunks(STAGES)) {
        let moments = batch.iter().flat_map(|(_, scenes)| scenes.iter());
        let moments = moments.flat_map(|scene| scene.checks.iter().map(|check| check.at));
        clock.set(moments.min().unwrap());
        let envoy = start(&binary, &clock, batch, signatures);
        let listeners = envoy.listeners();
        let mut checks: Vec<(&Scene, &Check, SocketAddr)> = Vec::new();
        for (number, (_, scenes)) in batch.iter().enumerate() {
            let to = listeners[&format!("stage-{number}")];
            for scene in scenes.iter() {
                checks.extend(scene.checks.iter().map(|check| (scene, check, to)));
            }
        }
        checks.sort_by_key(|(_, check, _)| check.at);
        for (scene, check, to) in checks {
            clock.set(check.at);
            match play(check, to) {
                Ok(()) => played += 1,
                Err(Fault::Unsayable(reason)) => *left_out.entry(reason).or_insert(0) += 1,
                Err(Fault::Refused) => drop(refused.insert(&*scene.id)),
                Err(Fault::Ours(fault)) => faults.push(format!("{}: {fault}", scene.id)),
            }
        }
        assert!(!envoy.log().contains("Wasm VM failed"), "{}", envoy.log());
        let native = envoy.metric("wasmcustom.countersign.signatures_native");
        assert_eq!(native, Some(u64::from(signatures == Signatures::Native)));
    }
    println!("{played} checks were played; left out: {left_out:#?}");
    assert!(
        refused.iter().copied().eq(REFUSED_BY_ENVOY),
        "refused by Envoy itself: {refused:#?}"
    );
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(played > 2_000, "only {played} checks were played");
}

/// Returns the scenes by stage, and the number of vectors without a scene by
/// reason.
fn scenes(signatures: Signatures) -> (BTreeMap<Stage, Vec<Scene>>, BTreeMap<&'static str, usize>) {
    let (mut scenes, mut left_out) = (BTreeMap::<_, Vec<Scene>>::new(), BTreeMap::new());
    for vector in files::topics()
        .unwrap()
        .iter()
        .flat_map(|topic| &topic.vectors)
    {
        match Scene::of(vector, signatures) {
            Ok(scene) => scenes.entry(scene.stage.clone()).or_default().push(scene),
            Err(reason) => *left_out.entry(reason).or_insert(0) += 1,
        }
    }
    (scenes, left_out)
}

/// Starts an Envoy with a listener for each stage, and waits for its documents.
fn start(
    binary: &Path,
    clock: &Clock,
    batch: &[(&Stage, &Vec<Scene>)],
    signatures: Signatures,
) -> Envoy {
    let stages: Vec<&Stage> = batch.iter().map(|(stage, _)| *stage).collect();
    let issuers = Issuers::of(&stages);
    let mut setup = Setup::new(&other(), upstream::echo())
        .cluster("issuer", issuers.address)
        .environment(clock.environment())
        .manage(|manager| {
            manager["max_request_headers_kb"] = json!(512);
            manager["common_http_protocol_options"] = json!({ "max_headers_count": 1000 });
            manager["http_protocol_options"] = json!({ "allow_custom_methods": true });
            manager["forward_client_cert_details"] = json!("ALWAYS_FORWARD_ONLY");
        });
    for (number, stage) in stages.iter().enumerate() {
        let name = format!("stage-{number}");
        let clusters = issuers.clusters(number, stage);
        let secrets: serde_json::Value = serde_json::from_str(&stage.secrets).unwrap();
        let envoy = json!({
            "clusters": clusters, "code_header": true, "signatures": signatures,
            "secrets": secrets,
        });
        let configuration = format!("{{\"policy\":{},\"envoy\":{envoy}}}", stage.policy);
        setup = setup.listen(&name, &configuration);
        // Each VM has its own table of proofs.
        if let Some(scene) = &stage.alone {
            setup = setup.chain(|chain| {
                let manager = &mut chain["filters"][0]["typed_config"];
                let filter = &mut manager["http_filters"][0]["typed_config"];
                filter["config"]["vm_config"]["vm_id"] = json!(scene);
            });
        }
    }
    let envoy = Envoy::start(binary, &setup);
    eventually("all documents are fetched", || issuers.are_done());
    thread::sleep(Duration::from_millis(300));
    envoy
}

/// Returns any valid policy, for the main listener.
fn other() -> serde_json::Value {
    let key = Key::read("rsa-2048-a").public();
    policy::of(json!({ "jwks": { "keys": [key] } }))
}

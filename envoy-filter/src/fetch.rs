//! How a document is asked for, through Envoy's clusters.

use countersign::Gate;

use crate::{
    address::Address,
    config::{Cluster, Settings},
    host::{
        http::{self, Refusal},
        shared,
    },
    pairs,
};

/// A cluster that Envoy has had.
const CLUSTER: &str = "countersign.cluster\n";
/// Bound on a fetch that is only to say whether there is a cluster.
const TRIAL_MS: u32 = 1_000;

/// Clusters of this configuration that Envoy does not have. It says so only to
/// who uses one: what is asked here is given up together with the configuration,
/// which is on trial.
pub(crate) fn missing_clusters(gate: &Gate, settings: &Settings) -> Vec<String> {
    let mut missing = Vec::new();
    for document in gate.status(0) {
        let Some(address) = Address::of(&document.uri) else {
            continue;
        };
        let Some(cluster) = settings.clusters.of(&address) else {
            continue;
        };
        let is_known = || shared::get(&[CLUSTER, &cluster.name].concat()).is_some();
        if !missing.contains(&cluster.name)
            && !is_known()
            && call(&address, &cluster, TRIAL_MS) == Err(Refusal::NoCluster)
        {
            missing.push(cluster.name);
        }
    }
    missing
}

/// Starts a GET, without a body and without credentials of any kind: its number.
pub(crate) fn call(
    address: &Address<'_>,
    cluster: &Cluster,
    timeout_ms: u32,
) -> Result<u32, Refusal> {
    let authority = cluster.authority.as_deref().unwrap_or(address.authority);
    let headers = pairs::write(&[
        (":method", "GET"),
        (":scheme", address.scheme),
        (":authority", authority),
        (":path", &address.path()),
        ("accept", "application/json"),
    ]);
    let call = http::call(&cluster.name, &headers, timeout_ms);
    if call.is_ok() {
        let known = [CLUSTER, &cluster.name].concat();
        if shared::get(&known).is_none() {
            shared::set(&known, b"");
        }
    }
    call
}

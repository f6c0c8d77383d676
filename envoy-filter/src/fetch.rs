//! Fetches documents through Envoy's clusters.

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

/// Prefix of keys in the shared data for clusters that exist or existed.
const CLUSTER: &str = "countersign.cluster\n";
/// Timeout of a fetch that only tests whether a cluster exists.
const TRIAL_MS: u32 = 1_000;

/// Returns the clusters of this configuration that Envoy does not have. The
/// only way to find out is to start a fetch. Envoy cancels these fetches when
/// it discards the instance on which it tries the configuration.
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

/// Starts a GET request without a body and without credentials. Returns its
/// call number.
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

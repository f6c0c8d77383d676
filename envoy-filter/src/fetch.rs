//! Requests to an issuer's addresses through Envoy's clusters.

use crate::{
    address::Address,
    config::{Cluster, Configuration},
    host::{
        self, Level,
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
pub(crate) fn missing_clusters(configuration: &Configuration) -> Vec<String> {
    let mut missing = Vec::new();
    for uri in configuration.uris() {
        let Some(address) = Address::of(&uri) else {
            continue;
        };
        let Some(cluster) = configuration.settings.clusters.of(&address) else {
            continue;
        };
        let is_known = || shared::get(&[CLUSTER, &cluster.name].concat()).is_some();
        if !missing.contains(&cluster.name)
            && !is_known()
            && call(&address, &cluster, &Call::get(&[], TRIAL_MS)) == Err(Refusal::NoCluster)
        {
            missing.push(cluster.name);
        }
    }
    missing
}

/// What is sent.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) headers: &'a [(Box<str>, Box<str>)],
    pub(crate) body: &'a [u8],
    pub(crate) timeout_ms: u32,
}

impl<'a> Call<'a> {
    pub(crate) fn get(headers: &'a [(Box<str>, Box<str>)], timeout_ms: u32) -> Self {
        Self {
            method: "GET",
            headers,
            body: b"",
            timeout_ms,
        }
    }
}

/// Starts a call to an address of the policy. Returns its number, or why Envoy
/// cannot send it.
pub(crate) fn send(uri: &str, cluster: Option<&Cluster>, asked: &Call<'_>) -> Result<u32, String> {
    let Some((address, cluster)) = Address::of(uri).zip(cluster) else {
        return Err("no entry of `clusters` is for this host".to_owned());
    };
    call(&address, cluster, asked).map_err(|refusal| match refusal {
        Refusal::NoCluster => ["Envoy has no cluster `", &cluster.name, "`"].concat(),
        Refusal::NoHost => ["cluster `", &cluster.name, "` has no usable host"].concat(),
    })
}

/// Logs why there is no answer from an issuer, without the query of the URL, which
/// can contain a key. `what` was asked for: "the request to".
pub(crate) fn log(what: &str, issuer: &str, uri: &str, reason: &str) {
    let uri = uri.split('?').next().unwrap_or_default();
    let parts = [
        "countersign: ",
        what,
        " issuer `",
        issuer,
        "` at ",
        uri,
        ": ",
        reason,
    ];
    host::log(Level::Warn, &parts.concat());
}

fn call(address: &Address<'_>, cluster: &Cluster, asked: &Call<'_>) -> Result<u32, Refusal> {
    let authority = cluster.authority.as_deref().unwrap_or(address.authority);
    let path = address.path();
    let mut headers = vec![
        (":method", asked.method),
        (":scheme", address.scheme),
        (":authority", authority),
        (":path", &path),
    ];
    if asked.method == "GET" {
        headers.push(("accept", "application/json"));
    }
    headers.extend(
        asked
            .headers
            .iter()
            .map(|(name, value)| (&**name, &**value)),
    );
    let headers = pairs::write(&headers);
    let call = http::call(&cluster.name, &headers, asked.body, asked.timeout_ms);
    if call.is_ok() {
        let known = [CLUSTER, &cluster.name].concat();
        if shared::get(&known).is_none() {
            shared::set(&known, b"");
        }
    }
    call
}

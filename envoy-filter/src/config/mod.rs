//! The configuration of the plugin: a policy, or an object with a policy and what
//! belongs to it. It is JSON text or a `google.protobuf.Struct`.

mod clusters;
mod parts;
mod problem;
mod secrets;
mod settings;
mod signed;
mod structure;

use std::sync::Arc;

use countersign::{Gate, Host, Problem, json::Value, policy_json};

pub(crate) use clusters::{Cluster, Clusters};
pub(crate) use problem::{cluster_unknown, report};
pub(crate) use settings::{Property, PropertyValue, Settings};

use self::parts::{Parts, Policy};
use crate::{address::Address, provider::Provider};

/// A valid configuration.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) gate: Gate,
    /// The candidate beside the policy in force.
    pub(crate) shadow: Option<Gate>,
    pub(crate) settings: Settings,
    /// The cryptography of Envoy, if it verifies the signatures.
    pub(crate) provider: Option<Provider>,
    /// Warnings of the policies, for the operator.
    pub(crate) warnings: Vec<Problem>,
}

impl Configuration {
    /// Reads a configuration, or returns all its problems. `provider` returns
    /// the cryptography of this Envoy.
    pub(crate) fn read(
        bytes: &[u8],
        seed: u64,
        now_ms: u64,
        provider: impl FnOnce() -> Option<Provider>,
    ) -> Result<Self, Vec<Problem>> {
        let value = match structure::read(bytes) {
            Some(value) => value,
            None => policy_json(bytes)?,
        };
        let Parts {
            policy,
            shadow,
            settings,
            mut problems,
        } = Parts::of(&value);
        let provider = settings.native.then(provider);
        if provider == Some(None) {
            problems.push(problem::native_unavailable());
        }
        let provider = provider.flatten();
        let secrets = settings.secrets.named();
        let host = Host {
            seed,
            native: provider.as_ref().map(Provider::native),
            secrets: &secrets,
        };
        let gate = match policy {
            Policy::Plain(policy, place) => open(policy, place, &host),
            Policy::Signed(signed) => match signed.open(now_ms) {
                Ok(bytes) => policy_json(&bytes)
                    .map_err(|found| at(signed::PLACE, found))
                    .and_then(|policy| open(&policy, signed::PLACE, &host)),
                Err(problem) => Err(Vec::from([problem])),
            },
            Policy::Missing => Err(Vec::new()),
        };
        let shadow = shadow.map(|policy| open(policy, "/shadow", &host));
        drop(secrets);
        match (gate, shadow.transpose()) {
            (Ok((gate, mut warnings)), Ok(shadow)) => {
                let (shadow, others) = shadow.unzip();
                warnings.extend(others.into_iter().flatten());
                let mut configuration = Self {
                    gate,
                    shadow,
                    settings,
                    provider,
                    warnings,
                };
                let uris = configuration.uris();
                let named = uris.iter().filter_map(|uri| Address::of(uri));
                configuration.settings.clusters.add_named(named);
                problems.extend(configuration.unreachable());
                match problems.is_empty() {
                    true => Ok(configuration),
                    false => Err(problems),
                }
            }
            (gate, shadow) => {
                let mut all = gate.err().unwrap_or_default();
                all.extend(shadow.err().unwrap_or_default());
                all.append(&mut problems);
                Err(all)
            }
        }
    }

    /// Returns the URLs of the documents, and of the authorization servers of the
    /// policy in force: a candidate asks none.
    pub(crate) fn uris(&self) -> Vec<Arc<str>> {
        let gates = [Some(&self.gate), self.shadow.as_ref()];
        let documents = gates.into_iter().flatten().flat_map(Gate::documents);
        documents
            .map(|fetch| fetch.uri)
            .chain(self.gate.asks().into_iter().map(Arc::from))
            .collect()
    }

    /// Returns a problem for each host that no cluster reaches.
    fn unreachable(&self) -> Vec<Problem> {
        let uris = self.uris();
        let addresses = uris.iter().filter_map(|uri| Address::of(uri));
        let clusters = &self.settings.clusters;
        let mut hosts: Vec<&str> = Vec::new();
        for address in addresses.filter(|address| clusters.of(address).is_none()) {
            if !hosts.contains(&address.authority) {
                hosts.push(address.authority);
            }
        }
        hosts.into_iter().map(problem::cluster_missing).collect()
    }
}

/// Opens a policy. Its problems and warnings get this place.
fn open(
    policy: &Value<'_>,
    place: &str,
    host: &Host<'_>,
) -> Result<(Gate, Vec<Problem>), Vec<Problem>> {
    match Gate::open_json(policy, host.clone()) {
        Ok(gate) => {
            let warnings = at(place, gate.warnings().to_vec());
            Ok((gate, warnings))
        }
        Err(found) => Err(at(place, found)),
    }
}

fn at(place: &str, mut problems: Vec<Problem>) -> Vec<Problem> {
    for problem in &mut problems {
        problem.pointer.insert_str(0, place);
    }
    problems
}

#[cfg(test)]
mod tests;

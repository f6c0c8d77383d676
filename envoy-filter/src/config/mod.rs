//! The configuration of the plugin: a policy, or `{ "policy": …, "envoy": … }`.
//! It is JSON text or a `google.protobuf.Struct`.

mod clusters;
mod problem;
mod settings;
mod structure;

use countersign::{Gate, Problem, json::Value, policy_json};

pub(crate) use clusters::{Cluster, Clusters};
pub(crate) use problem::{cluster_unknown, report};
pub(crate) use settings::{Property, PropertyValue, Settings};

use crate::address::Address;

/// A valid configuration.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) gate: Gate,
    pub(crate) settings: Settings,
    /// Warnings of the policy, for the operator.
    pub(crate) warnings: Vec<Problem>,
}

impl Configuration {
    /// Reads a configuration, or returns all its problems.
    pub(crate) fn read(bytes: &[u8], seed: u64) -> Result<Self, Vec<Problem>> {
        let value = match structure::read(bytes) {
            Some(value) => value,
            None => policy_json(bytes)?,
        };
        let Parts {
            policy,
            place,
            settings,
            mut problems,
        } = Parts::of(&value);
        let with_place = |mut problem: Problem| {
            problem.pointer.insert_str(0, place);
            problem
        };
        let mut settings = settings;
        match Gate::open_json(policy, seed) {
            Err(found) => problems
                .splice(..0, found.into_iter().map(with_place))
                .for_each(drop),
            Ok(gate) => {
                let documents = gate.status(0);
                let named = documents.iter().filter_map(|d| Address::of(&d.uri));
                settings.clusters.add_named(named);
                problems.extend(unreachable(&gate, &settings.clusters));
                if problems.is_empty() {
                    return Ok(Self {
                        warnings: gate.warnings().iter().cloned().map(with_place).collect(),
                        gate,
                        settings,
                    });
                }
            }
        }
        Err(problems)
    }
}

/// The parts of a configuration. `place` is the JSON Pointer of the policy.
struct Parts<'v, 't> {
    policy: &'v Value<'t>,
    place: &'static str,
    settings: Settings,
    problems: Vec<Problem>,
}

impl<'v, 't> Parts<'v, 't> {
    fn of(value: &'v Value<'t>) -> Self {
        let mut parts = Self {
            policy: value,
            place: "",
            settings: Settings::default(),
            problems: Vec::new(),
        };
        let members = value.as_object();
        let Some((members, policy)) = members.and_then(|m| Some((m, m.get("policy")?))) else {
            return parts;
        };
        (parts.policy, parts.place) = (policy, "/policy");
        for (name, value) in members.iter() {
            match name {
                "policy" => {}
                "envoy" => parts.settings = Settings::read(value, "/envoy", &mut parts.problems),
                _ => parts
                    .problems
                    .push(problem::field_unknown("", name, "`policy`, `envoy`")),
            }
        }
        parts
    }
}

/// Returns a problem for each host whose documents no cluster fetches.
fn unreachable(gate: &Gate, clusters: &Clusters) -> Vec<Problem> {
    let documents = gate.status(0);
    let addresses = documents.iter().filter_map(|d| Address::of(&d.uri));
    let mut hosts: Vec<&str> = Vec::new();
    for address in addresses.filter(|address| clusters.of(address).is_none()) {
        // The documents of one issuer are adjacent.
        if hosts.last() != Some(&address.authority) {
            hosts.push(address.authority);
        }
    }
    hosts
        .into_iter()
        .map(|host| {
            let message = [
                "no cluster is named that fetches documents from `",
                host,
                "`: write `{ \"policy\": …, \"envoy\": { \"clusters\": { \"",
                host,
                "\": \"a cluster of this Envoy\" } } }`",
            ];
            problem::error("/envoy/clusters", "cluster_missing", message.concat())
        })
        .collect()
}

#[cfg(test)]
mod tests;

//! The clusters that fetch documents, by host.

use countersign::{Problem, json::Value};

use super::problem::{below, error, field_unknown, type_wrong, value_invalid};
use crate::address::Address;

/// Clusters by lower-case host: `auth.example.com`, `auth.example.com:8443`, or
/// `*` for all others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Clusters {
    by_host: Vec<(String, Cluster)>,
    /// Host and port of every document that the policy names, sorted.
    named: Vec<String>,
}

/// A cluster of this Envoy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// The name. `{host}` and `{port}` are replaced by those of the document's
    /// URL.
    pub(crate) name: String,
    /// The authority of the request, if it differs from the URL's.
    pub(crate) authority: Option<String>,
}

impl Clusters {
    /// Reads the valid parts and adds problems to `problems`.
    pub(super) fn read(value: &Value<'_>, pointer: &str, problems: &mut Vec<Problem>) -> Self {
        let mut clusters = Self::default();
        let Some(members) = value.as_object() else {
            problems.push(type_wrong(
                pointer,
                "an object: hosts, and the cluster that fetches from each",
            ));
            return clusters;
        };
        for (host, value) in members.iter() {
            let place = &below(pointer, host);
            if host.is_empty() || host.contains(['/', '@', ' ']) {
                problems.push(value_invalid(
                    place,
                    "a host is written as in the URL, without `https://` and path; or `*`",
                ));
            }
            match Cluster::read(value, place) {
                Ok(cluster) => {
                    clusters.by_host.push((host.to_ascii_lowercase(), cluster));
                }
                Err(problem) => problems.push(problem),
            }
        }
        clusters
    }

    /// Returns the cluster for a URL.
    pub(crate) fn of_uri(&self, uri: &str) -> Option<Cluster> {
        Address::of(uri).and_then(|address| self.of(&address))
    }

    /// Adds the addresses that the policy names.
    pub(super) fn add_named<'a>(&mut self, addresses: impl Iterator<Item = Address<'a>>) {
        for address in addresses {
            let named = host_and_port(&address);
            // Sorting afterwards would take 3 KB of code, for a few names.
            if let Err(place) = self.named.binary_search(&named) {
                self.named.insert(place, named);
            }
        }
    }

    /// Returns the cluster for an address: by host and port, by host alone, or
    /// the entry `*`. If the address determines the cluster (`*` and `{…}`),
    /// the policy or the configuration must name the address. Otherwise a
    /// discovery document could direct fetches to any host that this Envoy can
    /// reach.
    pub(crate) fn of(&self, address: &Address<'_>) -> Option<Cluster> {
        let entry = |wanted: &str| {
            let mut all = self.by_host.iter();
            let found = all.find(|(host, _)| host.eq_ignore_ascii_case(wanted));
            found.map(|(_, cluster)| cluster)
        };
        let is_named = || self.named.binary_search(&host_and_port(address)).is_ok();
        let by_host = || {
            entry(address.host).filter(|cluster| {
                !cluster.name.contains('{') || address.has_default_port() || is_named()
            })
        };
        let other = || entry("*").filter(|_| is_named());
        let cluster = entry(&host_and_port(address))
            .or_else(by_host)
            .or_else(other)?;
        Some(Cluster {
            name: expand(&cluster.name, address),
            authority: cluster.authority.clone(),
        })
    }
}

/// Returns host and port in lower case, with the default port.
fn host_and_port(address: &Address<'_>) -> String {
    [address.host, ":", address.port]
        .concat()
        .to_ascii_lowercase()
}

/// Replaces `{host}` and `{port}` in a template.
fn expand(template: &str, address: &Address<'_>) -> String {
    let mut parts = template.split('{');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some(("host", rest)) => name.extend([&*address.host.to_ascii_lowercase(), rest]),
            Some(("port", rest)) => name.extend([address.port, rest]),
            _ => name.extend(["{", part]),
        }
    }
    name
}

impl Cluster {
    fn read(value: &Value<'_>, pointer: &str) -> Result<Self, Problem> {
        if let Some(name) = value.as_str() {
            return Ok(Self {
                name: visible_ascii(name, pointer)?,
                authority: None,
            });
        }
        let Some(members) = value.as_object() else {
            let wanted = "a cluster's name, or `{ \"cluster\": …, \"authority\": … }`";
            return Err(type_wrong(pointer, wanted));
        };
        let (mut name, mut authority) = (None, None);
        for (field, value) in members.iter() {
            let place = &below(pointer, field);
            let text = || {
                let text = value
                    .as_str()
                    .ok_or_else(|| type_wrong(place, "a string"))?;
                visible_ascii(text, place)
            };
            match field {
                "cluster" => name = Some(text()?),
                "authority" => authority = Some(text()?),
                _ => return Err(field_unknown(pointer, field, "`cluster`, `authority`")),
            }
        }
        let Some(name) = name else {
            let message = "this needs a `cluster`".to_owned();
            return Err(error(pointer, "field_missing", message));
        };
        Ok(Self { name, authority })
    }
}

fn visible_ascii(text: &str, pointer: &str) -> Result<String, Problem> {
    if text.is_empty() || text.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(value_invalid(
            pointer,
            "this has to be visible ASCII, and not empty",
        ));
    }
    Ok(text.to_owned())
}

//! What the filter in Envoy is configured with: the policy, and what only Envoy
//! needs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{policy::Policy, provider::Provider};

/// The filter's configuration.
#[derive(Debug, Serialize)]
pub(super) struct Plugin {
    pub(super) policy: Policy,
    pub(super) envoy: Settings,
}

/// Its member `envoy`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Settings {
    /// By host: the cluster that fetches documents from there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) clusters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) bypass_cors_preflight: bool,
}

impl Settings {
    /// With the clusters of all providers that are used.
    pub(super) fn of(providers: &[Provider<'_>]) -> Self {
        let usable = providers.iter().filter(|provider| provider.is_usable());
        Self {
            clusters: usable
                .filter_map(|provider| provider.cluster.clone())
                .collect(),
            bypass_cors_preflight: false,
        }
    }
}

/// Host and port of a URL, as they stand in it.
pub(super) fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?', '#'])
        .next()
        .filter(|authority| !authority.is_empty())
}

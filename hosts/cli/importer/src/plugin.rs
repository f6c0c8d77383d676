//! The configuration of the filter in Envoy: the policy, and settings for Envoy
//! alone.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{policy::Policy, provider::Provider};

/// The filter's configuration.
#[derive(Debug, Serialize)]
pub(crate) struct Plugin {
    pub(crate) policy: Policy,
    pub(crate) envoy: Settings,
}

/// Its member `envoy`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Settings {
    /// By host: the cluster that fetches documents from there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) clusters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) bypass_cors_preflight: bool,
}

impl Settings {
    /// With the clusters of all providers that are used.
    pub(crate) fn of(providers: &[Provider<'_>]) -> Self {
        let usable = providers.iter().filter(|provider| provider.is_usable());
        Self {
            clusters: usable
                .filter_map(|provider| provider.cluster.clone())
                .collect(),
            bypass_cors_preflight: false,
        }
    }
}

/// Host and port of a URL, as they are written in it.
pub(crate) fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?', '#'])
        .next()
        .filter(|authority| !authority.is_empty())
}

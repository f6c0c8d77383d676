//! Who may ask about tokens, as the configuration says it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::secret::SecretSource;

/// The introspection endpoint, `POST /introspect/{policy}` (RFC 7662). Without this it
/// is not there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntrospectionConfig {
    /// Who may ask, by the client id.
    pub clients: BTreeMap<String, ClientConfig>,
    /// Whether secrets and tokens may come over plain HTTP from another machine.
    #[serde(default)]
    pub insecure_http: bool,
}

/// One caller, which authenticates by secrets or by certificates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// The policies that it may ask.
    pub policies: Vec<String>,
    /// What it may see, as `require` of a rule says it: any other token is not active
    /// for this caller. `{}` is every good token.
    pub require: serde_json::Value,
    /// One of these must be presented. Several, so that one can be replaced.
    #[serde(default)]
    pub secrets: Vec<SecretSource>,
    /// SHA-256 of certificates of TLS clients, in hex.
    #[serde(default)]
    pub certificates: Vec<String>,
}

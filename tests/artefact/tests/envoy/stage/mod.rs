//! The setup of every test: a client, a real Envoy, and an upstream and issuers
//! behind it, all on loopback.

pub(crate) mod clock;
pub(crate) mod issuer;
pub(crate) mod policy;
pub(crate) mod upstream;

pub(crate) use countersign_artefact_tests::stage::{
    binary, client, envoy, eventually, http2, setup, within,
};
use serde_json::Value;

/// Before an upstream that echoes, with a cluster that fetches from this issuer.
pub(crate) fn fetching(issuer: &issuer::Issuer, configuration: &Value) -> setup::Setup {
    setup::Setup::new(configuration, upstream::echo()).cluster("issuer", issuer.address)
}

//! A real Envoy in front of a server, with the sealed module as its filter.

use std::env;

use anyhow::{Context, Result};
use countersign_artefact_tests::stage::{self, envoy::Envoy, setup::Setup};
use serde_json::{Value, json};

/// The settings of its connection manager.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Settings {
    /// As in `deploy/envoy/bootstrap.yaml`: Envoy normalises paths, and refuses
    /// ambiguous ones before the filter.
    Shipped,
    /// The defaults of Envoy.
    Defaults,
}

impl Settings {
    /// Starts Envoy in front of the server at an address, in Envoy's format.
    pub(crate) fn start(self, policy: &Value, place: &Value) -> Result<Envoy> {
        let binary = stage::binary().context("there is no Envoy")?;
        // Envoy refuses some HTTP/2 requests only by closing the connection.
        // By default, this takes a second.
        let setup = Setup::at(policy, place)
            .manage(|manager| manager["delayed_close_timeout"] = json!("0.001s"));
        let setup = match self {
            Self::Shipped => setup.as_shipped(),
            Self::Defaults => setup,
        };
        Ok(Envoy::start(&binary, &setup))
    }
}

pub(crate) fn missing() -> Option<&'static str> {
    env::var_os("COUNTERSIGN_ENVOY")
        .is_none()
        .then_some("COUNTERSIGN_ENVOY is not set; `cargo xtask test` installs Envoy")
}

//! A real Envoy with the sealed file as its filter, before a server.

use std::env;

use anyhow::{Context, Result};
use countersign_artefact_tests::stage::{self, envoy::Envoy, setup::Setup};
use serde_json::{Value, json};

/// How its connection manager is set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Settings {
    /// As `deploy/envoy/bootstrap.yaml` says: paths are normalised, and what
    /// has two readings is refused before the filter.
    Shipped,
    /// As Envoy is by itself.
    Defaults,
}

impl Settings {
    /// Starts it before what serves at this address, as Envoy writes one.
    pub(crate) fn start(self, policy: &Value, place: &Value) -> Result<Envoy> {
        let binary = stage::binary().context("there is no Envoy")?;
        // What it refuses over HTTP/2 has no answer but the connection's end,
        // for which it takes a second otherwise.
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

//! The gates of a server, by the names of their policies.

use std::{collections::BTreeMap, fs};

use countersign_host::Gate;
use countersign_policy_source::Source;

use crate::{
    config::{Config, ConfigError},
    dialect::envoy_grpc::Told,
};

/// The gates of a server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policies {
    gates: BTreeMap<String, Gate>,
}

impl Policies {
    /// Opens a gate for each policy.
    ///
    /// # Errors
    /// Every problem of every policy.
    pub async fn open(config: &Config) -> Result<Self, ConfigError> {
        let mut gates = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, files) in &config.policies {
            let shown = files.file.display().to_string();
            let source = fs::read(&files.file)
                .map_err(|error| format!("{shown}: {error}"))
                .and_then(|bytes| {
                    Source::parse(&shown, bytes).map_err(|error| format!("{shown}: {error}"))
                });
            let source = match source {
                Ok(source) => source,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let mut builder = Gate::builder().policy(source.json);
            if !config.dynamic_metadata.is_empty() {
                builder = builder.on_decision(Told::hear);
            }
            match builder.build().await {
                Ok(gate) => {
                    gates.insert(name.clone(), gate);
                }
                Err(error) => problems.push(format!("{shown}: {error}")),
            }
        }
        if problems.is_empty() {
            Ok(Self { gates })
        } else {
            Err(ConfigError(problems))
        }
    }

    /// Whether every gate had the documents that it cannot do without.
    pub(crate) fn are_ready(&self) -> bool {
        self.gates.values().all(Gate::ready)
    }

    pub(crate) fn gate(&self, name: &str) -> Option<&Gate> {
        self.gates.get(name)
    }
}

//! The gates of a server, by the names of their policies.

mod opening;
mod reload;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use countersign_host::Gate;
use tokio::sync::Mutex;

pub(crate) use opening::Hooks;
use opening::{Opening, Read, Secrets};
pub use reload::{Outcome, Reloaded};

use crate::config::{Config, ConfigError, PolicyFiles};

/// The gates of a server.
pub(crate) struct Policies {
    by_name: BTreeMap<String, Policy>,
    opening: Opening,
    /// Held during a reload, so that there is one at a time.
    in_force: Mutex<InForce>,
}

/// One policy, and its gate.
pub(crate) struct Policy {
    pub(crate) name: Arc<str>,
    files: PolicyFiles,
    gate: RwLock<Gate>,
}

/// What was read last.
struct InForce {
    secrets: Arc<Secrets>,
    by_name: BTreeMap<String, Used>,
}

/// What a gate was opened with.
struct Used {
    read: Read,
    secrets: Arc<Secrets>,
}

impl Policies {
    /// Opens a gate for each policy.
    ///
    /// # Errors
    /// Every problem of every policy and of every secret.
    pub(crate) async fn open(config: Arc<Config>, hooks: Hooks) -> Result<Self, ConfigError> {
        let opening = Opening { config, hooks };
        let mut problems = Vec::new();
        let secrets = match Secrets::read(&opening.config) {
            Ok(secrets) => Arc::new(secrets),
            Err(error) => {
                problems.extend(error.0);
                Arc::default()
            }
        };
        let mut by_name = BTreeMap::new();
        let mut used = BTreeMap::new();
        for (name, files) in &opening.config.policies {
            let shared: Arc<str> = name.as_str().into();
            let opened = async {
                let read = Read::of(files)?;
                let gate = opening.open(&shared, files, &read, &secrets).await?;
                Ok::<_, ConfigError>((read, gate))
            };
            match opened.await {
                Ok((read, gate)) => {
                    let secrets = secrets.clone();
                    used.insert(name.clone(), Used { read, secrets });
                    let policy = Policy {
                        name: shared,
                        files: files.clone(),
                        gate: RwLock::new(gate),
                    };
                    by_name.insert(name.clone(), policy);
                }
                Err(ConfigError(found)) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigError(problems));
        }
        let in_force = Mutex::new(InForce {
            secrets,
            by_name: used,
        });
        Ok(Self {
            by_name,
            opening,
            in_force,
        })
    }

    pub(crate) fn policy(&self, name: &str) -> Option<&Policy> {
        self.by_name.get(name)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Policy> {
        self.by_name.values()
    }

    /// Whether every gate has had the documents that it cannot do without.
    pub(crate) fn are_ready(&self) -> bool {
        self.all().all(|policy| policy.gate().ready())
    }
}

impl Policy {
    /// The gate in force.
    pub(crate) fn gate(&self) -> Gate {
        let gate = self.gate.read();
        gate.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put_in_force(&self, gate: Gate) {
        *self.gate.write().unwrap_or_else(PoisonError::into_inner) = gate;
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

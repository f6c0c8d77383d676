//! Putting what files contain now in force.

use std::{collections::BTreeMap, sync::Arc};

use countersign_policy_source::Problem;

use super::{
    Policies, Policy, Used,
    opening::{Opening, Read, Secrets, place, refused},
};
use crate::config::{ConfigError, PolicyFrom};

/// What became of a reload. What is refused leaves the old one in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// By the names of policies.
    pub policies: BTreeMap<String, Outcome>,
    /// The listener's certificate; `None` without TLS.
    pub tls: Option<Outcome>,
    /// Every problem of what was refused.
    pub problems: Vec<Problem>,
}

/// What became of one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its files are as they were.
    Unchanged,
    /// What they contain now is in force.
    InForce,
    /// There are problems: the old one stays in force.
    Refused,
}

impl Outcome {
    /// Stable name: `unchanged`, `in_force`, `refused`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::InForce => "in_force",
            Self::Refused => "refused",
        }
    }
}

impl Policies {
    /// Reads all files again, and puts in force what has changed and is good. Each policy
    /// stands alone: one that is refused keeps no other from being in force.
    pub(crate) async fn reload(&self) -> Reloaded {
        let mut in_force = self.in_force.lock().await;
        let mut reloaded = Reloaded::default();
        match Secrets::read(&self.opening.config) {
            Ok(secrets) if secrets == *in_force.secrets => {}
            Ok(secrets) => in_force.secrets = Arc::new(secrets),
            Err(ConfigError(problems)) => reloaded.problems.extend(problems),
        }
        let secrets = in_force.secrets.clone();
        for (name, policy) in &self.by_name {
            let Some(used) = in_force.by_name.get_mut(name) else {
                continue;
            };
            let outcome = match policy.reload(&self.opening, used, &secrets).await {
                Ok(outcome) => outcome,
                Err(ConfigError(problems)) => {
                    reloaded.problems.extend(problems);
                    Outcome::Refused
                }
            };
            if outcome != Outcome::Unchanged {
                tracing::info!(
                    policy = name,
                    outcome = outcome.as_str(),
                    "a policy was read again"
                );
            }
            reloaded.policies.insert(name.clone(), outcome);
        }
        reloaded
    }
}

impl Policy {
    async fn reload(
        &self,
        opening: &Opening,
        used: &mut Used,
        secrets: &Arc<Secrets>,
    ) -> Result<Outcome, ConfigError> {
        let read = Read::of(&self.files)?;
        // A gate keeps its secrets and its trust: with others it is a new one.
        if used.secrets != *secrets || used.read.trust != read.trust {
            let gate = opening
                .open_warm(&self.name, &self.files, &read, secrets)
                .await?;
            self.put_in_force(gate);
            let secrets = secrets.clone();
            *used = Used { read, secrets };
            return Ok(Outcome::InForce);
        }
        let gate = self.gate();
        let mut outcome = Outcome::Unchanged;
        if let PolicyFrom::Signed(signed) = &self.files.policy
            && gate
                .look_for_policy()
                .await
                .map_err(|error| refused(&place(signed), error))?
        {
            outcome = Outcome::InForce;
        }
        if used.read.policy != read.policy
            && let Some(document) = read.policy
        {
            let loaded = gate.reload(document.json()).await;
            loaded.map_err(|error| document.refused(error))?;
            used.read.policy = Some(document);
            outcome = Outcome::InForce;
        }
        if used.read.shadow != read.shadow {
            let json = read.shadow.as_ref().map(|shadow| shadow.json());
            let loaded = gate.reload_shadow(json).await;
            loaded.map_err(|error| match &read.shadow {
                Some(shadow) => shadow.refused(error),
                None => refused(&self.name, error),
            })?;
            used.read.shadow = read.shadow;
            outcome = Outcome::InForce;
        }
        Ok(outcome)
    }
}

//! Callers and their credentials.

use std::collections::{BTreeMap, HashMap};

use countersign_host::{Gate, Requirement};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::config::{
    ConfigError, Introspection, IntrospectionClient, IntrospectionCredentials, Secret, is_plain,
};
use crate::policies::Policies;

/// A SHA-256: of a secret, or of a certificate. Nobody keeps the secret itself.
pub(super) type Hash = [u8; 32];

/// A secret is random: that nobody guesses it is a matter of its length alone.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 16..=256;

/// What a caller presents.
pub(super) enum Presented {
    Secret(Hash),
    Certificate(Hash),
}

impl Presented {
    pub(super) fn secret(secret: &[u8]) -> Self {
        Self::Secret(Sha256::digest(secret).into())
    }
}

/// All callers.
pub(super) struct Clients {
    by_name: HashMap<String, Client>,
    /// Is compared with where a name is unknown, so that this takes as long.
    nobody: Client,
}

/// One caller.
pub(super) struct Client {
    secrets: Vec<Hash>,
    certificates: Vec<Hash>,
    /// By the names of policies.
    pub(super) sees: BTreeMap<String, Sees>,
}

/// What a caller may see by one policy: another gate does not know the requirement.
pub(super) struct Sees {
    pub(super) gate: Gate,
    pub(super) requirement: Requirement,
}

impl Clients {
    /// Reads the credentials, and prepares what each may see.
    ///
    /// # Errors
    /// Every problem, without any part of a secret.
    pub(super) async fn open(
        config: &Introspection,
        policies: &Policies,
    ) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut by_name = HashMap::new();
        for (name, config) in &config.clients {
            match Client::open(name, config, policies).await {
                Ok(client) => drop(by_name.insert(name.clone(), client)),
                Err(ConfigError(found)) => problems.extend(found),
            }
        }
        let nobody = Client {
            secrets: vec![[0; 32]],
            certificates: vec![[0; 32]],
            sees: BTreeMap::new(),
        };
        match problems.is_empty() {
            true => Ok(Self { by_name, nobody }),
            false => Err(ConfigError(problems)),
        }
    }

    /// The caller with this name, if it presents what it must.
    pub(super) fn authenticate(&self, name: &str, presented: &Presented) -> Option<&Client> {
        let found = self.by_name.get(name);
        let is_it = found.unwrap_or(&self.nobody).has(presented);
        found.filter(|_| is_it)
    }
}

impl Client {
    async fn open(
        name: &str,
        config: &IntrospectionClient,
        policies: &Policies,
    ) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let (mut secrets, mut certificates) = (Vec::new(), Vec::new());
        match &config.credentials {
            IntrospectionCredentials::Certificates(hashes) => certificates.clone_from(hashes),
            IntrospectionCredentials::Secrets(sources) => {
                for source in sources {
                    match hashed(source) {
                        Ok(hash) => secrets.push(hash),
                        Err(ConfigError(found)) => problems.extend(found),
                    }
                }
            }
        }
        let mut sees = BTreeMap::new();
        let require = config.require.to_string();
        let mut refuse = |word: &str, code: &str, message: String| {
            let place = format!("/introspection/clients/{name}/{word}");
            problems.extend(ConfigError::of_file(place, code, message).0);
        };
        for policy in &config.policies {
            let Some(gate) = policies.policy(policy).map(|policy| policy.gate()) else {
                let message = format!("there is no policy `{policy}`");
                refuse("policies", "value_invalid", message);
                continue;
            };
            match gate.prepare(require.as_bytes()).await {
                Ok(requirement) => {
                    sees.insert(policy.clone(), Sees { gate, requirement });
                }
                Err(error) => {
                    let message = format!("under the policy `{policy}`: {error}");
                    refuse("require", "value_invalid", message);
                }
            }
        }
        match problems.is_empty() {
            true => Ok(Self {
                secrets,
                certificates,
                sees,
            }),
            false => Err(ConfigError(problems)),
        }
    }

    /// Compares with each, in constant time.
    fn has(&self, presented: &Presented) -> bool {
        let (known, presented) = match presented {
            Presented::Secret(hash) => (&self.secrets, hash),
            Presented::Certificate(hash) => (&self.certificates, hash),
        };
        let equal = known.iter().map(|known| known.ct_eq(presented));
        equal.fold(Choice::from(0), |any, equal| any | equal).into()
    }
}

fn hashed(source: &Secret) -> Result<Hash, ConfigError> {
    let secret = source.read()?;
    if SECRET_BYTES.contains(&secret.len()) && is_plain(&secret) {
        return Ok(Sha256::digest(secret).into());
    }
    let name = match source {
        Secret::File(path) => path.display().to_string(),
        Secret::Env(variable) => format!("the variable {variable}"),
    };
    let message = "a secret of a caller has 16 to 256 of A-Z, a-z, 0-9, `-`, `.` and `_`: \
                   `openssl rand -hex 32` makes one";
    Err(ConfigError::of_file(name, "secret_invalid", message))
}

//! Files that the configuration names.

use std::{
    collections::hash_map::DefaultHasher,
    env, fs,
    hash::{Hash, Hasher},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::config::{
    Config, ConfigError, IntrospectionCredentials, PolicyFrom, Secret, SignedFrom,
};

/// More than the largest policy.
const MAX_BYTES: u64 = 32 << 20;

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    read_bounded(path).map_err(|error| {
        let message = format!("it cannot be read: {error}");
        ConfigError::of_file(path.display().to_string(), "file_unreadable", message)
    })
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(io::Error::other(format!(
            "it has more than {MAX_BYTES} bytes"
        ))),
        false => Ok(bytes),
    }
}

impl Secret {
    fn file(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            Self::Env(_) => None,
        }
    }

    /// Its bytes. The newline at the end of a file is no part of its secret.
    pub(crate) fn read(&self) -> Result<Vec<u8>, ConfigError> {
        let (name, bytes) = match self {
            Self::File(path) => (path.display().to_string(), read(path)?),
            Self::Env(variable) => {
                let name = format!("the variable {variable}");
                let Ok(value) = env::var(variable) else {
                    let message = "it is not there, or no text";
                    return Err(ConfigError::of_file(name, "secret_missing", message));
                };
                (name, value.into_bytes())
            }
        };
        let end = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let end = end.strip_suffix(b"\r").unwrap_or(end);
        match end {
            [] => Err(ConfigError::of_file(name, "secret_missing", "it is empty")),
            secret => Ok(secret.to_vec()),
        }
    }
}

/// What files contain, for comparison only: two that are equal need no reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents(Vec<Option<u64>>);

impl Contents {
    /// Reads all files. Changes are found by content, as a ConfigMap replaces a symbolic
    /// link, and editors replace files.
    pub(crate) fn of(files: &[PathBuf]) -> Self {
        let content = |path: &PathBuf| {
            let bytes = read_bounded(path).ok()?;
            let mut hasher = DefaultHasher::new();
            bytes.hash(&mut hasher);
            Some(hasher.finish())
        };
        Self(files.iter().map(content).collect())
    }
}

impl Config {
    /// Every file whose change is to be noticed. A signed policy is looked for by its
    /// gate.
    pub(crate) fn watched(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for policy in self.policies.values() {
            match &policy.policy {
                PolicyFrom::File(path) => files.push(path.clone()),
                PolicyFrom::Signed(signed) => {
                    files.push(signed.trust.clone());
                    if let SignedFrom::File(path) = &signed.from {
                        files.push(path.clone());
                    }
                }
            }
            files.extend(policy.shadow.clone());
        }
        for secret in self.secrets.values().chain(&self.subject_key) {
            files.extend(secret.file());
        }
        let clients = self
            .introspection
            .iter()
            .flat_map(|callers| callers.clients.values());
        for client in clients {
            if let IntrospectionCredentials::Secrets(secrets) = &client.credentials {
                files.extend(secrets.iter().filter_map(Secret::file));
            }
        }
        if let Some(tls) = &self.tls {
            files.extend([tls.certificate.clone(), tls.key.clone()]);
            files.extend(tls.client_ca.clone());
        }
        files
    }
}

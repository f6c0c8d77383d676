//! Secrets that the configuration names and does not contain.

use std::{env, fmt, fs, path::PathBuf};

use serde::Deserialize;

/// Where a secret is: `{ file: … }` or `{ env: … }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SecretSource {
    /// A file. One line break at its end is no part of the secret.
    File(PathBuf),
    /// A variable of the environment.
    Env(String),
}

impl SecretSource {
    /// Reads it.
    ///
    /// # Errors
    /// Why it cannot be read, without any of its content.
    pub(crate) fn read(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::File(path) => {
                let mut secret = fs::read(path).map_err(|error| format!("{self}: {error}"))?;
                if secret.ends_with(b"\n") {
                    secret.pop();
                }
                Ok(secret)
            }
            Self::Env(name) => match env::var_os(name) {
                Some(secret) => Ok(secret.into_encoded_bytes()),
                None => Err(format!("{self}: is not set")),
            },
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Env(name) => write!(f, "the variable {name}"),
        }
    }
}

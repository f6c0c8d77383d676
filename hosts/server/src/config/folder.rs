//! What every configuration has: files beside it, secrets, TLS. Other servers of this
//! project read theirs by it too.

use std::path::{Path, PathBuf};

use countersign_policy_source::{Error, Place, Reader, Source};

use super::{ConfigError, Secret, Tls};

/// The folder of a configuration: paths in it are relative to that.
#[derive(Clone, Copy, Debug)]
pub struct Folder<'a>(&'a Path);

impl<'a> Folder<'a> {
    /// Reads a document, YAML, TOML or JSON, by `read`, which gets the folder of the file
    /// `name` and the document.
    ///
    /// # Errors
    /// Every problem, each with its place.
    pub fn read<T>(
        name: &'a str,
        bytes: Vec<u8>,
        read: impl FnOnce(Self, Place<'_>) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let source = Source::parse(name, bytes).map_err(|error| match error {
            Error::Invalid(problem) => ConfigError(vec![*problem]),
            other => ConfigError::of_file(name, "yaml_invalid", other.to_string()),
        })?;
        let value = serde_json::from_slice(&source.json)
            .map_err(|error| ConfigError::of_file(name, "json_invalid", error.to_string()))?;
        let reader = Reader::new(&source);
        let folder = Self(Path::new(name).parent().unwrap_or(Path::new("")));
        let config = read(folder, reader.root(&value));
        let problems = reader.problems();
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigError(problems)),
        }
    }

    /// A path, relative to the folder.
    pub fn path(&self, place: &Place<'_>) -> Option<PathBuf> {
        Some(self.join(place.name()?))
    }

    /// The same for a path that is already read.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(path)
    }

    /// `{ file }` or `{ env }`.
    pub fn secret(&self, place: Place<'_>) -> Option<Secret> {
        let mut object = place.object()?;
        let file = object.optional("file", |place| self.path(&place));
        let env = object.optional("env", |place| place.name().map(str::to_owned));
        if object.has("file") == object.has("env") {
            object.refuse("expected one of `file` and `env`");
        }
        object.end();
        file.map(Secret::File).or(env.map(Secret::Env))
    }

    /// `{ certificate, key, client_ca }`.
    pub fn tls(&self, place: Place<'_>) -> Option<Tls> {
        let mut object = place.object()?;
        let certificate = object.required("certificate", |place| self.path(&place));
        let key = object.required("key", |place| self.path(&place));
        let client_ca = object.optional("client_ca", |place| self.path(&place));
        object.end();
        Some(Tls {
            certificate: certificate?,
            key: key?,
            client_ca,
        })
    }
}

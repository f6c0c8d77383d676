//! The document of API keys in a file: read, changed under a lock, and replaced
//! at once, so that whoever serves it never reads half of it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

use crate::{failure::Failure, files::read_bytes};

/// The name of the document in a directory.
const NAME: &str = "api-keys.json";

/// A document that this process alone may change until it is dropped.
pub(crate) struct Locked {
    path: PathBuf,
    _lock: File,
    pub(crate) keys: Vec<Map<String, Value>>,
}

impl Locked {
    pub(crate) fn open(place: &Path) -> Result<Self, Failure> {
        let path = file(place);
        // A link stays one: its target is replaced.
        let path = fs::canonicalize(&path).unwrap_or(path);
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let lock = private(OpenOptions::new().create(true).truncate(false))
            .open(path.with_file_name(name))
            .and_then(|lock| lock.lock().map(|()| lock))
            .map_err(|error| cannot("lock", &path, &error))?;
        let keys = match path.exists() {
            true => read(&path)?,
            false => Vec::new(),
        };
        Ok(Self {
            path,
            _lock: lock,
            keys,
        })
    }

    /// Returns the key with this id. The error does not repeat it: it could be a
    /// whole key.
    pub(crate) fn find(&mut self, id: &str) -> Result<&mut Map<String, Value>, Failure> {
        let path = self.path.display().to_string();
        let mut keys = self.keys.iter_mut();
        keys.find(|key| key.get("id").and_then(Value::as_str) == Some(id))
            .ok_or_else(|| Failure::usage(format!("`{path}` has no key with this id")))
    }

    /// Replaces the file. It is on the disk when this returns.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let mut text = b"{\n  \"keys\": [".to_vec();
        for (index, key) in self.keys.iter().enumerate() {
            // One line for each key, so that a change is one line of a diff.
            text.extend_from_slice(if index > 0 { b",\n    " } else { b"\n    " });
            text.extend_from_slice(json!(key).to_string().as_bytes());
        }
        text.extend_from_slice(b"\n  ]\n}\n");
        self.replace(&text)
            .map_err(|error| cannot("write", &self.path, &error))
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = self.path.with_file_name(name);
        // Left by a run that was killed: nobody else has the lock.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private(OpenOptions::new().create_new(true)).open(&new)?;
        file.write_all(text)?;
        // Who has opened it to a group keeps that.
        if let Ok(old) = fs::metadata(&self.path) {
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        if let Some(folder) = self.path.parent().filter(|_| cfg!(unix)) {
            let folder = match folder.as_os_str().is_empty() {
                true => Path::new("."),
                false => folder,
            };
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

/// Reads the keys of a document.
pub(crate) fn read(place: &Path) -> Result<Vec<Map<String, Value>>, Failure> {
    let path = file(place);
    let text = read_bytes(&path)?;
    let mut document: Value = serde_json::from_slice(&text)
        .map_err(|error| Failure::usage(format!("`{}` is not JSON: {error}", path.display())))?;
    let keys = match document.as_object_mut() {
        Some(members) if members.len() == 1 => members.remove("keys"),
        _ => None,
    };
    let objects = keys.and_then(|keys| serde_json::from_value(keys).ok());
    objects.ok_or_else(|| {
        let path = path.display();
        Failure::usage(format!(
            "`{path}` is no document of API keys: {{ \"keys\": [ … ] }}"
        ))
    })
}

fn file(place: &Path) -> PathBuf {
    match place.is_dir() {
        true => place.join(NAME),
        false => place.to_owned(),
    }
}

/// Only for the user: the document names customers.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot {what} `{}`: {error}", path.display()))
}

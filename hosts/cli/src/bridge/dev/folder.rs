//! Where a development bridge keeps its database and its secrets.

use std::{
    env, fs,
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;

use crate::failure::Failure;

/// The configuration.
pub(super) const CONFIG: &str = "bridge.json";

/// A folder that only its owner can open. A temporary one is gone with this.
pub(super) struct Folder {
    path: PathBuf,
    is_temporary: bool,
}

impl Folder {
    /// The given one, which is made if needed, or a temporary one.
    pub(super) fn open(given: Option<&Path>) -> Result<Self, Failure> {
        let path = match given {
            Some(path) => path.to_owned(),
            None => env::temp_dir().join(format!("countersign-bridge-{}", random()?)),
        };
        let made = match given {
            // A name that nobody has guessed is new.
            None => make(&path),
            Some(_) if path.is_dir() => Ok(()),
            Some(_) => make(&path),
        };
        // As a whole: what is printed is good in every folder.
        let whole = made.and_then(|()| fs::canonicalize(&path));
        Ok(Self {
            path: whole.map_err(|error| unusable(&path, &error))?,
            is_temporary: given.is_none(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The secret of this name. It is made once.
    pub(super) fn secret(&self, name: &str) -> Result<String, Failure> {
        let path = self.path.join(name);
        match fs::read_to_string(&path) {
            Ok(secret) => Ok(secret.trim_end().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secret = random()?;
                self.write(name, &format!("{secret}\n"))?;
                Ok(secret)
            }
            Err(error) => Err(unusable(&path, &error)),
        }
    }

    /// Writes a file that only its owner can read.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| unusable(&path, &error))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary {
            // What is left there is of no use to anybody: its bridge has ended.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// 256 bits, in hex.
fn random() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    let filled = rand::fill(&mut bytes);
    filled.map_err(|_| Failure::usage("the system has no randomness"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("`{}`: {error}", path.display()))
}

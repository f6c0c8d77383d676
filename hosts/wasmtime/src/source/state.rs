//! The file that keeps the highest version over a restart: `{"version":7}`.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::Path,
    process,
};

use super::problem;
use crate::{problem::OpenError, random};

/// The version; 0 if there is no file yet. A file that says none is an error, so that
/// nobody gets an old policy in force by damaging it.
pub(super) fn read(path: &Path) -> Result<u64, OpenError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(unusable(path, &error.to_string())),
    };
    let state: Option<serde_json::Value> = serde_json::from_slice(&text).ok();
    let version = state.and_then(|state| state.get("version")?.as_u64());
    version.ok_or_else(|| unusable(path, "it says no version"))
}

/// Replaces the file at once: a crash leaves the old one or the new one. The processes
/// of one service have one file: none of them lowers what another has written.
pub(super) fn write(path: &Path, version: u64) -> Result<(), OpenError> {
    if read(path).is_ok_and(|kept| kept >= version) {
        return Ok(());
    }
    replace(path, version).map_err(|error| unusable(path, &error.to_string()))
}

fn replace(path: &Path, version: u64) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}-{:x}.new", process::id(), random::u64()));
    let mut file = File::create(&new)?;
    file.write_all(format!("{{\"version\":{version}}}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The new name is on the disk only with its folder. Windows has no such call.
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn unusable(path: &Path, reason: &str) -> OpenError {
    let message = format!("the state file {} cannot be used: {reason}", path.display());
    problem("state_file_unusable", &message)
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::{read, write};

    #[test]
    fn no_process_lowers_the_version_of_another() {
        let folder = env::temp_dir().join(format!("countersign-state-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("state");
        for (version, kept) in [(7, 7), (8, 8), (7, 8)] {
            write(&path, version).unwrap();
            assert_eq!(read(&path), Ok(kept));
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}

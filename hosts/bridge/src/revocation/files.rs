//! The document as a file, for a server of static files or a CDN.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    process,
};

/// Its name in the folder.
pub(crate) const NAME: &str = "revocations.json";

/// Writes it beside the old one and renames it: a reader has the old one or the new one.
pub(super) fn write(folder: &Path, body: &[u8]) -> io::Result<()> {
    let beside = folder.join(format!(".{NAME}.{}", process::id()));
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(body)?;
        // Otherwise a crash could leave an empty file under the name.
        file.sync_all()?;
        fs::rename(&beside, folder.join(NAME))
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

//! Tar archives without times and owners: the same files give the same bytes.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder, read::GzDecoder};

/// The path of a file in an archive, and its content.
pub struct Entry {
    /// Segments with `/` between them.
    pub path: String,
    /// Its bytes.
    pub content: Vec<u8>,
    /// Whether it may be executed.
    pub is_program: bool,
}

impl Entry {
    /// Returns a file that is not a program.
    pub fn new(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            content: content.into(),
            is_program: false,
        }
    }
}

/// Returns the files of a folder and its subfolders, with paths below `prefix`,
/// in alphabetical order.
pub fn folder(folder: &Path, prefix: &str) -> Result<Vec<Entry>> {
    let entry = |path: PathBuf| {
        let inside = path
            .strip_prefix(folder)?
            .to_str()
            .context("a path in UTF-8")?;
        Ok(Entry::new(format!("{prefix}{inside}"), fs::read(&path)?))
    };
    files(folder)?.into_iter().map(entry).collect()
}

/// Returns the paths of all files below a folder, sorted.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Makes a tar.
pub fn tar(entries: &[Entry]) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(entry.content.len() as u64);
        header.set_mode(if entry.is_program { 0o755 } else { 0o644 });
        archive.append_data(&mut header, &entry.path, &*entry.content)?;
    }
    Ok(archive.into_inner()?)
}

/// Makes a `.tar.gz`.
pub fn tar_gz(entries: &[Entry]) -> Result<Vec<u8>> {
    gzip(&tar(entries)?)
}

/// Compresses bytes, without a time.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Unpacks a `.tar.gz` into a new folder, without its first folder.
pub fn unpack(archive: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    let bytes = gunzip(&bytes)?;
    let mut archive = tar::Archive::new(&*bytes);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path: PathBuf = entry.path()?.components().skip(1).collect();
        let path = to.join(path);
        fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
        entry.unpack(&path)?;
    }
    Ok(())
}

/// Returns the files of a tar.
pub fn read_tar(bytes: &[u8]) -> Result<Vec<Entry>> {
    let mut archive = tar::Archive::new(bytes);
    let mut files = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry
            .path()?
            .to_str()
            .context("a path in UTF-8")?
            .to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        files.push(Entry::new(path, content));
    }
    Ok(files)
}

/// Undoes [`gzip`].
pub fn gunzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

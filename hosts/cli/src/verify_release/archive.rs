//! Archives, unpacked into memory within limits.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read},
};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::path;

const MOST_ENTRIES: usize = 10_000;
/// Of one archive, unpacked.
const MOST_BYTES: u64 = 128 << 20;

/// Contents of the files by path. Folders are left out.
pub(super) type Entries = BTreeMap<String, Vec<u8>>;

pub(super) fn tar_gz(bytes: &[u8]) -> Result<Entries, String> {
    tar(MultiGzDecoder::new(bytes))
}

/// A tar archive of files and folders. Links and special files are errors, as is
/// whatever could make two programs unpack different files: one name twice, or
/// data behind the end.
pub(super) fn tar(bytes: impl Read) -> Result<Entries, String> {
    let mut archive = tar::Archive::new(Bounded::new(bytes));
    let mut found = Entries::new();
    let mut number = 0;
    for entry in archive.entries().map_err(not_an_archive)? {
        let mut entry = entry.map_err(not_an_archive)?;
        number += 1;
        within(number)?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = entry.path_bytes().into_owned();
        let path = String::from_utf8(path).map_err(|_| "a name in it is not UTF-8")?;
        match kind {
            EntryType::Directory => path::check(path.trim_end_matches('/'))?,
            EntryType::Regular | EntryType::Continuous => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).map_err(not_an_archive)?;
                add(&mut found, path, content)?;
            }
            _ => return Err(format!("`{path}` in it is a link or a special file")),
        }
    }
    let mut rest = archive.into_inner();
    let mut block = [0; 4096];
    loop {
        match rest.read(&mut block).map_err(not_an_archive)? {
            0 => return Ok(found),
            length if block[..length].iter().any(|byte| *byte != 0) => {
                return Err("has data behind its end".to_owned());
            }
            _ => {}
        }
    }
}

pub(super) fn zip(bytes: &[u8]) -> Result<Entries, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(not_an_archive)?;
    within(archive.len())?;
    if archive.has_duplicate_names() {
        return Err("has a name twice".to_owned());
    }
    let mut found = Entries::new();
    let mut bytes_left = MOST_BYTES;
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(not_an_archive)?;
        let path = file.name().map_err(not_an_archive)?.into_owned();
        if file.is_dir() {
            path::check(path.trim_end_matches('/'))?;
            continue;
        }
        if !file.is_file() {
            return Err(format!("`{path}` in it is a link or a special file"));
        }
        let mut content = Vec::new();
        let mut file = Bounded {
            inner: file,
            bytes_left,
        };
        file.read_to_end(&mut content).map_err(not_an_archive)?;
        bytes_left = file.bytes_left;
        add(&mut found, path, content)?;
    }
    Ok(found)
}

fn add(found: &mut Entries, path: String, content: Vec<u8>) -> Result<(), String> {
    path::check(&path)?;
    if found.contains_key(&path) {
        return Err(format!("has `{path}` twice"));
    }
    found.insert(path, content);
    Ok(())
}

fn within(entries: usize) -> Result<(), String> {
    if entries > MOST_ENTRIES {
        return Err(format!("has more than {MOST_ENTRIES} entries"));
    }
    Ok(())
}

fn not_an_archive(error: impl std::fmt::Display) -> String {
    format!("cannot be unpacked: {error}")
}

/// Fails once more is read than an archive may have: sizes in headers are not
/// believed.
struct Bounded<R> {
    inner: R,
    bytes_left: u64,
}

impl<R> Bounded<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            bytes_left: MOST_BYTES,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        match self.bytes_left.checked_sub(length as u64) {
            Some(left) => {
                self.bytes_left = left;
                Ok(length)
            }
            None => Err(io::Error::other("it has more than 128 MiB")),
        }
    }
}

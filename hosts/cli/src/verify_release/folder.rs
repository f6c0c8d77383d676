//! The files of a release, each read once: what is compared with `SHA256SUMS` is
//! also what is looked into.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::Path,
};

use super::report::Report;
use crate::failure::Failure;

const MOST_FILES: usize = 1000;
const MOST_FOLDERS_DEEP: usize = 16;
const MOST_BYTES: u64 = 1 << 30;

/// Contents by path, with `/`. `None`: it is there, and reported as what it is.
pub(super) type Files = BTreeMap<String, Option<Vec<u8>>>;

/// Reads all files below a folder. Links and special files are not followed or
/// opened, but reported.
pub(super) fn read(folder: &Path, report: &mut Report) -> Result<Files, Failure> {
    let mut reader = Reader {
        files: Files::new(),
        bytes_left: MOST_BYTES,
        report,
    };
    reader.folder(folder, "", MOST_FOLDERS_DEEP)?;
    Ok(reader.files)
}

struct Reader<'a> {
    files: Files,
    bytes_left: u64,
    report: &'a mut Report,
}

impl Reader<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str, levels: usize) -> Result<(), Failure> {
        let failed = |error| cannot_read(folder, &error);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_name().to_str().is_none() {
                self.report.problem(&path, "its name is not UTF-8");
                continue;
            }
            if self.files.len() >= MOST_FILES {
                let text = format!("the folder has more than {MOST_FILES} files");
                return Err(Failure::Usage(text));
            }
            // That of a link itself.
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() && levels > 0 {
                self.folder(&entry.path(), &format!("{path}/"), levels - 1)?;
            } else if kind.is_file() {
                let bytes = self.file(&entry.path(), &path)?;
                self.files.insert(path, bytes);
            } else {
                let what = if kind.is_symlink() {
                    "is a link"
                } else if kind.is_dir() {
                    "is a folder too deep"
                } else {
                    "is a special file"
                };
                self.report.problem(&path, what);
                self.files.insert(path, None);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let mut bytes = Vec::new();
        let read = File::open(path)
            .and_then(|file| file.take(self.bytes_left + 1).read_to_end(&mut bytes));
        let read = read.map_err(|error| cannot_read(path, &error))?;
        match self.bytes_left.checked_sub(read as u64) {
            Some(left) => {
                self.bytes_left = left;
                Ok(Some(bytes))
            }
            None => {
                let text = "is not read: the release has more than 1 GiB";
                self.report.problem(name, text);
                Ok(None)
            }
        }
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("cannot read `{}`: {error}", path.display()))
}

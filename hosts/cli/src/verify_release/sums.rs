//! `SHA256SUMS`: which files there are, and their digests.

use std::collections::BTreeMap;

use super::{folder::Files, path, report::Report};
use crate::sealed::sha256;

/// The file itself.
pub(super) const SUMS: &str = "SHA256SUMS";
/// Its signature.
pub(super) const SIGNATURE: &str = "SHA256SUMS.minisig";

/// SHA-256 in hexadecimal, by path.
pub(super) type Sums = BTreeMap<String, String>;

/// Lines of `sha256sum`, sorted by path: 64 hexadecimal digits, two spaces, a path.
pub(super) fn parse(bytes: &[u8], report: &mut Report) -> Sums {
    let mut sums = Sums::new();
    let Some(text) = str::from_utf8(bytes)
        .ok()
        .and_then(|t| t.strip_suffix('\n'))
    else {
        report.problem(SUMS, "is not text that ends with a line feed");
        return sums;
    };
    for (number, line) in (1..).zip(text.split('\n')) {
        match entry(line) {
            Ok((path, _)) if sums.contains_key(path) => {
                report.problem(SUMS, format!("line {number}: `{path}` is there twice"));
            }
            Ok((path, sha256)) => {
                if sums
                    .last_key_value()
                    .is_some_and(|(last, _)| &**last > path)
                {
                    report.problem(SUMS, format!("line {number}: `{path}` is not in order"));
                }
                sums.insert(path.to_owned(), sha256.to_owned());
            }
            Err(problem) => report.problem(SUMS, format!("line {number}: {problem}")),
        }
    }
    sums
}

fn entry(line: &str) -> Result<(&str, &str), String> {
    let Some((sha256, path)) = line
        .split_once("  ")
        .filter(|(sha256, _)| is_hex(sha256, 64))
    else {
        return Err("is not 64 hexadecimal digits, two spaces and a path".to_owned());
    };
    path::check(path)?;
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("the path `{path}` is not visible ASCII"));
    }
    if [SUMS, SIGNATURE].contains(&path) {
        return Err(format!("`{path}` cannot be in it"));
    }
    Ok((path, sha256))
}

/// Lower-case hexadecimal digits of that number.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == digits && text.bytes().all(is_digit)
}

/// Each file has its digest, and there is no other.
pub(super) fn compare(sums: &Sums, files: &Files, report: &mut Report) {
    for (path, wanted) in sums {
        match files.get(path) {
            Some(Some(bytes)) if sha256(bytes) == *wanted => report.saw(path),
            Some(Some(_)) => report.problem(path, "its digest is not that of SHA256SUMS"),
            // Reported when it was read.
            Some(None) => {}
            None => report.problem(path, "is missing"),
        }
    }
    let others = files.keys().filter(|path| !sums.contains_key(*path));
    for path in others.filter(|path| ![SUMS, SIGNATURE].contains(&path.as_str())) {
        report.problem(path, "is not in SHA256SUMS");
    }
}

//! Paths in a release and in its archives.

/// A relative path that every system reads in the same way and that leads nowhere
/// else: segments with `/` between them, none of them empty, `.` or `..`.
pub(super) fn check(path: &str) -> Result<(), String> {
    let is_plain = |char: char| !char.is_control() && !matches!(char, '\\' | ':');
    let is_name = |segment: &str| !matches!(segment, "" | "." | "..");
    if path.chars().all(is_plain) && path.split('/').all(is_name) {
        Ok(())
    } else {
        Err(format!("the path `{path}` is not a plain relative one"))
    }
}

/// What follows the last `/`.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

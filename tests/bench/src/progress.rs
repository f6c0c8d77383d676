//! Progress messages.

/// Prints a line to standard error, because results go to standard output.
pub(crate) fn say(what: &str) {
    eprintln!("  {what} …");
}

//! What is going on, for people who wait.

/// One line on standard error, out of the way of results.
pub(crate) fn say(what: &str) {
    eprintln!("  {what} …");
}

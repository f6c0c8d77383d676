//! Scopes (RFC 6749 §3.3) and wildcards in them.

use alloc::boxed::Box;

/// Whether one of the token's scopes grants `wanted`. With `wildcards`, `a:*`
/// grants what starts with `a:` and goes on, and `*` grants everything.
pub(crate) fn grants(held: &[Box<str>], wanted: &str, wildcards: bool) -> bool {
    held.iter()
        .any(|scope| **scope == *wanted || (wildcards && covers(scope, wanted)))
}

/// Whether a pattern (`a:b`, `a:*` or `*`) covers a scope. `a:*` covers itself.
pub(crate) fn covers(pattern: &str, scope: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(prefix) if prefix.ends_with(':') => scope
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty()),
        _ => pattern == scope,
    }
}

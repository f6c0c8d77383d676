//! Scopes (RFC 6749 §3.3) and their wildcards.

use alloc::boxed::Box;

/// Returns whether one of the token's scopes grants `wanted`. With `wildcards`,
/// `a:*` grants every longer scope that starts with `a:`, and `*` grants every
/// scope.
pub(crate) fn grants(held: &[Box<str>], wanted: &str, wildcards: bool) -> bool {
    held.iter()
        .any(|scope| **scope == *wanted || (wildcards && covers(scope, wanted)))
}

/// Returns whether a pattern (`a:b`, `a:*` or `*`) covers a scope. `a:*` covers
/// itself.
pub(crate) fn covers(pattern: &str, scope: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(prefix) if prefix.ends_with(':') => scope
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty()),
        _ => pattern == scope,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_grants_longer_scopes_with_its_prefix_only() {
        let held = ["api:*".into(), "plain".into()];
        for (wanted, with, without) in [
            ("api:read", true, false),
            ("api:a:b", true, false),
            ("api:*", true, true),
            ("api:", false, false),
            ("api", false, false),
            ("apix:read", false, false),
            ("plain", true, true),
            ("plainer", false, false),
        ] {
            assert_eq!(grants(&held, wanted, true), with, "{wanted}");
            assert_eq!(grants(&held, wanted, false), without, "{wanted}");
        }
        assert!(grants(&["*".into()], "anything", true));
        assert!(
            !grants(&["ap*".into()], "api", true),
            "a wildcard follows a colon"
        );
    }
}

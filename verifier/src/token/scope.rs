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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_grants_what_is_below_it_and_nothing_else() {
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
            "a wildcard stands after a colon"
        );
    }
}

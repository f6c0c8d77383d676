//! The whole target of a request inside axum's nested routers, which remove its
//! beginning.

use axum::extract::{NestedPath, OriginalUri};
use http::{Uri, request::Parts};

/// The target was changed by something else than a nested router: how it will be
/// routed is unknown.
pub(crate) struct Rewritten;

/// The target that axum's first router routed by.
pub(crate) fn whole_target(parts: &Parts) -> Result<Uri, Rewritten> {
    let Some(OriginalUri(whole)) = parts.extensions.get::<OriginalUri>() else {
        return Ok(parts.uri.clone());
    };
    let is_whole = *whole == parts.uri;
    let is_rest = || {
        let nested = parts.extensions.get::<NestedPath>();
        let rest = nested.and_then(|nested| behind(nested.as_str(), whole.path()));
        rest == Some(parts.uri.path())
            && whole.query() == parts.uri.query()
            && whole.authority() == parts.uri.authority()
    };
    match is_whole || is_rest() {
        true => Ok(whole.clone()),
        false => Err(Rewritten),
    }
}

/// The rest of a path after as many segments as `pattern` has.
fn behind<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    let mut rest = path;
    for _ in pattern.trim_matches('/').split('/') {
        let segment = rest.strip_prefix('/')?;
        rest = segment.find('/').map_or("", |end| &segment[end..]);
    }
    Some(if rest.is_empty() { "/" } else { rest })
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn as_many_segments_are_taken_off_as_the_pattern_has() {
        assert_eq!(behind("/api", "/api/users"), Some("/users"));
        assert_eq!(behind("/api/", "/api/users"), Some("/users"));
        assert_eq!(behind("/{a}/b", "/x/b/c/d"), Some("/c/d"));
        assert_eq!(behind("/api", "/api"), Some("/"));
        assert_eq!(behind("/api/v1", "/api"), None);
    }
}

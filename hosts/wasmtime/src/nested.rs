//! The whole target of a request inside axum's nested routers, which remove its
//! beginning.

use axum::extract::{NestedPath, OriginalUri};
use http::{Uri, request::Parts, uri::PathAndQuery};

use crate::request::with_target;

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

/// Replaces the whole target, and its end in a nested router. There the path
/// stays what it is: axum has already routed by its beginning.
/// `None` if it cannot.
pub(crate) fn set_target(parts: &mut Parts, target: PathAndQuery) -> Option<()> {
    let whole = parts.extensions.get::<OriginalUri>();
    let whole = whole.map_or_else(|| parts.uri.clone(), |OriginalUri(whole)| whole.clone());
    let mut rest = target.clone();
    if whole != parts.uri {
        let query = target.query().map(|query| format!("?{query}"));
        let end = [parts.uri.path(), query.as_deref().unwrap_or_default()].concat();
        rest = PathAndQuery::try_from(end).ok()?;
        if whole.path() != target.path() {
            return None;
        }
    }
    parts.uri = with_target(&parts.uri, rest)?;
    if let Some(original) = parts.extensions.get_mut::<OriginalUri>() {
        original.0 = with_target(&whole, target)?;
    }
    Some(())
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
    use axum::extract::OriginalUri;
    use http::Request;

    use super::{behind, set_target};

    #[test]
    fn a_new_target_is_that_of_every_router() {
        let (mut parts, ()) = Request::get("http://a/x?t=1&b=2")
            .body(())
            .unwrap()
            .into_parts();
        assert!(set_target(&mut parts, "/x?b=2".parse().unwrap()).is_some());
        assert_eq!(parts.uri, "http://a/x?b=2");

        let whole = "/api/x?t=1&b=2".parse().unwrap();
        parts.extensions.insert(OriginalUri(whole));
        parts.uri = "/x?t=1&b=2".parse().unwrap();
        assert!(set_target(&mut parts, "/api/x?b=2".parse().unwrap()).is_some());
        assert_eq!(parts.uri, "/x?b=2");
        let OriginalUri(whole) = parts.extensions.get::<OriginalUri>().unwrap();
        assert_eq!(*whole, "/api/x?b=2");
        assert!(set_target(&mut parts, "/other".parse().unwrap()).is_none());
    }

    #[test]
    fn as_many_segments_are_taken_off_as_the_pattern_has() {
        assert_eq!(behind("/api", "/api/users"), Some("/users"));
        assert_eq!(behind("/api/", "/api/users"), Some("/users"));
        assert_eq!(behind("/{a}/b", "/x/b/c/d"), Some("/c/d"));
        assert_eq!(behind("/api", "/api"), Some("/"));
        assert_eq!(behind("/api/v1", "/api"), None);
    }
}

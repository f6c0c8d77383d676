//! URLs in logs.

/// The query of a URL may contain a key.
pub(crate) fn without_query(uri: &str) -> &str {
    uri.split('?').next().unwrap_or_default()
}

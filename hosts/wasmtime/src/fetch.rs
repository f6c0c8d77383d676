//! Fetchers of documents, and the bounds that hold for all of them.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::{task, time};

use crate::document::{Fetch, Outcome, Response};

/// Fetches documents: GET, redirects not followed, no credentials of any kind
/// sent. Time and size are bounded by [`Fetch::timeout_ms`] and
/// [`Fetch::max_bytes`]; a fetcher should stop reading at the second, as a
/// larger body is discarded.
pub trait Fetcher: Send + Sync + 'static {
    /// Fetches one document.
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Fetching<'a>;
}

/// A running fetch.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Response, FetchError>> + Send + 'a>>;

/// Why there is no response, for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchError(String);

impl FetchError {
    /// From a reason: lower case, no full stop, nothing secret.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    #[cfg(feature = "https")]
    pub(crate) fn too_large(fetch: &Fetch) -> Self {
        Self(format!(
            "the document has more than {} bytes",
            fetch.max_bytes
        ))
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FetchError {}

/// Fetches within the bounds, and logs a failure. A panic of the fetcher is a
/// failure.
pub(crate) async fn fetch(fetcher: Arc<dyn Fetcher>, wanted: &Fetch) -> Outcome {
    let bound = Duration::from_millis(wanted.timeout_ms.into());
    let fetch = wanted.clone();
    let mut answer = task::spawn(async move { fetcher.fetch(&fetch).await });
    let reason = match time::timeout(bound, &mut answer).await {
        Err(_) => {
            answer.abort();
            format!("no answer within {} ms", wanted.timeout_ms)
        }
        Ok(Err(_)) => "the fetcher panicked".to_owned(),
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Ok(Ok(response))) if response.body.len() as u64 > u64::from(wanted.max_bytes) => {
            format!("the document has more than {} bytes", wanted.max_bytes)
        }
        Ok(Ok(Ok(response))) => {
            if response.status != 200 {
                log(wanted, &format!("the server answered {}", response.status));
            }
            return Outcome::Response(response);
        }
    };
    log(wanted, &reason);
    Outcome::Failed
}

/// Logs that a document cannot be fetched or used. The query of its URL is left
/// out, as it may contain a key.
pub(crate) fn log(fetch: &Fetch, reason: &str) {
    let (issuer, kind) = (&fetch.issuer, fetch.kind.as_str());
    let uri = fetch.uri.split('?').next().unwrap_or_default();
    tracing::warn!(%issuer, kind, uri, %reason, "a document is not available");
}

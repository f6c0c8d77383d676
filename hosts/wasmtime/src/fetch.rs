//! Who fetches documents, and the bounds that hold whoever it is.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::{task, time};

use crate::document::{Fetch, Outcome, Response};

/// Fetches documents: GET, redirects not followed, no credentials of any kind
/// sent. Time and size are bounded by [`Fetch::timeout_ms`] and
/// [`Fetch::max_bytes`]; a fetcher should stop reading at the second, as what
/// is larger is thrown away.
pub trait Fetcher: Send + Sync + 'static {
    /// Fetches one document.
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Fetching<'a>;
}

/// A fetch under way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Response, FetchError>> + Send + 'a>>;

/// Why there is no answer, in an operator's words.
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

/// Fetches within the bounds, and says why not in the log. A fetcher that
/// panics is one that had no answer.
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

/// A document that is not to be had, or not to be used. A query stays out of
/// the log: some put a key there.
pub(crate) fn log(fetch: &Fetch, reason: &str) {
    let (issuer, kind) = (&fetch.issuer, fetch.kind.as_str());
    let uri = fetch.uri.split('?').next().unwrap_or_default();
    tracing::warn!(%issuer, kind, uri, %reason, "a document is not available");
}

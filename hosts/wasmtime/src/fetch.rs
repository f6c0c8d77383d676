//! Who fetches documents, and the bounds that hold whoever it is.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use tokio::time;

use crate::{Fetch, Outcome, Response};

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

/// Fetches within the bounds, and says why not in the log.
pub(crate) async fn fetch(fetcher: &dyn Fetcher, fetch: &Fetch) -> Outcome {
    let bound = Duration::from_millis(fetch.timeout_ms.into());
    let reason = match time::timeout(bound, fetcher.fetch(fetch)).await {
        Err(_) => format!("no answer within {} ms", fetch.timeout_ms),
        Ok(Err(error)) => error.to_string(),
        Ok(Ok(response)) if response.body.len() as u64 > u64::from(fetch.max_bytes) => {
            format!("the document has more than {} bytes", fetch.max_bytes)
        }
        Ok(Ok(response)) => {
            if response.status != 200 {
                log(fetch, &format!("the server answered {}", response.status));
            }
            return Outcome::Response(response);
        }
    };
    log(fetch, &reason);
    Outcome::Failed
}

/// A document that is not to be had, or not to be used. A query stays out of
/// the log: some put a key there.
pub(crate) fn log(fetch: &Fetch, reason: &str) {
    let (issuer, kind) = (&fetch.issuer, fetch.kind.as_str());
    let uri = fetch.uri.split('?').next().unwrap_or_default();
    tracing::warn!(%issuer, kind, uri, %reason, "a document is not available");
}

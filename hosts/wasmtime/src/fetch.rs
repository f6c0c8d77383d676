//! Fetchers of documents and responses, and the bounds that hold for all of them.

use std::{
    fmt,
    future::{self, Future},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use tokio::{task, time};

use crate::{
    document::{Fetch, Outcome, Response},
    need::Outgoing,
    uri::without_query,
};

/// Fetches documents: GET with [`Fetch::headers`], redirects not followed, no other
/// credentials sent. Time and size are bounded by [`Fetch::timeout_ms`] and
/// [`Fetch::max_bytes`]; a fetcher should stop reading at the second, as a
/// larger body is discarded.
pub trait Fetcher: Send + Sync + 'static {
    /// Fetches one document.
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Fetching<'a>;

    /// Sends one request, which can contain a token and a secret: never log its
    /// headers or its body. The same bounds and rules are for its response.
    fn send<'a>(&'a self, request: &'a Outgoing) -> Fetching<'a> {
        let _ = request;
        let reason = "this fetcher only fetches documents";
        Box::pin(future::ready(Err(FetchError::new(reason))))
    }
}

/// A running fetch.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Response, FetchError>> + Send + 'a>>;

/// Why a document or a response is not there or cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The name of the server has no address.
    Dns,
    /// There was no connection, or it broke.
    Connection,
    /// The server's certificate, or TLS with it.
    Tls,
    /// It did not come in time.
    Timeout,
    /// Another status than 200.
    Status,
    /// A redirect, which is not followed.
    Redirect,
    /// The body is larger than it may be.
    TooLarge,
    /// It came, and the gate has refused it.
    Refused,
}

impl Reason {
    /// Stable name: `dns`, `connection`, `tls`, `timeout`, `status`, `redirect`,
    /// `too_large`, `refused`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
        }
    }

    /// Of a response that has another status than 200.
    fn of_status(status: u16) -> Self {
        match status {
            300..400 => Self::Redirect,
            _ => Self::Status,
        }
    }
}

/// Why there is no response, for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchError {
    reason: Reason,
    text: String,
}

impl FetchError {
    /// From a text: lower case, no full stop, nothing secret. In events the reason is
    /// [`Reason::Connection`].
    pub fn new(text: impl Into<String>) -> Self {
        Self::because(Reason::Connection, text)
    }

    /// The same with another reason for events.
    pub fn because(reason: Reason, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { reason, text }
    }

    /// What events say.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    pub(crate) fn too_large(max_bytes: u32) -> Self {
        let text = format!("the body has more than {max_bytes} bytes");
        Self::because(Reason::TooLarge, text)
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for FetchError {}

/// The outcome of a fetch, and why it supplies no document.
pub(crate) struct Fetched {
    pub(crate) outcome: Arc<Outcome>,
    pub(crate) failure: Option<Failure>,
}

/// Why a document did not come.
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    /// The status of the response, if there was one.
    pub(crate) status: Option<u16>,
}

/// Fetches within the bounds, and logs a failure.
pub(crate) async fn fetch(fetcher: Arc<dyn Fetcher>, wanted: &Fetch) -> Fetched {
    let (timeout_ms, max_bytes) = (wanted.timeout_ms, wanted.max_bytes);
    let fetch = wanted.clone();
    let fetching = async move { fetcher.fetch(&fetch).await };
    let fetched = within(fetching, timeout_ms, max_bytes).await;
    outcome(fetched, |reason| log(wanted, reason))
}

/// The same for a request.
pub(crate) async fn send(fetcher: Arc<dyn Fetcher>, wanted: &Outgoing) -> Arc<Outcome> {
    let (timeout_ms, max_bytes) = (wanted.timeout_ms, wanted.max_bytes);
    let request = wanted.clone();
    let sending = async move { fetcher.send(&request).await };
    let response = within(sending, timeout_ms, max_bytes).await;
    outcome(response, |reason| log_request(wanted, reason)).outcome
}

/// A panic of the fetcher is a failure.
async fn within(
    fetching: impl Future<Output = Result<Response, FetchError>> + Send + 'static,
    timeout_ms: u32,
    max_bytes: u32,
) -> Result<Response, FetchError> {
    let mut fetching = task::spawn(fetching);
    match time::timeout(Duration::from_millis(timeout_ms.into()), &mut fetching).await {
        Err(_) => {
            fetching.abort();
            let text = format!("no answer within {timeout_ms} ms");
            Err(FetchError::because(Reason::Timeout, text))
        }
        Ok(Err(_)) => Err(FetchError::new("the fetcher panicked")),
        Ok(Ok(Ok(response))) if response.body.len() as u64 > u64::from(max_bytes) => {
            Err(FetchError::too_large(max_bytes))
        }
        Ok(Ok(fetched)) => fetched,
    }
}

fn outcome(fetched: Result<Response, FetchError>, log: impl FnOnce(&str)) -> Fetched {
    let (outcome, failure) = match fetched {
        Ok(response) => {
            let status = response.status;
            let failure = (status != 200).then(|| {
                log(&format!("the server answered {status}"));
                Failure {
                    reason: Reason::of_status(status),
                    status: Some(status),
                }
            });
            (Outcome::Response(response), failure)
        }
        Err(error) => {
            log(&error.to_string());
            let reason = error.reason;
            let failure = Failure {
                reason,
                status: None,
            };
            (Outcome::Failed, Some(failure))
        }
    };
    Fetched {
        outcome: Arc::new(outcome),
        failure,
    }
}

/// Logs that a document cannot be fetched or used.
pub(crate) fn log(fetch: &Fetch, reason: &str) {
    let (issuer, kind) = (&fetch.issuer, fetch.kind.as_str());
    let uri = without_query(&fetch.uri);
    tracing::warn!(%issuer, kind, uri, %reason, "a document is not available");
}

/// Logs that a response did not come or cannot be used.
pub(crate) fn log_request(request: &Outgoing, reason: &str) {
    let (issuer, uri) = (&request.issuer, without_query(&request.uri));
    tracing::warn!(%issuer, uri, %reason, "a response is not available");
}

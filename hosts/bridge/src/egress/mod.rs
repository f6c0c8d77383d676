//! The HTTP client for addresses that somebody else gave. Such an address is hostile: it
//! may name this machine, the network around it, or a server that never ends its answer.
//!
//! `https` only; the addresses of a name are checked after DNS at each connection; no
//! redirect is followed; no proxy of the environment is used; no connection is kept; time
//! and bytes are bounded.

mod addresses;
mod connect;
#[cfg(test)]
mod tests;

use std::{error::Error, fmt, io, sync::Arc, time::Duration};

use bytes::Bytes;
use countersign_host::{Fetch, FetchError, Fetcher, Fetching, Outgoing, Reason};
use http::{HeaderName, HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::time;

use crate::config::ConfigError;

use connect::{Connector, OutOfReach, SystemResolver};
pub(crate) use connect::{Reach, Resolve};

/// What one exchange may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// From the lookup of the name to the last byte.
    pub(crate) time: Duration,
    /// The body of the answer.
    pub(crate) bytes: usize,
}

impl Bounds {
    /// Of a document and of an answer of a token endpoint.
    pub(crate) const USUAL: Self = Self {
        time: Duration::from_secs(10),
        bytes: 256 << 10,
    };
}

/// The client. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Egress {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
    connector: Connector,
}

impl Egress {
    /// A client that asks the resolver of the system.
    ///
    /// # Errors
    /// The certificates that the system trusts cannot be read.
    pub(crate) fn open(reach: Reach) -> Result<Self, ConfigError> {
        Self::with(reach, Arc::new(SystemResolver))
    }

    /// A client with another resolver.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn with(reach: Reach, resolver: Arc<dyn Resolve>) -> Result<Self, ConfigError> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let connector = Connector { reach, resolver };
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(provider)
            .map_err(|error| {
                let name = "the certificates of the system";
                ConfigError::of_file(name, "file_unreadable", error.to_string())
            })?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector.clone());
        Ok(Self {
            client: Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build(https),
            connector,
        })
    }

    /// Sends one request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// There is none within the bounds, or the address may not be asked. The text has no
    /// part of the request or of the answer.
    pub(crate) async fn send(
        &self,
        request: Request<Vec<u8>>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, FetchError> {
        let late = |_| FetchError::because(Reason::Timeout, "it did not come in time");
        let exchanged = time::timeout(bounds.time, self.exchange(request, bounds.bytes));
        exchanged.await.map_err(late)?
    }

    /// [`Self::send`] of a GET for JSON; another status than 200 is an error.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn get(&self, uri: &str, bounds: Bounds) -> Result<Vec<u8>, FetchError> {
        let request = Request::get(uri).header(header::ACCEPT, "application/json");
        let request = request.body(Vec::new()).map_err(|_| unusable())?;
        let response = self.send(request, bounds).await?;
        match response.status().as_u16() {
            200 => Ok(response.into_body()),
            300..400 => {
                let text = "it redirects, which is not followed";
                Err(FetchError::because(Reason::Redirect, text))
            }
            status => {
                let text = format!("it answered with the status {status}");
                Err(FetchError::because(Reason::Status, text))
            }
        }
    }

    /// Whether this address may be connected to as the DNS has it now. It is checked again
    /// at each connection: this only says so early, to whoever gave the address.
    ///
    /// # Errors
    /// It may not, or it has no address.
    pub(crate) async fn require_reach(&self, uri: &str, bounds: Bounds) -> Result<(), FetchError> {
        let uri: Uri = uri.parse().map_err(|_| unusable())?;
        let late = |_| FetchError::because(Reason::Timeout, "it did not come in time");
        let looked_up = time::timeout(bounds.time, self.connector.addresses(&uri)).await;
        let found = looked_up.map_err(late)?;
        found.map(drop).map_err(|error| failed(&error))
    }

    async fn exchange(
        &self,
        request: Request<Vec<u8>>,
        most: usize,
    ) -> Result<Response<Vec<u8>>, FetchError> {
        match request.uri().scheme_str() {
            Some("https") => {}
            Some("http") if self.connector.reach.may_be_plain() => {}
            _ => return Err(FetchError::new("the address is not `https`")),
        }
        let mut request = request.map(|body| Full::new(Bytes::from(body)));
        let headers = request.headers_mut();
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        let agent = concat!("countersign/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        let response = self.client.request(request).await;
        let (parts, body) = response.map_err(|error| failed(&error))?.into_parts();
        let body = Limited::new(body, most).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => FetchError::because(Reason::TooLarge, "the answer is too large"),
            false => failed(&*error),
        })?;
        Ok(Response::from_parts(parts, body.to_bytes().into()))
    }

    async fn document(
        &self,
        request: http::request::Builder,
        headers: &[(String, String)],
        body: &[u8],
        bounds: Bounds,
    ) -> Result<countersign_host::Response, FetchError> {
        let mut request = request.body(body.to_vec()).map_err(|_| unusable())?;
        for (name, value) in headers {
            let name = HeaderName::try_from(name).map_err(|_| unusable())?;
            let mut value = HeaderValue::try_from(value).map_err(|_| unusable())?;
            value.set_sensitive(true);
            request.headers_mut().append(name, value);
        }
        let response = self.send(request, bounds).await?;
        let fields = response.headers().get_all(header::CACHE_CONTROL).iter();
        let fields: Vec<_> = fields.filter_map(|field| field.to_str().ok()).collect();
        Ok(countersign_host::Response {
            status: response.status().as_u16(),
            cache_control: fields.join(", "),
            body: response.into_body(),
        })
    }
}

impl Fetcher for Egress {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Fetching<'a> {
        let request = Request::get(&fetch.uri).header(header::ACCEPT, "application/json");
        let bounds = bounds(fetch.timeout_ms, fetch.max_bytes);
        Box::pin(self.document(request, &fetch.headers, &[], bounds))
    }

    fn send<'a>(&'a self, asked: &'a Outgoing) -> Fetching<'a> {
        let request = Request::builder().method(&*asked.method).uri(&asked.uri);
        let bounds = bounds(asked.timeout_ms, asked.max_bytes);
        Box::pin(self.document(request, &asked.headers, &asked.body, bounds))
    }
}

fn bounds(timeout_ms: u32, max_bytes: u32) -> Bounds {
    Bounds {
        time: Duration::from_millis(timeout_ms.into()),
        bytes: usize::try_from(max_bytes).unwrap_or(usize::MAX),
    }
}

fn unusable() -> FetchError {
    FetchError::new("the request is unusable")
}

/// Why, without a name or an address: the texts of causes can have them.
fn failed(error: &(dyn Error + 'static)) -> FetchError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return FetchError::because(Reason::Tls, "TLS failed");
        }
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match inner {
            Some(inner) if inner.is::<OutOfReach>() => {
                return FetchError::new(OutOfReach.to_string());
            }
            Some(inner) if inner.is::<rustls::Error>() => {
                return FetchError::because(Reason::Tls, "TLS failed");
            }
            _ => cause = error.source(),
        }
    }
    FetchError::new("there was no connection, or it broke")
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress")
            .field("reach", &self.connector.reach)
            .finish()
    }
}

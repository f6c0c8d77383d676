//! The client that fetches documents and sends requests unless the builder has
//! another.

use std::{error::Error, io, sync::OnceLock};

use http::{
    HeaderMap, HeaderName, HeaderValue, Request, StatusCode,
    header::{
        ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, USER_AGENT,
    },
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::{
    document::{Fetch, Response},
    fetch::{FetchError, Fetcher, Fetching, Reason},
    need::Outgoing,
};

type HttpsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// HTTP/1.1 over TLS 1.2 or 1.3, trusting what the operating system trusts.
/// Plain http only where the URL of a document has it. It follows no redirect,
/// sends no credential but those of the policy, keeps no connection and reads no proxy settings.
#[derive(Default)]
pub struct HttpsFetcher {
    /// Made on first use: inline keys need no trust store.
    client: OnceLock<Result<HttpsClient, FetchError>>,
}

impl Fetcher for HttpsFetcher {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Fetching<'a> {
        Box::pin(async move {
            let accept = "application/json, application/jwk-set+json, */*;q=0.1";
            let mut request = request("GET", &fetch.uri, Vec::new())?;
            let accept = HeaderValue::from_static(accept);
            request.headers_mut().insert(ACCEPT, accept);
            add_headers(&mut request, &fetch.headers)?;
            self.response(request, fetch.max_bytes).await
        })
    }

    fn send<'a>(&'a self, asked: &'a Outgoing) -> Fetching<'a> {
        Box::pin(async move {
            let mut request = request(&asked.method, &asked.uri, asked.body.clone())?;
            add_headers(&mut request, &asked.headers)?;
            self.response(request, asked.max_bytes).await
        })
    }
}

impl HttpsFetcher {
    async fn response(
        &self,
        request: Request<Full<Bytes>>,
        max_bytes: u32,
    ) -> Result<Response, FetchError> {
        let client = self.client.get_or_init(client);
        one_response(client.as_ref().map_err(Clone::clone)?, request, max_bytes).await
    }
}

fn add_headers(
    request: &mut Request<Full<Bytes>>,
    headers: &[(String, String)],
) -> Result<(), FetchError> {
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(|error| unusable(&error))?;
        let mut value = HeaderValue::try_from(value).map_err(|error| unusable(&error))?;
        value.set_sensitive(true);
        request.headers_mut().append(name, value);
    }
    Ok(())
}

fn request(method: &str, uri: &str, body: Vec<u8>) -> Result<Request<Full<Bytes>>, FetchError> {
    Request::builder()
        .method(method)
        .uri(uri)
        .header(ACCEPT_ENCODING, "identity")
        .header(
            USER_AGENT,
            concat!("countersign/", env!("CARGO_PKG_VERSION")),
        )
        .body(Full::from(body))
        .map_err(|error| unusable(&error))
}

/// The errors of `http` contain no part of the request.
fn unusable(error: &dyn Error) -> FetchError {
    FetchError::new(format!("the request is unusable: {error}"))
}

/// The answer to a conditional request (RFC 9110 §13.1.2).
pub(crate) enum Changed {
    Yes { body: Vec<u8>, etag: Option<String> },
    No,
    Status(u16),
}

/// Fetches a text, unless it is still the one with this `ETag`.
pub(crate) async fn fetch_if_changed(
    uri: &str,
    etag: Option<&str>,
    max_bytes: u32,
) -> Result<Changed, FetchError> {
    static CLIENT: OnceLock<Result<HttpsClient, FetchError>> = OnceLock::new();
    let client = CLIENT.get_or_init(client);
    let mut request = request("GET", uri, Vec::new())?;
    if let Some(etag) = etag {
        let etag = HeaderValue::try_from(etag).map_err(|error| unusable(&error))?;
        request.headers_mut().insert(IF_NONE_MATCH, etag);
    }
    let client = client.as_ref().map_err(Clone::clone)?;
    let (headers, response) = answer(client, request, max_bytes).await?;
    let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok());
    Ok(match response.status {
        200 => Changed::Yes {
            body: response.body,
            etag: etag.map(str::to_owned),
        },
        304 => Changed::No,
        status => Changed::Status(status),
    })
}

async fn one_response(
    client: &HttpsClient,
    request: Request<Full<Bytes>>,
    max_bytes: u32,
) -> Result<Response, FetchError> {
    let (_, response) = answer(client, request, max_bytes).await?;
    Ok(response)
}

async fn answer(
    client: &HttpsClient,
    request: Request<Full<Bytes>>,
    max_bytes: u32,
) -> Result<(HeaderMap, Response), FetchError> {
    let response = client
        .request(request)
        .await
        .map_err(|error| chain(&error))?;

    let (parts, body) = response.into_parts();
    let mut answer = Response {
        status: parts.status.as_u16(),
        cache_control: cache_control(&parts.headers),
        body: Vec::new(),
    };
    if parts.status != StatusCode::OK {
        return Ok((parts.headers, answer));
    }
    if parts
        .headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity")
    {
        return Err(FetchError::new("the server compressed the body, unasked"));
    }
    let bound = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let body = Limited::new(body, bound).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            FetchError::too_large(max_bytes)
        } else {
            chain(&*error)
        }
    })?;
    answer.body = body.to_bytes().into();
    Ok((parts.headers, answer))
}

fn client() -> Result<HttpsClient, FetchError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_platform_verifier(provider)
        .map_err(|error| chain(&error))?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(connector))
}

/// Repeated fields are one list (RFC 9110 §5.3).
fn cache_control(headers: &HeaderMap) -> String {
    let values = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(", ")
}

/// An error with its causes: the first one alone says "client error (Connect)".
fn chain(error: &(dyn Error + 'static)) -> FetchError {
    let mut text = error.to_string();
    let mut reason = reason(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        reason = reason.or_else(|| self::reason(error));
        cause = error.source();
    }
    FetchError::because(reason.unwrap_or(Reason::Connection), text)
}

/// What one error of a chain says about its reason. The resolver's error has no
/// public type, only a text.
fn reason(error: &(dyn Error + 'static)) -> Option<Reason> {
    if error.is::<rustls::Error>() {
        return Some(Reason::Tls);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // `source` of an I/O error leaves out what it wraps.
        return error.get_ref().and_then(|inner| reason(inner));
    }
    (error.to_string() == "dns error").then_some(Reason::Dns)
}

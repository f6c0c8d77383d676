//! The client that fetches documents unless the builder has another.

use std::{error::Error, sync::OnceLock};

use http::{
    HeaderMap, Request, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::{
    document::{Fetch, Response},
    fetch::{FetchError, Fetcher, Fetching},
};

type HttpsClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// HTTP/1.1 over TLS 1.2 or 1.3, trusting what the operating system trusts.
/// Plain http only where the URL of a document has it. It follows no redirect,
/// sends no credential, keeps no connection and reads no proxy settings.
#[derive(Default)]
pub struct HttpsFetcher {
    /// Made on first use: inline keys need no trust store.
    client: OnceLock<Result<HttpsClient, FetchError>>,
}

impl Fetcher for HttpsFetcher {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Fetching<'a> {
        Box::pin(async move {
            let client = self
                .client
                .get_or_init(client)
                .as_ref()
                .map_err(Clone::clone)?;
            one_response(client, fetch).await
        })
    }
}

async fn one_response(client: &HttpsClient, fetch: &Fetch) -> Result<Response, FetchError> {
    let request = Request::get(&fetch.uri)
        .header(
            ACCEPT,
            "application/json, application/jwk-set+json, */*;q=0.1",
        )
        .header(ACCEPT_ENCODING, "identity")
        .header(
            USER_AGENT,
            concat!("countersign/", env!("CARGO_PKG_VERSION")),
        )
        .body(Empty::new())
        .map_err(|error| FetchError::new(format!("the address is unusable: {error}")))?;
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
        return Ok(answer);
    }
    if parts
        .headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity")
    {
        return Err(FetchError::new(
            "the server compressed the document, unasked",
        ));
    }
    let bound = usize::try_from(fetch.max_bytes).unwrap_or(usize::MAX);
    let body = Limited::new(body, bound).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            FetchError::too_large(fetch)
        } else {
            chain(&*error)
        }
    })?;
    answer.body = body.to_bytes().into();
    Ok(answer)
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
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    FetchError::new(text)
}

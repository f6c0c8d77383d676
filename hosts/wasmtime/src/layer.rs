//! The gate as a tower layer: denials and answers of the gate are sent from here,
//! granted requests pass with a [`Grant`] in their extensions.

use std::{
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
    header::{
        ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, ORIGIN,
        RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE,
    },
    request::Parts,
};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    body::GatedBody,
    decision::{Answered, Decision, Denial, Grant},
    gate::Gate,
    headers::{NotAHeader, apply},
    request::Head,
};

/// The names of those that are removed; none for all.
type Removed = Option<Arc<[String]>>;

/// Puts a [`Gate`] in front of a service.
///
/// An answer of the gate itself is sent as it is. A denial is answered with its status, `WWW-Authenticate`, `Retry-After`
/// and a body `{"code": …, "message": …}`; where an upgrade was asked for, the
/// connection is closed too. A granted request goes on with the grant's headers
/// and trailers removed and set, and the [`Grant`] in its extensions; its
/// method stays what it was.
///
/// **Its position.** In axum, put it on the outermost router, after every
/// route and after the fallback: `Router::layer` wraps only what is there. In a
/// nested router it checks the whole target, prefix included; where something
/// else has rewritten the target, it denies the request. Nothing that rewrites
/// targets may be between the gate and the router.
///
/// **CORS.** Add a CORS layer after the gate, so that it is outside: then it
/// answers preflights, and denials have its headers. If it has to be inside the
/// gate, see [`Self::bypass_cors_preflight`].
#[derive(Clone, Debug)]
pub struct GateLayer {
    gate: Gate,
    bypass_cors_preflight: bool,
    observe: bool,
}

/// In the extensions of a request that has passed a layer which only observes
/// ([`GateLayer::observe`]): what would have been decided, if that waited for nothing.
/// It grants nothing.
#[derive(Clone, Debug)]
pub struct Observed(pub Decision);

impl GateLayer {
    /// A layer that checks requests with this gate.
    pub fn new(gate: Gate) -> Self {
        Self {
            gate,
            bypass_cors_preflight: false,
            observe: false,
        }
    }

    /// Whether the layer only watches, for a migration beside other checks (default:
    /// `false`). **Then it protects nothing**: every request passes exactly as it
    /// came, with no [`Grant`] in its extensions, and no proof is used up. Events say
    /// [`Mode::Observed`](crate::Mode).
    ///
    /// No request waits for the documents or responses that a decision needs: it
    /// passes at once, and the decision and its event follow when they have come. A
    /// decision that waits for nothing is in the extensions ([`Observed`]).
    #[must_use]
    pub fn observe(mut self, observe: bool) -> Self {
        self.gate = match observe {
            true => self.gate.observer(),
            false => self.gate.enforcer(),
        };
        self.observe = observe;
        self
    }

    /// Lets CORS preflights (Fetch §3.2.2: `OPTIONS` with `origin` and
    /// `access-control-request-method`) pass unchecked and without identity: with `host`,
    /// `origin` and `access-control-request-*`, and no other header. Default:
    /// `false`.
    #[must_use]
    pub fn bypass_cors_preflight(mut self, bypass: bool) -> Self {
        self.bypass_cors_preflight = bypass;
        self
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = GateService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GateService {
            layer: self.clone(),
            inner,
        }
    }
}

/// A service with a [`Gate`] in front: made by [`GateLayer`].
#[derive(Clone, Debug)]
pub struct GateService<S> {
    layer: GateLayer,
    inner: S,
}

impl<S, Body, ResponseBody> Service<Request<Body>> for GateService<S>
where
    S: Service<Request<GatedBody<Body>>, Response = Response<ResponseBody>>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    Body: Send + 'static,
    ResponseBody: From<Bytes>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that is ready goes with this request.
        let ready = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, ready);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            if layer.observe {
                if let Some(observed) = layer.observed(&parts).await {
                    parts.extensions.insert(observed);
                }
                let body = GatedBody::new(body, Some(Arc::default()));
                return inner.call(Request::from_parts(parts, body)).await;
            }
            let (grant, removed) = match layer.admit(&mut parts).await {
                Ok(admitted) => admitted,
                Err(refused) => return Ok(response(refused, &parts)),
            };
            let body = GatedBody::new(body, removed);
            parts.extensions.insert(grant);
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}

/// Why a request does not pass.
enum Refused {
    Denied(Box<Denial>),
    Answered(Answered),
}

impl From<Denial> for Refused {
    fn from(denial: Denial) -> Self {
        Self::Denied(Box::new(denial))
    }
}

impl GateLayer {
    /// Changes the request to what a handler may see, or refuses it. The second
    /// part of the result are the trailers to remove.
    async fn admit(&self, parts: &mut Parts) -> Result<(Grant, Removed), Refused> {
        if self.bypass_cors_preflight && is_preflight(parts) {
            parts.headers = preflight_headers(&parts.headers);
            return Ok((Grant::of_principal(None), None));
        }
        match self.decision(parts, None).await {
            Decision::Deny(denial) => Err(denial.into()),
            Decision::Answer(answered) => Err(Refused::Answered(answered)),
            Decision::Allow(grant) => match apply(&grant, parts) {
                Ok(()) => {
                    let removed = grant.remove_headers.clone();
                    Ok((grant, Some(removed)))
                }
                Err(NotAHeader) => Err(Denial::internal_error().into()),
            },
        }
    }

    /// Decides about the target that the first router saw.
    async fn decision(&self, parts: &Parts, waits: Option<&AtomicBool>) -> Decision {
        let (method, headers) = (&parts.method, &parts.headers);
        let extensions = &parts.extensions;
        let Some(uri) = whole_target(parts) else {
            return self.gate.deny(Denial::ambiguous(), extensions);
        };
        let head = Head {
            method,
            uri: &uri,
            headers,
            extensions,
        };
        self.gate.check_head_with(head, waits).await
    }

    /// The decision, if it is there without a wait. Otherwise it follows in the
    /// background.
    async fn observed(&self, parts: &Parts) -> Option<Observed> {
        if self.bypass_cors_preflight && is_preflight(parts) {
            return None;
        }
        let waits = Arc::new(AtomicBool::new(false));
        let (layer, parts, will_wait) = (self.clone(), parts.clone(), waits.clone());
        let mut deciding = Box::pin(async move { layer.decision(&parts, Some(&*will_wait)).await });
        let decided = poll_fn(|cx| match deciding.as_mut().poll(cx) {
            Poll::Ready(decision) => Poll::Ready(Some(Observed(decision))),
            Poll::Pending if waits.load(Ordering::Relaxed) => Poll::Ready(None),
            // All instances are busy.
            Poll::Pending => Poll::Pending,
        });
        let decided = decided.await;
        if decided.is_none() {
            tokio::spawn(deciding);
        }
        decided
    }
}

/// `None` if something has rewritten it.
#[cfg(feature = "axum")]
fn whole_target(parts: &Parts) -> Option<Uri> {
    crate::nested::whole_target(parts).ok()
}

#[cfg(not(feature = "axum"))]
fn whole_target(parts: &Parts) -> Option<Uri> {
    Some(parts.uri.clone())
}

fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The headers of a preflight: any other might be one by which the service
/// identifies its callers.
fn preflight_headers(headers: &HeaderMap) -> HeaderMap {
    let is_kept = |name: &HeaderName| {
        [HOST, ORIGIN].contains(name) || name.as_str().starts_with("access-control-request-")
    };
    let kept = headers.iter().filter(|(name, _)| is_kept(name));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The response to a request that does not pass.
fn response<Body: From<Bytes>>(refused: Refused, request: &Parts) -> Response<Body> {
    let mut response = match refused {
        Refused::Denied(denial) => denied(&denial),
        Refused::Answered(answered) => answer(answered),
    };
    // What comes next on it may be meant for the protocol that was asked for.
    if request.version <= Version::HTTP_11 && request.headers.contains_key(UPGRADE) {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}

/// The gate's own response. HTTP libraries send no body to a `HEAD`.
fn answer<Body: From<Bytes>>(answered: Answered) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(answered.body)));
    *response.status_mut() =
        StatusCode::from_u16(answered.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    for (name, value) in answered.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The response to a denied request.
fn denied<Body: From<Bytes>>(denial: &Denial) -> Response<Body> {
    let text = serde_json::json!({ "code": denial.code, "message": denial.message }).to_string();
    let mut response = Response::new(Body::from(Bytes::from(text)));
    *response.status_mut() =
        StatusCode::from_u16(denial.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let challenge = denial.challenge.as_deref().map(HeaderValue::from_str);
    if let Some(Ok(challenge)) = challenge {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    let nonce = denial.nonce.as_deref().map(HeaderValue::from_str);
    if let Some(Ok(nonce)) = nonce {
        headers.insert(HeaderName::from_static("dpop-nonce"), nonce);
    }
    if let Some(seconds) = denial.retry_after_s {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    response
}

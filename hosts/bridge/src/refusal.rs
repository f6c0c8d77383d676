//! What a bad request gets: a code of the RFCs and a fixed text. No input is repeated.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// Why a request is not answered as it asks. The text is fixed, and about the rule that
/// was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) description: &'static str,
}

/// A refusal with a status of its own, where there is no endpoint of OAuth, which has 400
/// for what is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) StatusCode, pub(crate) Refusal);

/// Error codes, each with the RFC that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "some are those of rooms that are being built")]
pub(crate) enum Code {
    // RFC 6749 §5.2 and §4.1.2.1
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    AccessDenied,
    ServerError,
    TemporarilyUnavailable,
    // RFC 8628 §3.5
    AuthorizationPending,
    SlowDown,
    ExpiredToken,
    // RFC 8707 §2
    InvalidTarget,
    // RFC 6750 §3.1
    InvalidToken,
    InsufficientScope,
    // RFC 9449 §5
    InvalidDpopProof,
}

impl Code {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidDpopProof => "invalid_dpop_proof",
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl Refusal {
    pub(crate) const fn new(code: Code, description: &'static str) -> Self {
        Self { code, description }
    }

    /// Something that is needed does not answer: never a guess, and never the fault of
    /// the request.
    pub(crate) const fn unavailable() -> Self {
        let description = "the service cannot answer now";
        Self::new(Code::TemporarilyUnavailable, description)
    }

    /// Whether it says nothing about the request.
    pub(crate) fn is_unavailable(self) -> bool {
        self.code == Code::TemporarilyUnavailable
    }

    /// One text for every reason: which of them it was helps only somebody who guesses.
    pub(crate) const fn client() -> Self {
        let description = "the client is not known, or has not authenticated";
        Self::new(Code::InvalidClient, description)
    }

    pub(crate) const fn request(description: &'static str) -> Self {
        Self::new(Code::InvalidRequest, description)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { code, description } = self;
        let body = json!({ "error": code.as_str(), "error_description": description });
        let mut response = (code.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        // RFC 6749 §5.2 asks for both of a response of the token endpoint.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        let challenge = match code {
            Code::InvalidClient => Some("Basic realm=\"countersign\""),
            Code::InvalidToken => Some("Bearer realm=\"countersign\", error=\"invalid_token\""),
            _ => None,
        };
        if let Some(challenge) = challenge {
            let challenge = HeaderValue::from_static(challenge);
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if code == Code::TemporarilyUnavailable {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        // For the metrics.
        response.extensions_mut().insert(code);
        response
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            Code::AccessDenied => StatusCode::FORBIDDEN,
            code => code.status(),
        };
        Self(status, refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, refusal) = self;
        let mut response = refusal.into_response();
        *response.status_mut() = status;
        response
    }
}

//! The reply to a `CheckRequest`.

use countersign_host::{Answered, Decision, Denial, Grant};
use envoy_types::pb::{
    envoy::{
        config::core::v3::{
            HeaderValue, HeaderValueOption, header_value_option::HeaderAppendAction,
        },
        service::auth::v3::{
            CheckResponse, DeniedHttpResponse, OkHttpResponse, check_response::HttpResponse,
        },
        r#type::v3::HttpStatus,
    },
    google::{
        protobuf::Struct,
        rpc::{Code, Status},
    },
};

use crate::dialect::{
    Asked,
    effects::Effects,
    reply::{self, CODE},
};

/// Says the decision about a request, which is `None` if it could not be read.
pub(crate) fn reply(
    asked: Option<&Asked<'_>>,
    decision: &Decision,
    metadata: Option<Struct>,
) -> CheckResponse {
    let http = match decision {
        Decision::Allow(grant) => match granted(asked, grant) {
            Some(ok) => Ok(ok),
            None => Err(denied(asked, &reply::internal_error())),
        },
        Decision::Deny(denial) => Err(denied(asked, denial)),
        Decision::Answer(answer) => {
            Err(answered(answer).unwrap_or_else(|| denied(asked, &reply::internal_error())))
        }
    };
    let (code, http) = match http {
        Ok(ok) => (Code::Ok, HttpResponse::OkResponse(ok)),
        Err((code, denied)) => (code, HttpResponse::DeniedResponse(denied)),
    };
    CheckResponse {
        status: Some(Status {
            code: code.into(),
            ..Status::default()
        }),
        dynamic_metadata: metadata,
        http_response: Some(http),
    }
}

/// `None` if protobuf cannot carry it: its texts are UTF-8, and Envoy reads no bytes.
fn granted(asked: Option<&Asked<'_>>, grant: &Grant) -> Option<OkHttpResponse> {
    let sent = asked.into_iter().flat_map(|asked| &asked.headers);
    let effects = Effects::of(grant, sent.map(|(name, _)| *name));
    // Envoy takes a pseudo-header in this list, and not in that of removals. Its own
    // change of the query would sort the other parameters.
    let target = effects.target.map(|target| (":path", target));
    let set = effects.set.iter().map(|(name, value)| (&**name, *value));
    let headers = target
        .into_iter()
        .chain(set)
        .map(|(name, value)| Some(header(name, str::from_utf8(value).ok()?)));
    Some(OkHttpResponse {
        headers: headers.collect::<Option<_>>()?,
        headers_to_remove: effects.remove.into_iter().collect(),
        ..OkHttpResponse::default()
    })
}

fn denied(asked: Option<&Asked<'_>>, denial: &Denial) -> (Code, DeniedHttpResponse) {
    let is_grpc = asked.is_some_and(is_grpc);
    let mut headers = Vec::new();
    let mut add = |name: &str, value: Option<&str>| {
        headers.extend(value.map(|value| header(name, value)));
    };
    add("content-type", (!is_grpc).then_some("application/json"));
    add("cache-control", Some("no-store"));
    add(CODE.as_str(), Some(&denial.code));
    add("www-authenticate", denial.challenge.as_deref());
    add("dpop-nonce", denial.nonce.as_deref());
    let retry_after = denial.retry_after_s.map(|seconds| seconds.to_string());
    add("retry-after", retry_after.as_deref());
    let code = match denial.status {
        400 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        503 => Code::Unavailable,
        _ => Code::PermissionDenied,
    };
    let denied = DeniedHttpResponse {
        status: Some(status(denial.status)),
        headers,
        // Envoy makes it the `grpc-message` of a gRPC response.
        body: match is_grpc {
            true => denial.code.clone(),
            false => {
                serde_json::json!({ "code": denial.code, "message": denial.message }).to_string()
            }
        },
    };
    (code, denied)
}

/// Whether the client expects a gRPC response.
fn is_grpc(asked: &Asked<'_>) -> bool {
    let mut headers = asked.headers.iter();
    headers.any(|(name, value)| *name == b"content-type" && value.starts_with(b"application/grpc"))
}

/// The response of the gate itself. It is a denial to Envoy, whatever its status: no
/// upstream gets the request.
fn answered(answer: &Answered) -> Option<(Code, DeniedHttpResponse)> {
    let headers = answer.headers.iter();
    let denied = DeniedHttpResponse {
        status: Some(status(answer.status)),
        headers: headers.map(|(name, value)| header(name, value)).collect(),
        body: String::from_utf8(answer.body.clone()).ok()?,
    };
    Some((Code::PermissionDenied, denied))
}

fn status(status: u16) -> HttpStatus {
    HttpStatus {
        code: status.into(),
    }
}

/// A header that replaces all fields of its name.
fn header(name: &str, value: &str) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue {
            key: name.to_owned(),
            value: value.to_owned(),
            ..HeaderValue::default()
        }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        ..HeaderValueOption::default()
    }
}

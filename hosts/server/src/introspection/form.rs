//! The request: a form with the token, and who asks (RFC 7662 §2.1, RFC 6749 §2.3.1).

use std::{borrow::Cow, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Limited};
use percent_encoding::percent_decode;

use super::clients::{Hash, Presented};

/// A token of the largest size with each byte encoded, and the rest.
const MAX_BYTES: usize = 64 * 1024;

/// A form has a token, a hint and a client. Others are ignored, within bounds.
const MAX_FIELDS: usize = 16;

const MAX_TIME: Duration = Duration::from_secs(10);

/// A question about a token.
pub(super) struct Question {
    pub(super) token: String,
    /// The caller's name and what it presents, if there is anything.
    pub(super) client: Option<(String, Presented)>,
}

/// A request that is no question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) status: StatusCode,
    pub(super) why: &'static str,
}

const fn bad(why: &'static str) -> Bad {
    Bad {
        status: StatusCode::BAD_REQUEST,
        why,
    }
}

/// Reads it. `certificate` is that of the connection.
pub(super) async fn read<B>(request: Request<B>, certificate: Option<Hash>) -> Result<Question, Bad>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    head(&parts)?;
    let basic = basic(&parts.headers)?;
    let body = tokio::time::timeout(MAX_TIME, Limited::new(body, MAX_BYTES).collect());
    let body = match body.await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Bad {
                status,
                why: "the form is too large",
            });
        }
        Ok(Err(_)) | Err(_) => return Err(bad("the form did not arrive")),
    };
    let fields = Fields::read(&body)?;
    Ok(Question {
        token: fields.token.ok_or(bad("`token` is missing"))?,
        client: client(basic, fields.client_id, fields.client_secret, certificate)?,
    })
}

/// What must be true before the body is read.
fn head(parts: &Parts) -> Result<(), Bad> {
    if parts.method != Method::POST {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        return Err(Bad {
            status,
            why: "only POST is answered",
        });
    }
    if parts.uri.query().is_some() {
        // Targets are logged on their way.
        return Err(bad("there must be no query: everything is in the form"));
    }
    if parts.headers.contains_key(header::CONTENT_ENCODING) {
        return Err(bad("an encoded body is not read"));
    }
    let form = one(&parts.headers, &header::CONTENT_TYPE)?.is_some_and(|value| {
        let end = value.iter().position(|byte| *byte == b';');
        let essence = &value[..end.unwrap_or(value.len())];
        essence
            .trim_ascii()
            .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    });
    match form {
        true => Ok(()),
        false => Err(bad("the body must be application/x-www-form-urlencoded")),
    }
}

/// The one field of this name.
fn one<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Result<Option<&'h [u8]>, Bad> {
    let mut fields = headers.get_all(name).iter();
    match (fields.next(), fields.next()) {
        (field, None) => Ok(field.map(|value| value.as_bytes())),
        (_, Some(_)) => Err(bad("a header comes twice")),
    }
}

struct Basic {
    name: String,
    secret: Vec<u8>,
}

/// The credentials of `Authorization: Basic`. Another scheme, or what cannot be read,
/// authenticates nobody.
fn basic(headers: &HeaderMap) -> Result<Option<Basic>, Bad> {
    let Some(value) = one(headers, &header::AUTHORIZATION)? else {
        return Ok(None);
    };
    let read = || {
        let (scheme, credentials) = value.split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"Basic ") {
            return None;
        }
        let decoded = BASE64_STANDARD.decode(credentials.trim_ascii()).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let name = percent_decode(&decoded[..colon]).decode_utf8().ok()?;
        Some(Basic {
            name: name.into_owned(),
            secret: Cow::from(percent_decode(&decoded[colon + 1..])).into_owned(),
        })
    };
    // Somebody who tried is not the same as nobody: it must not fall back to a certificate.
    let nobody = || Basic {
        name: String::new(),
        secret: Vec::new(),
    };
    Ok(Some(read().unwrap_or_else(nobody)))
}

#[derive(Default)]
struct Fields {
    token: Option<String>,
    hint: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

impl Fields {
    fn read(body: &[u8]) -> Result<Self, Bad> {
        let mut fields = Self::default();
        let mut others: Vec<Cow<'_, str>> = Vec::new();
        for (count, (name, value)) in form_urlencoded::parse(body).enumerate() {
            if count == MAX_FIELDS {
                return Err(bad("the form has too many fields"));
            }
            let place = match &*name {
                "token" => &mut fields.token,
                "token_type_hint" => &mut fields.hint,
                "client_id" => &mut fields.client_id,
                "client_secret" => &mut fields.client_secret,
                _ if others.contains(&name) => return Err(TWICE),
                _ => {
                    others.push(name);
                    continue;
                }
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(TWICE);
            }
        }
        Ok(fields)
    }
}

const TWICE: Bad = bad("a field comes twice");

/// Who asks: one way to authenticate, and no second one (RFC 6749 §2.3).
fn client(
    basic: Option<Basic>,
    id: Option<String>,
    secret: Option<String>,
    certificate: Option<Hash>,
) -> Result<Option<(String, Presented)>, Bad> {
    match (basic, id, secret) {
        (Some(_), _, Some(_)) => Err(bad("two ways to authenticate")),
        (Some(basic), Some(id), None) if basic.name != id => Err(bad("two names of a client")),
        (Some(basic), _, None) => Ok(Some((basic.name, Presented::secret(&basic.secret)))),
        (None, Some(id), Some(secret)) => Ok(Some((id, Presented::secret(secret.as_bytes())))),
        (None, Some(id), None) => Ok(certificate.map(|hash| (id, Presented::Certificate(hash)))),
        (None, None, Some(_)) => Err(bad("`client_secret` without `client_id`")),
        (None, None, None) => Ok(None),
    }
}

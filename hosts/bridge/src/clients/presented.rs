//! What a client shows to say who it is (RFC 6749 §2.3, RFC 7521 §4.2).

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};

use crate::{form::Form, refusal::Refusal};

/// `client_assertion_type` of RFC 7523 §2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client shows.
pub(super) enum Presented {
    /// An id alone.
    Nothing(String),
    /// An id and a secret.
    Secret(String, String),
    /// An assertion, and perhaps an id.
    Assertion(Option<String>, String),
}

impl Presented {
    pub(super) fn of(headers: &HeaderMap, form: &Form) -> Result<Self, Refusal> {
        let id = form.get("client_id").map(str::to_owned);
        let secret = form.get("client_secret");
        let assertion = form.get("client_assertion");
        let mut fields = headers.get_all(header::AUTHORIZATION).iter();
        let basic = match (fields.next(), fields.next()) {
            (None, _) => None,
            (Some(field), None) => Some(basic(field.as_bytes()).ok_or(Refusal::client())?),
            (Some(_), Some(_)) => return Err(Refusal::request("there are two `authorization`")),
        };
        let means = [basic.is_some(), secret.is_some(), assertion.is_some()];
        if means.into_iter().filter(|is_there| *is_there).count() > 1 {
            return Err(Refusal::request(
                "a client authenticates by one means in a request",
            ));
        }
        if let Some((name, secret)) = basic {
            return match id {
                Some(id) if id != name => Err(Refusal::client()),
                _ => Ok(Self::Secret(name, secret)),
            };
        }
        if let Some(assertion) = assertion {
            return match form.get("client_assertion_type") {
                Some(JWT_BEARER) => Ok(Self::Assertion(id, assertion.to_owned())),
                _ => Err(Refusal::request(
                    "this `client_assertion_type` is not known",
                )),
            };
        }
        let id = id.ok_or(Refusal::client())?;
        Ok(match secret {
            Some(secret) => Self::Secret(id, secret.to_owned()),
            None => Self::Nothing(id),
        })
    }
}

/// Ids and secrets have no character that form encoding changes, so that it does not
/// matter whether a client has encoded them.
fn basic(field: &[u8]) -> Option<(String, String)> {
    let (scheme, credentials) = field.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let credentials = BASE64_STANDARD.decode(credentials.trim_ascii()).ok()?;
    let credentials = String::from_utf8(credentials).ok()?;
    let (name, secret) = credentials.split_once(':')?;
    Some((name.to_owned(), secret.to_owned()))
}

//! What a request has in its body: forms, bounded and no parameter twice, and JSON.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use crate::refusal::Refusal;

/// Parameters of one request.
const PARAMETERS: usize = 64;

/// Those that may come several times (RFC 8693 §2.1, RFC 8707 §2).
const REPEATED: [&str; 2] = ["audience", "resource"];

/// A form. `{:?}` shows names only.
#[derive(Clone)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The value of a parameter. One without a value counts as not sent (RFC 6749 §3.2).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may come several times.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Reads a body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        // A byte that is no text would be replaced, and two values could become one.
        let decoded = |bytes: &[u8]| percent_encoding::percent_decode(bytes).collect::<Vec<_>>();
        if str::from_utf8(&decoded(body)).is_err() {
            return Err(Refusal::request("the form is not UTF-8"));
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if parameters.len() == PARAMETERS {
                return Err(Refusal::request("the form has too many parameters"));
            }
            let is_there = parameters.iter().any(|(known, _)| *known == name);
            if is_there && !REPEATED.contains(&&*name) {
                return Err(Refusal::request("a parameter comes twice"));
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        parameters.retain(|(_, value)| !value.is_empty());
        Ok(Self(parameters))
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::request(
                "expected a form: application/x-www-form-urlencoded",
            ));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|_| Refusal::request("the form is too large, or has no end"))?;
        Self::parse(&body)
    }
}

/// Reads JSON of a page of this site. `form` says what is expected.
pub(crate) fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
    form: &'static str,
) -> Result<T, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    // A form of another site cannot have this type.
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::request("expected application/json"));
    }
    serde_json::from_slice(body).map_err(|_| Refusal::request(form))
}

/// Whether it is a name for people: 1 to `most` bytes on one line.
pub(crate) fn is_line(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len())
        && !text.chars().any(char::is_control)
        && !text.trim().is_empty()
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn a_parameter_comes_once_and_without_a_value_not_at_all() {
        let form = Form::parse(b"scope=a+b%2Bc&client_id=&audience=x&audience=y").unwrap();
        assert_eq!(form.get("scope"), Some("a b+c"));
        assert_eq!(form.get("client_id"), None);
        assert_eq!(form.all("audience").collect::<Vec<_>>(), ["x", "y"]);
        for wrong in ["scope=a&scope=a", "scope=&scope=a", "a=%ff", "%63=1&c=2"] {
            assert!(Form::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let many = "a1=1&".to_owned() + &(0..70).map(|n| format!("b{n}=1&")).collect::<String>();
        assert!(Form::parse(many.as_bytes()).is_err());
    }
}

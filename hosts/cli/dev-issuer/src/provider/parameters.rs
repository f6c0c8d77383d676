//! The parameters of a request.

use http::{Method, Request, header::CONTENT_TYPE};

/// Of a query or form; what the flow needs is far below.
const MAX_BYTES: usize = 16 * 1024;

/// The parameters of a query or of a form, none of them twice.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Those of the query, or of a POST those of its form. The error is a sentence.
    pub(super) fn of<B: AsRef<[u8]>>(request: &Request<B>) -> Result<Self, &'static str> {
        let text = if request.method() == Method::POST {
            let media_type = request.headers().get(CONTENT_TYPE);
            let media_type = media_type.and_then(|value| value.to_str().ok());
            let media_type = media_type.and_then(|value| value.split(';').next());
            let is_form = media_type.is_some_and(|value| {
                let value = value.trim();
                value.eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
            if !is_form {
                return Err("the body is not a form");
            }
            request.body().as_ref()
        } else {
            request.uri().query().unwrap_or_default().as_bytes()
        };
        if text.len() > MAX_BYTES {
            return Err("the request is too long");
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            // RFC 6749 §3.1 and §3.2.
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err("a parameter is there twice");
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(parameters))
    }

    /// A parameter; without a value it counts as absent (RFC 6749 §3.1).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut parameters = self.0.iter();
        let (_, value) = parameters.find(|(other, _)| other == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// A registered URI with further parameters. What is registered stays as it is.
pub(super) fn with_parameters(uri: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    match (query.is_empty(), uri.contains('?')) {
        (true, _) => uri.to_owned(),
        (false, true) => format!("{uri}&{query}"),
        (false, false) => format!("{uri}?{query}"),
    }
}

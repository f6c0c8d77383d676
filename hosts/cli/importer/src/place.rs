//! Where tokens are read from.

use serde_json::{Value, json};

use crate::input::Node;

/// A header or a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Header {
        name: String,
        scheme: Option<String>,
    },
    Cookie(String),
}

/// `from_headers`, `from_cookies` and `from_params`, which both inputs have;
/// `prefix` is the member with the text before the token in a header.
pub(crate) fn places(node: &Node<'_>, prefix: &str) -> Vec<Place> {
    let members = ["from_headers", "from_params", "from_cookies"];
    if members.iter().all(|name| node.items_of(name).is_empty()) {
        node.stricter("tokens in the query (`access_token`) are not read");
        return vec![Place::header("authorization", "Bearer ")]
            .into_iter()
            .flatten()
            .collect();
    }
    let mut places = Vec::new();
    for header in node.items_of("from_headers") {
        let name = header.text_of("name").unwrap_or_default();
        match Place::header(name, header.text_of(prefix).unwrap_or_default()) {
            Some(place) => places.push(place),
            None => header
                .stricter("a prefix that is not one word is not read: tokens there are not found"),
        }
    }
    for cookie in node.items_of("from_cookies") {
        places.push(Place::Cookie(cookie.text().to_owned()));
    }
    if let Some(params) = node.member("from_params") {
        params.stricter("tokens in the query are not read: they end up in logs");
    }
    if places.is_empty() {
        node.stricter("tokens of this provider are read from no place: they are denied");
    }
    places
}

impl Place {
    /// `None` where the text before the token is not one word.
    fn header(name: &str, prefix: &str) -> Option<Self> {
        let scheme = prefix.trim();
        let is_word = |text: &str| {
            let mut bytes = text.bytes();
            bytes.all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        let is_scheme = prefix.is_empty() || (!scheme.is_empty() && is_word(scheme));
        is_scheme.then(|| Self::Header {
            name: name.to_ascii_lowercase(),
            scheme: (!scheme.is_empty()).then(|| scheme.to_owned()),
        })
    }

    pub(crate) fn as_json(&self) -> Value {
        match self {
            Self::Header {
                name,
                scheme: Some(scheme),
            } => json!({ "header": name, "scheme": scheme }),
            Self::Header { name, scheme: None } => json!({ "header": name }),
            Self::Cookie(name) => json!({ "cookie": name }),
        }
    }
}

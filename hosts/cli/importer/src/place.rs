//! Where tokens are read from.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{input::Node, options::Options};

/// A header, a cookie, or a parameter of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Header {
        name: String,
        scheme: Option<String>,
    },
    Cookie(String),
    Query(String),
}

/// Places, and the issuers of the policy whose tokens are good from each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reads(pub(crate) Vec<(Place, BTreeSet<String>)>);

/// `from_headers`, `from_cookies` and `from_params`, which both inputs have;
/// `prefix` is the member with the text before the token in a header.
pub(crate) fn places(node: &Node<'_>, prefix: &str, options: &Options) -> Vec<Place> {
    let members = ["from_headers", "from_params", "from_cookies"];
    if members.iter().all(|name| node.items_of(name).is_empty()) {
        let mut places: Vec<_> = Place::header("authorization", "Bearer ")
            .into_iter()
            .collect();
        match options.query_token {
            true => places.push(Place::Query("access_token".to_owned())),
            false => node.stricter(
                "tokens in the query (`access_token`) are not read: `--query-token` reads them",
            ),
        }
        return places;
    }
    let mut places = Vec::new();
    for header in node.items_of("from_headers") {
        let name = header.text_of("name").unwrap_or_default();
        if name.contains('_') {
            header
                .stricter("a header with `_` in its name is not read: tokens there are not found");
            continue;
        }
        match Place::header(name, header.text_of(prefix).unwrap_or_default()) {
            Some(place) => places.push(place),
            None => header
                .stricter("a prefix that is not one word is not read: tokens there are not found"),
        }
    }
    for cookie in node.items_of("from_cookies") {
        places.push(Place::Cookie(cookie.text().to_owned()));
    }
    for param in node.items_of("from_params") {
        places.push(Place::Query(param.text().to_owned()));
    }
    if places.is_empty() {
        node.stricter("tokens of this provider are read from no place: they are denied");
    }
    places
}

impl Place {
    /// `None` where the text before the token is not one word, or is that of
    /// passwords: a policy reads a password as RFC 7617 has it.
    fn header(name: &str, prefix: &str) -> Option<Self> {
        let scheme = prefix.trim();
        let is_word = |text: &str| {
            let mut bytes = text.bytes();
            bytes.all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        let is_scheme = prefix.is_empty() || (!scheme.is_empty() && is_word(scheme));
        (is_scheme && !scheme.eq_ignore_ascii_case("basic")).then(|| Self::Header {
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
            Self::Query(name) => json!({ "query": name }),
        }
    }

    /// Whether one token can stand in both: a header is one place, whatever its
    /// schemes.
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Header { name: a, .. }, Self::Header { name: b, .. }) => a == b,
            _ => self == other,
        }
    }
}

impl Reads {
    pub(crate) fn add(&mut self, place: &Place, issuer: &str) {
        let issuer = issuer.to_owned();
        match self.0.iter_mut().find(|(own, _)| own == place) {
            Some((_, issuers)) => _ = issuers.insert(issuer),
            None => self.0.push((place.clone(), BTreeSet::from([issuer]))),
        }
    }

    pub(crate) fn issuers_at(&self, place: &Place) -> Option<&BTreeSet<String>> {
        let mut places = self.0.iter();
        places
            .find(|(own, _)| own == place)
            .map(|(_, issuers)| issuers)
    }

    /// The issuers whose tokens are good from some place.
    pub(crate) fn issuers(&self) -> BTreeSet<String> {
        self.0
            .iter()
            .flat_map(|(_, issuers)| issuers)
            .cloned()
            .collect()
    }

    /// The places of both, whoever reads them.
    pub(crate) fn or(mut self, other: &Self) -> Self {
        for (place, issuers) in &other.0 {
            for issuer in issuers {
                self.add(place, issuer);
            }
        }
        self
    }

    /// The places of one token that both accept. `None` where no list of places
    /// says it: a place that only one of them reads may hold another token, unless
    /// the other one needs none.
    pub(crate) fn and(&self, other: &Self, optional: bool, other_optional: bool) -> Option<Self> {
        let mut both = Vec::new();
        for (place, issuers) in &self.0 {
            let issuers = match other.issuers_at(place) {
                Some(others) => issuers.intersection(others).cloned().collect(),
                None if other_optional => issuers.clone(),
                None => return None,
            };
            both.push((place.clone(), issuers));
        }
        for (place, issuers) in &other.0 {
            match self.issuers_at(place) {
                Some(_) => {}
                None if optional => both.push((place.clone(), issuers.clone())),
                None => return None,
            }
        }
        let is_read = both.iter().all(|(_, issuers)| !issuers.is_empty());
        is_read.then_some(Self(both))
    }

    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        let overlaps = |place: &Place| other.0.iter().any(|(own, _)| own.overlaps(place));
        !self.0.iter().any(|(place, _)| overlaps(place))
    }
}

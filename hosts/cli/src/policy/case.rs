//! A file of cases: requests, and the decisions that are expected.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use crate::moment;

/// A whole file.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Cases {
    /// The policy's file, relative to this one.
    pub(super) policy: String,
    /// The time of every case that has none; by default the system's.
    #[serde(default, deserialize_with = "time")]
    pub(super) now: Option<u64>,
    /// JWK Set files by the issuer's name in the policy.
    #[serde(default)]
    pub(super) keys: BTreeMap<String, String>,
    /// Revocation documents' files by the issuer's name in the policy.
    #[serde(default)]
    pub(super) revocations: BTreeMap<String, String>,
    /// The files of documents of API keys in the same way.
    #[serde(default)]
    pub(super) api_keys: BTreeMap<String, String>,
    pub(super) cases: Vec<Case>,
}

/// One decision.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// A sentence about behaviour.
    pub(super) name: String,
    /// A complete token, or claims that are signed with a key of this run.
    pub(super) token: Option<Token>,
    /// The name of the issuer that signs the claims; by default the policy's first.
    pub(super) issuer: Option<String>,
    /// Members of the JOSE header of a signed token, besides `alg` and `kid`.
    #[serde(default)]
    pub(super) jose: Map<String, Value>,
    /// Sign with a key that is not the issuer's, with the same `kid`.
    #[serde(default)]
    pub(super) forged: bool,
    /// The number of the issuer's secret that signs, from 0.
    #[serde(default)]
    pub(super) key: usize,
    /// The place of the token, as in `credentials`; by default the policy's first.
    #[serde(rename = "in")]
    pub(super) place: Option<Value>,
    /// Further tokens of the same request.
    #[serde(default)]
    pub(super) also: Vec<Sent>,
    /// `GET /assets/1`; without it the token alone is checked.
    pub(super) request: Option<String>,
    pub(super) host: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// For a token alone: the requirements on it, as in `require` of a rule.
    pub(super) require: Option<Value>,
    #[serde(default, deserialize_with = "time")]
    pub(super) now: Option<u64>,
    #[serde(deserialize_with = "expectation")]
    pub(super) expect: Map<String, Value>,
}

/// A token of a request, with the members of [`Case`] that speak of it.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    pub(super) token: Token,
    pub(super) issuer: Option<String>,
    #[serde(default)]
    pub(super) jose: Map<String, Value>,
    #[serde(default)]
    pub(super) forged: bool,
    #[serde(default)]
    pub(super) key: usize,
    #[serde(rename = "in")]
    pub(super) place: Option<Value>,
}

#[derive(Clone, Deserialize, Debug)]
#[serde(untagged, expecting = "expected a token or the claims of one")]
pub(super) enum Token {
    Literal(String),
    Claims(Map<String, Value>),
}

/// What a case may expect.
pub(super) const FIELDS: [&str; 18] = [
    "decision",
    "code",
    "status",
    "claim",
    "principal",
    "challenge",
    "issuer",
    "subject",
    "token_type",
    "tenant",
    "tenants",
    "roles",
    "scopes",
    "principals",
    "set_headers",
    "remove_headers",
    "headers",
    "body",
];

impl Case {
    /// The tokens of the request, in their order.
    pub(super) fn tokens(&self) -> impl Iterator<Item = Sent> {
        let first = self.token.clone().map(|token| Sent {
            token,
            issuer: self.issuer.clone(),
            jose: self.jose.clone(),
            forged: self.forged,
            key: self.key,
            place: self.place.clone(),
        });
        first.into_iter().chain(self.also.iter().cloned())
    }
}

/// Seconds, or RFC 3339.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        other => other.to_string(),
    };
    moment::parse(&text).map(Some).map_err(D::Error::custom)
}

/// `allow`, `deny`, `answer`, a denial's code, or an object of [`FIELDS`].
fn expectation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
            .collect()
    };
    match Value::deserialize(deserializer)? {
        Value::String(word) if ["allow", "deny", "answer"].contains(&&*word) => {
            Ok(pairs(&[("decision", &word)]))
        }
        Value::String(code) => Ok(pairs(&[("decision", "deny"), ("code", &code)])),
        Value::Object(fields) => {
            match fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
                None if fields.is_empty() => Err(D::Error::custom("nothing is expected")),
                None => Ok(fields),
                Some(unknown) => {
                    let known = FIELDS.join(", ");
                    Err(D::Error::custom(format!(
                        "`{unknown}` cannot be expected: only {known}"
                    )))
                }
            }
        }
        _ => Err(D::Error::custom(
            "expected `allow`, `deny`, `answer`, a code, or an object",
        )),
    }
}

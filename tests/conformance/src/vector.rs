//! The format of the vectors, as README.md and `vector.schema.json` say it.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// One file: the vectors of one topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The version of the contract.
    pub contract: String,
    /// The file's name, without its ending.
    pub topic: String,
    /// What it is about.
    pub title: String,
    /// In the order in which they were written.
    pub vectors: Vec<Vector>,
}

/// One failure, or one success, of one policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Never reused.
    pub id: String,
    /// A sentence.
    pub title: String,
    /// Ids of the contract that it proves.
    pub rules: Vec<String>,
    /// Ids of the attack classes that it stands for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attacks: Vec<String>,
    /// The policy: an object, or a string that holds its literal text.
    pub policy: Value,
    /// The policy is refused, with these problems among others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ExpectedProblem>,
    /// The policy opens, and then this happens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// A problem that opening a policy has to report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedProblem {
    /// JSON Pointer.
    pub pointer: String,
    /// Stable code.
    pub code: String,
}

/// One moment of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Milliseconds since the epoch.
    pub at: u64,
    /// What happens, and what the gate has to answer.
    #[serde(flatten)]
    pub event: Event,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum Event {
    /// A request comes.
    Request {
        /// The request.
        request: Request,
        /// The answer.
        expect: Expect,
    },
    /// A token is checked without a request.
    Token {
        /// The token.
        token: Bytes,
        /// What is required of it; nothing more than a good token if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requirement: Option<Value>,
        /// The answer.
        expect: Expect,
    },
    /// The host asks what to fetch: exactly this, in any order.
    Due {
        /// The documents.
        due: Vec<Document>,
    },
    /// The host asks when there is something to fetch next.
    NextDue {
        /// In so many milliseconds, or never: `null`, and not absent, or every
        /// step could be read as this one.
        #[serde(deserialize_with = "Option::deserialize")]
        next_due: Option<u64>,
    },
    /// A fetch ends.
    Supply {
        /// The document and what came.
        supply: Supply,
        /// What the gate makes of it.
        expect: SupplyExpect,
    },
}

/// A request, as a host hands it in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: Bytes,
    /// `Host` or `:authority`.
    pub authority: Bytes,
    /// Origin form.
    pub target: Bytes,
    /// Names in lower case.
    pub headers: Vec<(Bytes, Bytes)>,
}

/// A document of an issuer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The issuer's name in the policy.
    pub issuer: String,
    /// `discovery`, `jwks` or `revocations`.
    pub kind: String,
    /// Compared where it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}

/// How a fetch ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supply {
    /// The issuer's name in the policy.
    pub issuer: String,
    /// `discovery`, `jwks` or `revocations`.
    pub kind: String,
    /// The address that was fetched; where the gate wants it from, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// What came; the fetch failed if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// `Cache-Control`, empty where absent.
    pub cache_control: String,
    /// The body.
    pub body: Bytes,
}

/// What the gate makes of a fetch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SupplyExpect {
    /// The document is used; these pointers are reported as skipped, and no others.
    Accepted(Vec<String>),
    /// The document is refused, and the old one stays.
    Refused,
    /// The document has another address now: nothing changes.
    Outdated,
}

/// A decision. What is absent is not compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expect {
    /// Admitted.
    Allow(Allow),
    /// Denied.
    Deny(Deny),
    /// Told to wait for exactly these documents, in any order.
    Wait(Vec<Document>),
}

/// An admitted request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// `null`: nobody. An object: its members are compared, others are not.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub principal: Option<Option<Map<String, Value>>>,
    /// Names and values, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_headers: Option<Map<String, Value>>,
    /// Names, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_headers: Option<Vec<String>>,
    /// What changes on this request alone: names, and values or `null`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<(String, Option<String>)>>,
}

/// A denied request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deny {
    /// The code.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// The claim that it names; `null`: none.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub claim: Option<Option<String>>,
    /// `WWW-Authenticate`; `null`: none.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub challenge: Option<Option<String>>,
    /// `Retry-After` in seconds; `null`: none.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_after_s: Option<Option<u32>>,
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Bytes: a string where they are UTF-8, else `{ "base64": "…" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Binary { base64: String },
}

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Written::Binary {
                base64: BASE64_STANDARD.encode(&self.0),
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Binary { base64 } => BASE64_STANDARD
                .decode(base64)
                .map(Self)
                .map_err(serde::de::Error::custom),
        }
    }
}

impl<T: AsRef<[u8]>> From<T> for Bytes {
    fn from(bytes: T) -> Self {
        Self(bytes.as_ref().to_vec())
    }
}

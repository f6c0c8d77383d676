//! The format of the vectors, which README.md and `vector.schema.json` specify.

use std::{collections::BTreeMap, net::IpAddr};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::operation::Asked;

/// One file: the vectors of one topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The version of the contract.
    pub contract: String,
    /// The file's name, without its ending.
    pub topic: String,
    /// The subject of the topic.
    pub title: String,
    /// The vectors, in the order of the generator.
    pub vectors: Vec<Vector>,
}

/// A test of one failure, or one success, of one policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Never reused.
    pub id: String,
    /// A sentence for people.
    pub title: String,
    /// Ids of the contract that it tests.
    pub rules: Vec<String>,
    /// Ids of the attack classes that it tests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attacks: Vec<String>,
    /// Who verifies signatures in the hosts for which it is; if absent, it is for
    /// all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Signatures>,
    /// The secrets of the host, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// The policy: an object, or a string with its literal text.
    pub policy: Value,
    /// If present, the policy is refused, and its problems include these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ExpectedProblem>,
    /// Otherwise the policy opens, and these steps follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// Who verifies signatures: an option of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signatures {
    /// The module.
    #[default]
    Module,
    /// The host's own cryptography.
    Native,
}

/// A problem that opening a policy must report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedProblem {
    /// JSON Pointer.
    pub pointer: String,
    /// Stable code.
    pub code: String,
}

/// One step of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Milliseconds since the epoch.
    pub at: u64,
    /// What happens, and the expected answer of the gate.
    #[serde(flatten)]
    pub event: Event,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum Event {
    /// A check of a request.
    Request {
        /// The request.
        request: Request,
        /// The answer.
        expect: Expect,
    },
    /// A check of a token without a request.
    Token {
        /// The token.
        token: Bytes,
        /// The requirement. If absent, only a valid token is required.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requirement: Option<Value>,
        /// Whether a request with this token was allowed before.
        #[serde(default, skip_serializing_if = "is_false")]
        proven: bool,
        /// The answer.
        expect: Expect,
    },
    /// The host asks for the due fetches. They are exactly these, in any order.
    Due {
        /// The documents.
        due: Vec<Document>,
    },
    /// The host asks when the next fetch is due.
    NextDue {
        /// The time in milliseconds, or `null` for never. It is never absent,
        /// because then every step could be read as this one.
        #[serde(deserialize_with = "Option::deserialize")]
        next_due: Option<u64>,
    },
    /// A fetch ends.
    Supply {
        /// The document and the response.
        supply: Supply,
        /// The expected result.
        expect: SupplyExpect,
    },
    /// An operator asks what is no decision.
    Operation(Asked),
}

/// A request.
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
    /// What the host knows about the connection.
    #[serde(default, skip_serializing_if = "Connection::is_unknown")]
    pub connection: Connection,
}

/// What a host knows about a connection. What it does not know is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connection {
    /// `http` or `https`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scheme: String,
    /// The SHA-256 of the client's certificate, in hexadecimal.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate: String,
    /// The address of the peer: `10.0.0.1`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub peer: String,
}

impl Connection {
    fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// The bytes of the certificate's hash. What is not hexadecimal is left out.
    pub fn certificate(&self) -> Vec<u8> {
        let pairs = self.certificate.as_bytes().chunks(2);
        pairs
            .filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
            .collect()
    }

    /// The bytes of the address.
    pub fn peer(&self) -> Vec<u8> {
        match self.peer.parse() {
            Ok(IpAddr::V4(address)) => address.octets().to_vec(),
            Ok(IpAddr::V6(address)) => address.octets().to_vec(),
            Err(_) => Vec::new(),
        }
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A document of an issuer, or a request to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The issuer's name in the policy.
    pub issuer: String,
    /// `discovery`, `jwks`, `revocations`, `api_keys` or `introspection`.
    pub kind: String,
    /// The address; compared if it is present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The headers of the request; compared if they are present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<(String, String)>>,
    /// The body of the request; compared if it is present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// The end of a fetch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supply {
    /// The issuer's name in the policy.
    pub issuer: String,
    /// `discovery`, `jwks`, `revocations`, `api_keys` or `introspection`: of
    /// several requests, the one that waits longest gets the response.
    pub kind: String,
    /// The address that was fetched; if absent, the current address of the
    /// document. It is present if there are several documents of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The response; if absent, the fetch failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
}

/// The response of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// `Cache-Control`; empty if absent.
    pub cache_control: String,
    /// The body.
    pub body: Bytes,
}

/// The expected result of supplying a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SupplyExpect {
    /// The document is accepted, and exactly these pointers are reported as
    /// skipped.
    Accepted(Vec<String>),
    /// The document is refused, and the old one stays.
    Refused,
    /// The document has another address now: nothing changes.
    Outdated,
}

/// A decision. Absent members are not compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expect {
    /// Admitted.
    Allow(Allow),
    /// Denied.
    Deny(Deny),
    /// Answered by the gate itself.
    Answer(Answer),
    /// Must wait for exactly these documents, in any order.
    Wait(Vec<Document>),
}

/// An admitted request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// `null` means no principal. For an object, only its members are compared.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub principal: Option<Option<Map<String, Value>>>,
    /// Exactly these principals beside the user, by name. Of each, only these
    /// members are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<BTreeMap<String, Map<String, Value>>>,
    /// Names and values, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_headers: Option<Map<String, Value>>,
    /// Names, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_headers: Option<Vec<String>>,
    /// The changes to this request only, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<Change>>,
}

/// A change to one request, as in the WIT interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// The name and the value.
    SetHeader(String, String),
    /// The name.
    RemoveHeader(String),
    /// The target.
    SetTarget(String),
}

/// A response of the gate itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// A denied request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deny {
    /// The code.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// The claim that it names; `null` means none.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub claim: Option<Option<String>>,
    /// The name of the principal whose token it is about; `null` means the user.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub principal: Option<Option<String>>,
    /// `WWW-Authenticate`; `null` means none.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub challenge: Option<Option<String>>,
    /// `Retry-After` in seconds; `null` means none.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_after_s: Option<Option<u32>>,
    /// `DPoP-Nonce`; `null` means none.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub nonce: Option<Option<String>>,
}

/// Distinguishes `null` from absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Bytes: a string if they are UTF-8, otherwise `{ "base64": "…" }`.
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

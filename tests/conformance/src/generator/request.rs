//! Short forms of requests and documents.

use serde_json::{Map, Value, json};

use super::token::Token;
use crate::vector::{Bytes, Connection, Document, Request, Response};

/// `GET` of a target, without a token.
pub(crate) fn get(target: &str) -> Request {
    request("GET", target)
}

/// A request without a token.
pub(crate) fn request(method: &str, target: &str) -> Request {
    Request {
        method: method.into(),
        authority: "api.example.com".into(),
        target: target.into(),
        headers: Vec::new(),
        connection: Connection::default(),
    }
}

impl Request {
    /// With another authority.
    pub(crate) fn to(mut self, authority: impl Into<Bytes>) -> Self {
        self.authority = authority.into();
        self
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a bearer token.
    pub(crate) fn bearer(self, token: &Token) -> Self {
        self.header("authorization", format!("Bearer {}", token.compact()))
    }

    /// With a token of the scheme `DPoP` and a proof.
    pub(crate) fn dpop(self, token: &Token, proof: &Token) -> Self {
        self.by_dpop(token).header("dpop", proof.compact())
    }

    /// With a token of the scheme `DPoP`.
    pub(crate) fn by_dpop(self, token: &Token) -> Self {
        self.header("authorization", format!("DPoP {}", token.compact()))
    }

    /// From this peer.
    pub(crate) fn peer(mut self, peer: &str) -> Self {
        self.connection.peer = peer.into();
        self
    }

    /// By this scheme.
    pub(crate) fn scheme(mut self, scheme: &str) -> Self {
        self.connection.scheme = scheme.into();
        self
    }

    /// With a certificate of the client that has this SHA-256, in hexadecimal.
    pub(crate) fn certificate(mut self, sha256: &str) -> Self {
        self.connection.certificate = sha256.into();
        self
    }
}

impl From<Token> for Request {
    fn from(token: Token) -> Self {
        get("/").bearer(&token)
    }
}

/// A document, by issuer and kind.
pub(crate) fn document(issuer: &str, kind: &str) -> Document {
    Document {
        issuer: issuer.into(),
        kind: kind.into(),
        uri: None,
        headers: None,
        body: None,
    }
}

/// A response with status 200 and this document.
pub(crate) fn ok(body: &Value) -> Response {
    Response {
        status: 200,
        cache_control: String::new(),
        body: body.to_string().into(),
    }
}

/// A response.
pub(crate) fn response(status: u16, cache_control: &str, body: impl Into<Bytes>) -> Response {
    Response {
        status,
        cache_control: cache_control.into(),
        body: body.into(),
    }
}

/// An object with one member.
pub(crate) fn member(name: &str, value: impl Into<Value>) -> Value {
    let mut members = Map::new();
    members.insert(name.into(), value.into());
    json!(members)
}

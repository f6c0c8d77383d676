//! Builds valid tokens, and tokens with exactly one fault.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};

use sha2::{Digest, Sha256};

use super::{
    key::{A, Key, P256},
    sign::sign,
};

/// The time of the vectors: 2026-01-01T00:00:00Z.
pub(crate) const NOW_S: i64 = 1_767_225_600;
/// The same in milliseconds.
pub(crate) const NOW: u64 = 1_767_225_600_000;
/// The issuer of most tokens.
pub(crate) const ISS: &str = "https://auth.example.com";

/// A token under construction. By default it is valid: issued ten seconds ago
/// by [`ISS`] for `platform`, for ten minutes, and signed with [`A`].
#[derive(Clone, Debug)]
pub(crate) struct Token {
    header: Value,
    claims: Value,
    header_text: Option<Vec<u8>>,
    claims_text: Option<Vec<u8>>,
    key: &'static Key,
    alg: Option<&'static str>,
    signature: Option<Vec<u8>>,
}

/// Returns a valid token.
pub(crate) fn token() -> Token {
    Token {
        header: json!({ "alg": "RS256", "kid": A.kid() }),
        claims: json!({
            "iss": ISS, "sub": "user-4711", "aud": "platform",
            "iat": NOW_S - 10, "exp": NOW_S + 600, "jti": "token-0815",
            "note": "value-that-no-denial-shows",
        }),
        header_text: None,
        claims_text: None,
        key: &A,
        alg: None,
        signature: None,
    }
}

/// Returns a token that is bound to a key (RFC 9449 §6.1).
pub(crate) fn bound(key: &Key) -> Token {
    token().claim("cnf", json!({ "jkt": key.thumbprint() }))
}

/// Returns a proof of [`P256`] for `GET https://api.example.com/` with this token
/// (RFC 9449 §4.2).
pub(crate) fn proof(jti: &str, token: &Token) -> Token {
    let ath = encode(Sha256::digest(token.compact()));
    let plain = super::token::token();
    Token {
        header: json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": P256.nameless(json!({})) }),
        claims: json!({
            "jti": jti, "htm": "GET", "htu": "https://api.example.com/", "iat": NOW_S, "ath": ath,
        }),
        key: &P256,
        alg: Some("ES256"),
        ..plain
    }
}

impl Token {
    /// Sets a claim.
    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    /// Sets several claims.
    pub(crate) fn claims(mut self, members: Value) -> Self {
        for (name, value) in members.as_object().expect("members") {
            self.claims[name] = value.clone();
        }
        self
    }

    /// Removes a claim.
    pub(crate) fn without(mut self, name: &str) -> Self {
        object(&mut self.claims).shift_remove(name);
        self
    }

    /// Sets a header member.
    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    /// Removes a header member.
    pub(crate) fn without_header(mut self, name: &str) -> Self {
        object(&mut self.header).shift_remove(name);
        self
    }

    /// Sets the literal text of the header.
    pub(crate) fn header_text(mut self, text: impl AsRef<[u8]>) -> Self {
        self.header_text = Some(text.as_ref().to_vec());
        self
    }

    /// Sets the literal text of the payload.
    pub(crate) fn claims_text(mut self, text: impl AsRef<[u8]>) -> Self {
        self.claims_text = Some(text.as_ref().to_vec());
        self
    }

    /// Returns the claims as JSON text, as a base for [`Self::claims_text`].
    pub(crate) fn claims_json(&self) -> String {
        self.claims.to_string()
    }

    /// Signs with this key and sets its `kid`.
    pub(crate) fn key(mut self, key: &'static Key) -> Self {
        self.key = key;
        self.header("kid", key.kid())
    }

    /// Signs with this key and keeps the `kid`.
    pub(crate) fn signed_by(mut self, key: &'static Key) -> Self {
        self.key = key;
        self
    }

    /// Sets and uses another algorithm.
    pub(crate) fn alg(mut self, alg: &'static str) -> Self {
        self.alg = Some(alg);
        self.header("alg", alg)
    }

    /// Replaces the signature by these bytes.
    pub(crate) fn signature(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.signature = Some(bytes.as_ref().to_vec());
        self
    }

    /// Returns the signing input: header, dot, payload.
    pub(crate) fn signing_input(&self) -> String {
        let header = match &self.header_text {
            Some(text) => encode(text),
            None => encode(self.header.to_string()),
        };
        let claims = match &self.claims_text {
            Some(text) => encode(text),
            None => encode(self.claims.to_string()),
        };
        format!("{header}.{claims}")
    }

    /// Returns the compact serialisation.
    pub(crate) fn compact(&self) -> String {
        let input = self.signing_input();
        let signature = match &self.signature {
            Some(bytes) => bytes.clone(),
            None => sign(self.key, self.alg.unwrap_or("RS256"), input.as_bytes()),
        };
        format!("{input}.{}", encode(signature))
    }
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().expect("an object")
}

/// base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// base64 with padding.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

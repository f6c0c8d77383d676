//! Tokens signed with the fixed test keys.

use std::fs;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{
    BoxedUint, RsaPrivateKey,
    pkcs1v15::SigningKey,
    signature::{SignatureEncoding, Signer},
};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::dist;

/// A key of `tests/keys` that signs RS256.
#[derive(Debug)]
pub struct Key {
    kid: String,
    jwk: Value,
    signing: SigningKey<Sha256>,
}

impl Key {
    /// The key in `tests/keys/<name>.json`.
    ///
    /// # Panics
    /// If it is not an RSA key.
    pub fn read(name: &str) -> Self {
        let file = dist::root()
            .join("tests/keys")
            .join(name)
            .with_extension("json");
        let jwk: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let number = |member: &str| {
            let bytes = URL_SAFE_NO_PAD
                .decode(jwk[member].as_str().unwrap())
                .unwrap();
            BoxedUint::from_be_slice_vartime(&bytes)
        };
        let [n, e, d] = ["n", "e", "d"].map(number);
        let primes = ["p", "q"].map(number).to_vec();
        let private = RsaPrivateKey::from_components(n, e, d, primes).unwrap();
        Self {
            kid: name.to_owned(),
            jwk,
            signing: SigningKey::new(private),
        }
    }

    /// Returns the JWK that an issuer publishes.
    pub fn public(&self) -> Value {
        json!({ "kty": "RSA", "kid": self.kid, "n": self.jwk["n"], "e": self.jwk["e"] })
    }

    /// Returns a compact JWS of these claims (RFC 7515 §7.1).
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.kid, claims)
    }

    /// The same with this `kid`.
    pub fn sign_as(&self, kid: &str, claims: &Value) -> String {
        let header = json!({ "alg": "RS256", "kid": kid });
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// The same for any texts as header and payload.
    pub fn sign_text(&self, header: &str, payload: &str) -> String {
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let input = [header, payload]
            .map(|part| encode(part.as_bytes()))
            .join(".");
        let signature = self.signing.sign(input.as_bytes());
        format!("{input}.{}", encode(&signature.to_bytes()))
    }
}

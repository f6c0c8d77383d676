//! Proofs of possession of a development client (DPoP, RFC 9449).

use std::{fs, path::Path};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    issuer::write_private,
    signer::{Signer, random},
};

/// The key of a client, to which a token can be bound.
pub struct ProofKey {
    signer: Signer,
    jwk: Value,
}

/// What a proof is for.
#[derive(Clone, Copy, Debug)]
pub struct Proven<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The URL of the request; its query and fragment are left out.
    pub url: &'a str,
    /// The token that comes with it.
    pub token: &'a str,
    /// The nonce of the server's last response.
    pub nonce: Option<&'a str>,
}

impl ProofKey {
    /// A new key for `ES256`.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<Self, Error> {
        Self::of(Signer::generate("ES256")?)
    }

    /// The key in a file, which is made if it is not there.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no key.
    pub fn read_or_generate(path: &Path) -> Result<Self, Error> {
        if !path.exists() {
            let key = Self::generate()?;
            let private = key.signer.to_private().unwrap_or_default();
            write_private(path, &format!("{private}\n"))
                .map_err(|error| Error::key(format!("cannot write the key: {error}")))?;
            return Ok(key);
        }
        let text = fs::read_to_string(path)
            .map_err(|error| Error::key(format!("cannot read the key: {error}")))?;
        let private = serde_json::from_str(&text)
            .map_err(|error| Error::key(format!("the key is not JSON: {error}")))?;
        Self::of(Signer::from_private(&private)?)
    }

    fn of(signer: Signer) -> Result<Self, Error> {
        let jwk = signer.to_public_jwk();
        let jwk = jwk.ok_or_else(|| Error::key("a shared secret proves nothing"))?;
        let member = |name: &str| jwk.get(name).cloned();
        let names = ["crv", "kty", "x", "y"];
        let jwk = names.iter().filter_map(|name| Some((*name, member(name)?)));
        let jwk = jwk.map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Self { signer, jwk })
    }

    /// The thumbprint (RFC 7638): `cnf.jkt` of a token that is bound to it.
    pub fn thumbprint(&self) -> String {
        // The members are in the order of their names, without white space.
        sha256(self.jwk.to_string().as_bytes())
    }

    /// A proof for one request at `now_ms`, milliseconds since 1970.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn prove(&self, proven: &Proven<'_>, now_ms: u64) -> Result<String, Error> {
        let mut header = Map::new();
        header.insert("typ".to_owned(), json!("dpop+jwt"));
        header.insert("jwk".to_owned(), self.jwk.clone());
        let end = proven.url.find(['?', '#']).unwrap_or(proven.url.len());
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("jti", json!(URL_SAFE_NO_PAD.encode(random::<16>()?)));
        claim("htm", json!(proven.method));
        claim("htu", json!(proven.url.get(..end)));
        claim("iat", json!(now_ms / 1000));
        claim("ath", json!(sha256(proven.token.as_bytes())));
        if let Some(nonce) = proven.nonce {
            claim("nonce", json!(nonce));
        }
        let mut nameless = self.signer.clone();
        nameless.kid = None;
        nameless.sign(&header, &claims)
    }
}

fn sha256(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}

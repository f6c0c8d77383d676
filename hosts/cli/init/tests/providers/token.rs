//! Tokens, and the keys that sign them.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign_dev_issuer::Signer;
use serde_json::{Map, Value, json};

/// The moment of every decision, in seconds since 1970: 2026-11-28T12:00:00Z.
pub(crate) const NOW_S: u64 = 1_795_867_200;

/// The provider's key, and another one of the provider.
pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(|| signer("RS256"));
pub(crate) static OTHER_RSA: LazyLock<Signer> = LazyLock::new(|| signer("RS256"));
pub(crate) static EC: LazyLock<Signer> = LazyLock::new(|| signer("ES256"));

/// What is in the file of `--secret-file`.
pub(crate) const SECRET: &str = "a shared secret that only tests use: 1";

fn signer(algorithm: &str) -> Signer {
    Signer::generate(algorithm).expect("a key")
}

/// A key that signs with [`SECRET`].
pub(crate) fn secret(kid: Option<&str>, algorithm: &str) -> Signer {
    let secret = BASE64_URL_SAFE_NO_PAD.encode(SECRET);
    Signer::from_secret(kid, algorithm, &secret).expect("a secret")
}

/// A token before it is signed. It was issued a minute ago and is good for an hour.
#[derive(Clone)]
pub(crate) struct Token {
    signer: Signer,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Token {
    pub(crate) fn new(signer: &Signer, claims: Value) -> Self {
        let mut token = Self {
            signer: signer.clone(),
            header: Map::new(),
            claims: Map::new(),
        };
        token.header.insert("typ".to_owned(), json!("JWT"));
        token.claims.insert("iat".to_owned(), json!(NOW_S - 60));
        token.claims.insert("exp".to_owned(), json!(NOW_S + 3_600));
        let Value::Object(claims) = claims else {
            panic!("claims are an object")
        };
        token.claims.extend(claims);
        token
    }

    /// The same token with another value of a claim; `null` takes it out.
    pub(crate) fn with(&self, name: &str, value: Value) -> Self {
        let mut token = self.clone();
        match value {
            Value::Null => token.claims.shift_remove(name),
            value => token.claims.insert(name.to_owned(), value),
        };
        token
    }

    /// The same token with another `typ` in its header.
    pub(crate) fn typ(&self, typ: &str) -> Self {
        let mut token = self.clone();
        token.header.insert("typ".to_owned(), json!(typ));
        token
    }

    /// The same token, signed with this key.
    pub(crate) fn signed_by(&self, signer: &Signer) -> Self {
        Self {
            signer: signer.clone(),
            ..self.clone()
        }
    }

    /// The same token, signed with a key of the same name that is not the issuer's.
    pub(crate) fn forged(&self) -> Self {
        self.signed_by(&self.signer.forged().expect("a key"))
    }

    pub(crate) fn compact(&self) -> String {
        let signed = self.signer.sign(&self.header, &self.claims);
        signed.expect("a signature")
    }
}

/// A key document (RFC 7517 §5).
pub(crate) fn jwks(signers: &[&Signer]) -> Value {
    let keys = signers.iter().filter_map(|signer| signer.to_public_jwk());
    json!({ "keys": keys.collect::<Vec<_>>() })
}

/// A document with public keys in PEM, by `kid`.
pub(crate) fn pems(signers: &[&Signer]) -> Value {
    let entry = |signer: &&Signer| {
        let jwk = signer.to_public_jwk().expect("a public key");
        (signer.kid.clone().expect("a kid"), json!(pem(&jwk)))
    };
    Value::Object(signers.iter().map(entry).collect())
}

/// An RSA key as SubjectPublicKeyInfo (RFC 5280 §4.1, RFC 8017 §A.1.1).
fn pem(jwk: &Value) -> String {
    let number = |name: &str| {
        let text = jwk[name].as_str().expect("a number");
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url");
        if bytes[0] >= 0x80 {
            bytes.insert(0, 0);
        }
        der(0x02, &bytes)
    };
    let key = der(0x30, &[number("n"), number("e")].concat());
    let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let info = [der(0x30, oid), der(0x03, &[&[0], &key[..]].concat())].concat();
    let text = BASE64_STANDARD.encode(der(0x30, &info));
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.join("\n")
    )
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().position(|byte| *byte > 0).unwrap_or(7)..];
    let prefix = match content.len() {
        0..128 => vec![],
        _ => vec![0x80 | u8::try_from(length.len()).unwrap()],
    };
    [&[tag], &prefix[..], length, content].concat()
}

//! The fixed test keys of `tests/keys/`, and signing with them.

use std::{collections::BTreeMap, fs, sync::OnceLock};

use super::sign::Unpadded;
use crate::files;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rsa::{BoxedUint, RsaPrivateKey, traits::SignatureScheme};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A key of `tests/keys/`.
#[derive(Debug)]
pub(crate) struct Key {
    name: &'static str,
    jwk: OnceLock<Value>,
    rsa: OnceLock<RsaPrivateKey>,
}

/// RSA 2048: the platform's key.
pub(crate) static A: Key = Key::named("rsa-2048-a");
/// RSA 2048: the next key after a rotation, or the key of another issuer.
pub(crate) static B: Key = Key::named("rsa-2048-b");
/// RSA 2048 with the exponent 3.
pub(crate) static E3: Key = Key::named("rsa-2048-e3");
/// RSA 3072.
pub(crate) static LONG: Key = Key::named("rsa-3072");
/// RSA 1024.
pub(crate) static WEAK: Key = Key::named("rsa-1024-weak");
/// P-256.
pub(crate) static P256: Key = Key::named("ec-p256");
/// P-384.
pub(crate) static P384: Key = Key::named("ec-p384");
/// P-521.
pub(crate) static P521: Key = Key::named("ec-p521");
/// Ed25519.
pub(crate) static ED: Key = Key::named("ed25519");
/// Ed25519: the next key after a rotation.
pub(crate) static ED_B: Key = Key::named("ed25519-b");
/// 64 bytes.
pub(crate) static SECRET: Key = Key::named("hmac-512");

impl Key {
    const fn named(name: &'static str) -> Self {
        Self {
            name,
            jwk: OnceLock::new(),
            rsa: OnceLock::new(),
        }
    }

    /// Its `kid`.
    pub(crate) fn kid(&self) -> &'static str {
        self.name
    }

    /// The whole JWK, private members included.
    pub(crate) fn private(&self) -> &Value {
        self.jwk.get_or_init(|| {
            serde_json::from_str(&file(&format!("{}.json", self.name))).expect("a JWK")
        })
    }

    /// The JWK as an issuer publishes it.
    pub(crate) fn public(&self) -> Value {
        let mut jwk = self.private().clone();
        let members = jwk.as_object_mut().expect("a JWK is an object");
        members
            .retain(|name, _| ["kty", "kid", "n", "e", "crv", "x", "y"].contains(&name.as_str()));
        jwk
    }

    /// The public JWK with other members.
    pub(crate) fn with(&self, members: Value) -> Value {
        let mut jwk = self.public();
        for (name, value) in members.as_object().expect("members") {
            jwk[name] = value.clone();
        }
        jwk
    }

    /// The public JWK with other members, and without `kid`.
    pub(crate) fn nameless(&self, members: Value) -> Value {
        let mut jwk = self.with(members);
        jwk.as_object_mut()
            .expect("a JWK is an object")
            .shift_remove("kid");
        jwk
    }

    /// The thumbprint (RFC 7638 §3).
    pub(crate) fn thumbprint(&self) -> String {
        thumbprint(&self.public())
    }

    /// The secret as a policy states it.
    pub(crate) fn secret(&self) -> Value {
        json!({ "kid": self.kid(), "k": self.private()["k"] })
    }

    /// The public key in PEM.
    pub(crate) fn pem(&self) -> String {
        file(&format!("{}.pem", self.name))
    }

    /// A certificate of the key, which expired long ago.
    pub(crate) fn certificate(&self) -> String {
        file(&format!("{}-certificate.pem", self.name))
    }

    /// An RSA signature of this scheme.
    pub(crate) fn sign_rsa(&self, scheme: impl SignatureScheme, digest: &[u8]) -> Vec<u8> {
        let key = self.rsa.get_or_init(|| {
            let number = |name| BoxedUint::from_be_slice_vartime(&self.bytes(name));
            let primes = vec![number("p"), number("q")];
            RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes)
                .expect("an RSA key")
        });
        key.sign(scheme, digest).expect("a signature")
    }

    /// Returns the result of the private operation on a whole block with any
    /// padding (RFC 8017 §5.2.1).
    pub(crate) fn private_operation(&self, block: &[u8]) -> Vec<u8> {
        self.sign_rsa(Unpadded, block)
    }

    /// The public key as DER (RFC 5280 §4.1, RFC 8017 §A.1.1).
    pub(crate) fn spki(&self) -> Vec<u8> {
        let number = |name| {
            let bytes = self.bytes(name);
            der(
                0x02,
                &if bytes[0] < 0x80 {
                    bytes
                } else {
                    [&[0], &bytes[..]].concat()
                },
            )
        };
        let key = der(0x30, &[number("n"), number("e")].concat());
        let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        der(
            0x30,
            &[der(0x30, oid), der(0x03, &[&[0], &key[..]].concat())].concat(),
        )
    }

    /// A member, decoded.
    pub(crate) fn bytes(&self, member: &str) -> Vec<u8> {
        let text = self.private()[member]
            .as_str()
            .unwrap_or_else(|| panic!("no `{member}`"));
        BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
    }
}

/// The thumbprint of a JWK (RFC 7638 §3).
pub(crate) fn thumbprint(jwk: &Value) -> String {
    let mut members = BTreeMap::new();
    for name in ["crv", "e", "kty", "n", "x", "y"] {
        members.extend(jwk.get(name).map(|value| (name, value)));
    }
    let text = serde_json::to_string(&members).expect("JSON");
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// A file of `tests/keys/`.
fn file(name: &str) -> String {
    fs::read_to_string(files::root().join("tests/keys").join(name)).expect("a test key")
}

/// Encodes a DER element: tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length
        .iter()
        .position(|b| *b > 0)
        .unwrap_or(length.len() - 1)..];
    let prefix = if content.len() < 128 {
        vec![]
    } else {
        vec![0x80 | length.len() as u8]
    };
    [&[tag], &prefix[..], length, content].concat()
}

//! The fixed test keys of `tests/keys/`, and signing with them.

use std::{fs, sync::OnceLock};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rsa::{
    BoxedUint, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey,
    hazmat::rsa_decrypt,
    rand_core::TryCryptoRng,
    traits::{PublicKeyParts, SignatureScheme},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::files;

/// A key of `tests/keys/`.
#[derive(Debug)]
pub(crate) struct Key {
    name: &'static str,
    jwk: OnceLock<Value>,
    rsa: OnceLock<RsaPrivateKey>,
}

/// RSA 2048: the platform's key.
pub(crate) static A: Key = Key::named("rsa-2048-a");
/// RSA 2048: the key that comes next, or another issuer's.
pub(crate) static B: Key = Key::named("rsa-2048-b");
/// RSA 2048 with the exponent 3.
pub(crate) static E3: Key = Key::named("rsa-2048-e3");
/// RSA 3072.
pub(crate) static LONG: Key = Key::named("rsa-3072");
/// RSA 1024.
pub(crate) static WEAK: Key = Key::named("rsa-1024-weak");
/// P-256.
pub(crate) static P256: Key = Key::named("ec-p256");
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
            let path = files::root()
                .join("tests/keys")
                .join(format!("{}.json", self.name));
            let text = fs::read_to_string(&path).expect("a test key");
            serde_json::from_str(&text).expect("a JWK")
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

    /// The secret as a policy states it.
    pub(crate) fn secret(&self) -> Value {
        json!({ "kid": self.kid(), "k": self.private()["k"] })
    }

    /// The signature over `input`; the algorithm's name decides how.
    pub(crate) fn sign(&self, alg: &str, input: &[u8]) -> Vec<u8> {
        match alg {
            "RS384" => self.rsa(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(input)),
            "RS512" => self.rsa(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(input)),
            "HS256" => hmac::<Hmac<Sha256>>(&self.bytes("k"), input),
            "HS384" => hmac::<Hmac<Sha384>>(&self.bytes("k"), input),
            "HS512" => hmac::<Hmac<Sha512>>(&self.bytes("k"), input),
            _ => self.rsa(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(input)),
        }
    }

    fn rsa(&self, scheme: impl SignatureScheme, digest: &[u8]) -> Vec<u8> {
        let key = self.rsa.get_or_init(|| {
            let number = |name| BoxedUint::from_be_slice_vartime(&self.bytes(name));
            let primes = vec![number("p"), number("q")];
            RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes)
                .expect("an RSA key")
        });
        key.sign(scheme, digest).expect("a signature")
    }

    /// The private operation on a whole block (RFC 8017 §5.2.1), whatever its
    /// padding.
    pub(crate) fn private_operation(&self, block: &[u8]) -> Vec<u8> {
        self.rsa(Unpadded, block)
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

/// No padding: the digest is the block.
struct Unpadded;

impl SignatureScheme for Unpadded {
    fn sign<R: TryCryptoRng + ?Sized>(
        self,
        rng: Option<&mut R>,
        key: &RsaPrivateKey,
        block: &[u8],
    ) -> rsa::Result<Vec<u8>> {
        let block = BoxedUint::from_be_slice(block, key.n_bits_precision())
            .map_err(|_| rsa::Error::InputNotHashed)?;
        Ok(rsa_decrypt(rng, key, &block)?.to_be_bytes().to_vec())
    }

    fn verify(self, _: &RsaPublicKey, _: &[u8], _: &[u8]) -> rsa::Result<()> {
        Err(rsa::Error::Verification)
    }
}

/// Tag, length, content.
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

/// An HMAC with any bytes as the secret.
pub(crate) fn hmac<M: Mac + KeyInit>(secret: &[u8], input: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes any length");
    mac.update(input);
    mac.finalize().into_bytes().to_vec()
}

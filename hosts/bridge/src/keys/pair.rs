//! A key pair: makes signatures, and its public half for the key set.

use std::fmt;

use aws_lc_rs::{
    digest,
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::{Value, json};

use crate::config::Algorithm;

/// The key cannot be used. It has no bytes of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyError(pub(crate) &'static str);

/// A key pair. `{:?}` shows its name.
pub(crate) struct Pair {
    kid: String,
    jwk: Value,
    key: Key,
}

enum Key {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Pair {
    /// Makes one. RSA takes a good part of a second.
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError("a key could not be made");
        let key = match algorithm {
            Algorithm::Es256 => {
                let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
                Key::Ec(key.map_err(failed)?)
            }
            Algorithm::Rs256 => Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?),
        };
        Self::of(key)
    }

    /// From PKCS #8, of either kind.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return Self::of(Key::Ec(key));
        }
        let key = RsaKeyPair::from_pkcs8(der);
        let key = key.map_err(|_| KeyError("expected a key for ES256 or RS256 in PKCS #8"))?;
        if !(256..=512).contains(&key.public_modulus_len()) {
            return Err(KeyError("an RSA key has 2048 to 4096 bits"));
        }
        Self::of(Key::Rsa(key))
    }

    /// From PEM with one `PRIVATE KEY`.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem);
        let der = der.map_err(|_| KeyError("expected one `PRIVATE KEY` in PEM (PKCS #8)"))?;
        Self::from_pkcs8(der.secret_pkcs8_der())
    }

    /// The private key in PKCS #8, to be sealed.
    pub(crate) fn to_pkcs8(&self) -> Result<Vec<u8>, KeyError> {
        let failed = |_| KeyError("a key could not be written");
        Ok(match &self.key {
            Key::Ec(key) => key.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Key::Rsa(key) => key.as_der().map_err(failed)?.as_ref().to_vec(),
        })
    }

    /// Its name: the thumbprint of its public half (RFC 7638), so that all replicas name
    /// the key of a file alike.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, as the key set has it.
    pub(crate) fn jwk(&self) -> &Value {
        &self.jwk
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self.key {
            Key::Ec(_) => Algorithm::Es256,
            Key::Rsa(_) => Algorithm::Rs256,
        }
    }

    /// A signature as a JWS has it (RFC 7518 §3.3, §3.4).
    pub(crate) fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        let failed = |_| KeyError("a token could not be signed");
        match &self.key {
            Key::Ec(key) => {
                let signature = key.sign(&random, input).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }

    fn of(key: Key) -> Result<Self, KeyError> {
        let encode = |bytes: &[u8]| BASE64.encode(bytes);
        // The members of the thumbprint, in its order (RFC 7638 §3.2).
        let (thumbprint, mut jwk, alg) = match &key {
            Key::Ec(key) => {
                // Uncompressed: 4, then the coordinates (SEC 1 §2.3.3).
                let point = key.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                let (x, y) = (encode(x), encode(y));
                let text = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
                let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
                (text, jwk, Algorithm::Es256)
            }
            Key::Rsa(key) => {
                let public = key.public_key();
                let n = encode(public.modulus().big_endian_without_leading_zero());
                let e = encode(public.exponent().big_endian_without_leading_zero());
                let text = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
                (
                    text,
                    json!({ "kty": "RSA", "n": n, "e": e }),
                    Algorithm::Rs256,
                )
            }
        };
        let kid = encode(digest::digest(&digest::SHA256, thumbprint.as_bytes()).as_ref());
        jwk["alg"] = json!(alg.as_str());
        jwk["use"] = json!("sig");
        jwk["kid"] = json!(kid);
        Ok(Self { kid, jwk, key })
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("kid", &self.kid).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Pair;
    use crate::config::Algorithm;

    #[test]
    fn a_key_is_the_same_after_it_was_written_and_read() {
        for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
            let pair = Pair::generate(algorithm).unwrap();
            let again = Pair::from_pkcs8(&pair.to_pkcs8().unwrap()).unwrap();
            assert_eq!(pair.kid(), again.kid());
            assert_eq!(pair.jwk(), again.jwk());
            assert_eq!(again.algorithm(), algorithm);
            assert_eq!(pair.kid().len(), 43);
            assert!(!format!("{pair:?}").contains("key:"));
        }
    }

    #[test]
    fn what_is_no_private_key_is_refused() {
        for pem in [
            "",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert!(Pair::from_pem(pem.as_bytes()).is_err());
        }
    }
}

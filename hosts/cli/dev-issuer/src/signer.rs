//! Keys that sign tokens.

use std::sync::Arc;

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rand::{SecureRandom, SystemRandom},
    rsa::KeySize,
    signature::{
        self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding,
        RsaKeyPair,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};

use crate::error::Error;

/// A private key with its `kid` and its one algorithm (RFC 7517 §4.4).
#[derive(Clone)]
pub struct Signer {
    /// As the header and the key set name it.
    pub kid: Option<String>,
    algorithm: &'static Algorithm,
    key: Arc<Key>,
}

/// An algorithm of RFC 7518 §3.1 or RFC 8037 §3.1.
struct Algorithm {
    name: &'static str,
    family: Family,
}

enum Family {
    Rsa(&'static dyn RsaEncoding),
    /// With the name of the curve.
    Ec(&'static EcdsaSigningAlgorithm, &'static str),
    Ed25519,
    Hmac(hmac::Algorithm),
}

#[rustfmt::skip] // one algorithm a line
static ALGORITHMS: [Algorithm; 13] = [
    Algorithm { name: "RS256", family: Family::Rsa(&aws::RSA_PKCS1_SHA256) },
    Algorithm { name: "RS384", family: Family::Rsa(&aws::RSA_PKCS1_SHA384) },
    Algorithm { name: "RS512", family: Family::Rsa(&aws::RSA_PKCS1_SHA512) },
    Algorithm { name: "PS256", family: Family::Rsa(&aws::RSA_PSS_SHA256) },
    Algorithm { name: "PS384", family: Family::Rsa(&aws::RSA_PSS_SHA384) },
    Algorithm { name: "PS512", family: Family::Rsa(&aws::RSA_PSS_SHA512) },
    Algorithm { name: "ES256", family: Family::Ec(&aws::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256") },
    Algorithm { name: "ES384", family: Family::Ec(&aws::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384") },
    Algorithm { name: "ES512", family: Family::Ec(&aws::ECDSA_P521_SHA512_FIXED_SIGNING, "P-521") },
    Algorithm { name: "EdDSA", family: Family::Ed25519 },
    Algorithm { name: "HS256", family: Family::Hmac(hmac::HMAC_SHA256) },
    Algorithm { name: "HS384", family: Family::Hmac(hmac::HMAC_SHA384) },
    Algorithm { name: "HS512", family: Family::Hmac(hmac::HMAC_SHA512) },
];

/// The algorithms whose keys can be published, which an issuer can sign with.
pub const PUBLISHABLE: [&str; 10] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
];

enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Secret(Vec<u8>),
}

impl Signer {
    /// A new key with a random `kid`, for one of [`PUBLISHABLE`] or `HS256`,
    /// `HS384`, `HS512`.
    ///
    /// # Errors
    /// The algorithm is not known here, or the system has no randomness.
    pub fn generate(algorithm: &str) -> Result<Self, Error> {
        let algorithm = Algorithm::of(algorithm)?;
        let name: [u8; 4] = random()?;
        let name = name
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        Ok(Self {
            kid: Some(format!("dev-{name}")),
            algorithm,
            key: Arc::new(Key::generate(algorithm)?),
        })
    }

    /// A shared secret, in base64url as a policy has it, for `HS256`, `HS384` or
    /// `HS512`.
    ///
    /// # Errors
    /// The secret is not base64url, or the algorithm is not known here.
    pub fn from_secret(kid: Option<&str>, algorithm: &str, secret: &str) -> Result<Self, Error> {
        let secret = URL_SAFE_NO_PAD
            .decode(secret)
            .map_err(|_| Error::key("`k` is not base64url"))?;
        Ok(Self {
            kid: kid.map(str::to_owned),
            algorithm: Algorithm::of(algorithm)?,
            key: Arc::new(Key::Secret(secret)),
        })
    }

    /// A new key with the same `kid` and algorithm: its tokens are forged.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn forged(&self) -> Result<Self, Error> {
        let key = Arc::new(Key::generate(self.algorithm)?);
        Ok(Self {
            key,
            ..self.clone()
        })
    }

    /// From what [`Self::to_private`] made.
    pub(crate) fn from_private(private: &Value) -> Result<Self, Error> {
        let text = |name: &str| {
            let text = private.get(name).and_then(Value::as_str);
            text.ok_or_else(|| Error::key(format!("a key has no `{name}`")))
        };
        let algorithm = Algorithm::of(text("alg")?)?;
        let pkcs8 = URL_SAFE_NO_PAD
            .decode(text("pkcs8")?)
            .map_err(|_| Error::key("`pkcs8` is not base64url"))?;
        let key = match &algorithm.family {
            Family::Rsa(_) => RsaKeyPair::from_pkcs8(&pkcs8).map(Key::Rsa),
            Family::Ec(curve, _) => EcdsaKeyPair::from_pkcs8(curve, &pkcs8).map(Key::Ec),
            Family::Ed25519 => Ed25519KeyPair::from_pkcs8(&pkcs8).map(Key::Ed25519),
            Family::Hmac(_) => return Err(Error::key("a shared secret is not kept")),
        };
        let key = Arc::new(key.map_err(|_| Error::key("a key is damaged"))?);
        Ok(Self {
            kid: Some(text("kid")?.to_owned()),
            algorithm,
            key,
        })
    }

    /// `{ "kid", "alg", "pkcs8" }`, the last in base64url; a shared secret is
    /// not kept.
    pub(crate) fn to_private(&self) -> Option<Value> {
        let pkcs8 = match &*self.key {
            Key::Rsa(key) => key.as_der().ok()?.as_ref().to_vec(),
            Key::Ec(key) => key.to_pkcs8v1().ok()?.as_ref().to_vec(),
            Key::Ed25519(key) => key.to_pkcs8v1().ok()?.as_ref().to_vec(),
            Key::Secret(_) => return None,
        };
        let pkcs8 = URL_SAFE_NO_PAD.encode(pkcs8);
        Some(json!({ "kid": self.kid, "alg": self.algorithm.name, "pkcs8": pkcs8 }))
    }

    /// The public JWK (RFC 7517 §4); `None` of a shared secret.
    pub fn to_public_jwk(&self) -> Option<Value> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match (&*self.key, &self.algorithm.family) {
            (Key::Rsa(key), _) => {
                let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
                let (n, e) = (
                    n.big_endian_without_leading_zero(),
                    e.big_endian_without_leading_zero(),
                );
                json!({ "kty": "RSA", "n": encode(n), "e": encode(e) })
            }
            (Key::Ec(key), Family::Ec(_, curve)) => {
                // Uncompressed: 4, then the coordinates (SEC 1 §2.3.3).
                let point = key.public_key().as_ref().get(1..)?;
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
            }
            (Key::Ed25519(key), _) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key().as_ref()) })
            }
            (Key::Ec(_) | Key::Secret(_), _) => return None,
        };
        jwk["alg"] = json!(self.algorithm.name);
        jwk["use"] = json!("sig");
        jwk["kid"] = json!(self.kid);
        Some(jwk)
    }

    /// The public key as PEM (RFC 7468 §13); `None` of a shared secret.
    pub fn to_public_pem(&self) -> Option<String> {
        let der: PublicKeyX509Der<'_> = match &*self.key {
            Key::Rsa(key) => key.public_key().as_der(),
            Key::Ec(key) => key.public_key().as_der(),
            Key::Ed25519(key) => key.public_key().as_der(),
            Key::Secret(_) => return None,
        }
        .ok()?;
        let text = STANDARD.encode(der.as_ref());
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines = lines.collect::<Vec<_>>().join("\n");
        Some(format!(
            "-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
        ))
    }

    /// The `alg` that it signs with.
    pub fn algorithm(&self) -> &'static str {
        self.algorithm.name
    }

    /// A compact JWS (RFC 7515 §3.1) over `claims`. `alg` and `kid` go into
    /// the header, unless `header` has its own.
    ///
    /// # Errors
    /// The key cannot sign with its algorithm.
    pub fn sign(
        &self,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, Error> {
        let mut full = Map::new();
        full.insert("alg".to_owned(), json!(self.algorithm.name));
        if let Some(kid) = &self.kid {
            full.insert("kid".to_owned(), json!(kid));
        }
        full.extend(header.clone());
        let encode =
            |part: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(part).to_string());
        let input = format!("{}.{}", encode(full), encode(claims.clone()));
        let signature = self.sign_bytes(input.as_bytes())?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn sign_bytes(&self, input: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        let signed = match (&*self.key, &self.algorithm.family) {
            (Key::Rsa(key), Family::Rsa(padding)) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*padding, &random, input, &mut signature)
                    .map(|()| signature)
            }
            (Key::Ec(key), _) => key
                .sign(&random, input)
                .map(|signature| signature.as_ref().to_vec()),
            (Key::Ed25519(key), _) => Ok(key.sign(input).as_ref().to_vec()),
            (Key::Secret(secret), Family::Hmac(hash)) => {
                let key = hmac::Key::new(*hash, secret);
                Ok(hmac::sign(&key, input).as_ref().to_vec())
            }
            _ => {
                let name = self.algorithm.name;
                return Err(Error::key(format!("this key cannot sign with `{name}`")));
            }
        };
        signed.map_err(|_| Error::key("the token could not be signed"))
    }
}

impl Algorithm {
    fn of(name: &str) -> Result<&'static Self, Error> {
        let found = ALGORITHMS.iter().find(|algorithm| algorithm.name == name);
        found.ok_or_else(|| Error::key(format!("`{name}` keys cannot be made here")))
    }
}

impl Key {
    fn generate(algorithm: &Algorithm) -> Result<Self, Error> {
        let key = match &algorithm.family {
            Family::Rsa(_) => RsaKeyPair::generate(KeySize::Rsa2048).map(Self::Rsa),
            Family::Ec(curve, _) => EcdsaKeyPair::generate(curve).map(Self::Ec),
            Family::Ed25519 => Ed25519KeyPair::generate().map(Self::Ed25519),
            Family::Hmac(_) => return Ok(Self::Secret(random::<64>()?.to_vec())),
        };
        key.map_err(|_| Error::key("the key could not be made"))
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled
        .map(|()| bytes)
        .map_err(|_| Error::key("there is no randomness"))
}

#[cfg(test)]
mod tests {
    use super::Signer;

    #[test]
    fn a_public_key_as_pem_begins_as_its_kind_does() {
        // The `AlgorithmIdentifier` of each kind (RFC 3279 §2.3, RFC 5480 §2.1,
        // RFC 8410 §4), and the start of the key.
        for (algorithm, start) in [
            ("RS256", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"),
            ("ES256", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"),
            ("EdDSA", "MCowBQYDK2VwAyEA"),
        ] {
            let pem = Signer::generate(algorithm)
                .unwrap()
                .to_public_pem()
                .unwrap();
            let body = pem.strip_prefix("-----BEGIN PUBLIC KEY-----\n").unwrap();
            assert!(body.starts_with(start), "{pem}");
            assert!(body.ends_with("\n-----END PUBLIC KEY-----\n"), "{pem}");
        }
        let secret = Signer::generate("HS256").unwrap();
        assert!(secret.to_public_pem().is_none());
    }
}

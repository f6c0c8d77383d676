//! Keys that sign: for development and for a user's own tests, never for
//! production. Nothing here verifies anything.

use std::sync::Arc;

use aws_lc_rs::{
    encoding::AsDer,
    hmac,
    rand::{SecureRandom, SystemRandom},
    rsa::KeySize,
    signature::{
        self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding,
        RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

/// A private key with its name and its one algorithm (RFC 7517 §4.4).
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) kid: Option<String>,
    algorithm: &'static Algorithm,
    key: Arc<Key>,
}

/// One row for each algorithm of RFC 7518 §3.1 and RFC 8037 §3.1.
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

/// The algorithms whose keys can be published: what an issuer signs with.
pub(crate) const PUBLISHABLE: [&str; 10] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
];

enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Secret(Vec<u8>),
}

impl Signer {
    /// A fresh key with a random `kid`.
    pub(crate) fn generate(algorithm: &str) -> Result<Self, String> {
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

    /// From a shared secret, as a policy has it.
    pub(crate) fn from_secret(
        kid: Option<&str>,
        algorithm: &str,
        secret: &str,
    ) -> Result<Self, String> {
        let secret = URL_SAFE_NO_PAD
            .decode(secret)
            .map_err(|_| "`k` is not base64url")?;
        Ok(Self {
            kid: kid.map(str::to_owned),
            algorithm: Algorithm::of(algorithm)?,
            key: Arc::new(Key::Secret(secret)),
        })
    }

    /// Another key under the same name: what it signs is forged.
    pub(crate) fn forger(&self) -> Result<Self, String> {
        let key = Arc::new(Key::generate(self.algorithm)?);
        Ok(Self {
            key,
            ..self.clone()
        })
    }

    /// From what [`Self::to_private`] made.
    pub(crate) fn from_private(private: &Value) -> Result<Self, String> {
        let text = |name: &str| {
            let text = private.get(name).and_then(Value::as_str);
            text.ok_or_else(|| format!("a key has no `{name}`"))
        };
        let algorithm = Algorithm::of(text("alg")?)?;
        let pkcs8 = URL_SAFE_NO_PAD
            .decode(text("pkcs8")?)
            .map_err(|_| "`pkcs8` is not base64url")?;
        let key = match &algorithm.family {
            Family::Rsa(_) => RsaKeyPair::from_pkcs8(&pkcs8).map(Key::Rsa),
            Family::Ec(curve, _) => EcdsaKeyPair::from_pkcs8(curve, &pkcs8).map(Key::Ec),
            Family::Ed25519 => Ed25519KeyPair::from_pkcs8(&pkcs8).map(Key::Ed25519),
            Family::Hmac(_) => return Err("a shared secret is not kept".to_owned()),
        };
        let key = Arc::new(key.map_err(|_| "a key is damaged")?);
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

    /// The public JWK; a shared secret has none.
    pub(crate) fn to_public_jwk(&self) -> Option<Value> {
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

    /// As the header names it.
    pub(crate) fn algorithm(&self) -> &'static str {
        self.algorithm.name
    }

    /// A compact JWS (RFC 7515 §3.1) over `claims`. `alg` and `kid` go into
    /// the header, unless `header` says otherwise.
    pub(crate) fn sign(
        &self,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, String> {
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

    fn sign_bytes(&self, input: &[u8]) -> Result<Vec<u8>, String> {
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
                return Err(format!(
                    "this key cannot sign with `{}`",
                    self.algorithm.name
                ));
            }
        };
        signed.map_err(|_| "the token could not be signed".to_owned())
    }
}

impl Algorithm {
    fn of(name: &str) -> Result<&'static Self, String> {
        let found = ALGORITHMS.iter().find(|algorithm| algorithm.name == name);
        found.ok_or_else(|| format!("`{name}` keys cannot be made here"))
    }
}

impl Key {
    fn generate(algorithm: &Algorithm) -> Result<Self, String> {
        let key = match &algorithm.family {
            Family::Rsa(_) => RsaKeyPair::generate(KeySize::Rsa2048).map(Self::Rsa),
            Family::Ec(curve, _) => EcdsaKeyPair::generate(curve).map(Self::Ec),
            Family::Ed25519 => Ed25519KeyPair::generate().map(Self::Ed25519),
            Family::Hmac(_) => return Ok(Self::Secret(random::<64>()?.to_vec())),
        };
        key.map_err(|_| "the key could not be made".to_owned())
    }
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled
        .map(|()| bytes)
        .map_err(|_| "there is no randomness".to_owned())
}

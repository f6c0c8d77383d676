//! Keys that sign: for development and for a user's own tests, never for
//! production. Nothing here verifies anything.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use getrandom::{SysRng, rand_core::UnwrapErr};
use hmac::{Hmac, KeyInit, Mac};
use rsa::{
    BoxedUint, RsaPrivateKey,
    pkcs1v15::SigningKey,
    signature::{SignatureEncoding, Signer as _},
    traits::{PrivateKeyParts, PublicKeyParts},
};
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};

/// The algorithms that [`Signer::generate`] makes keys for.
pub(crate) const ALGORITHMS: [&str; 3] = ["RS256", "RS384", "RS512"];

/// A private key with its name and its one algorithm (RFC 7517 §4.4).
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) kid: Option<String>,
    /// `alg`, as RFC 7518 §3.1 names it.
    pub(crate) algorithm: String,
    key: Key,
}

#[derive(Clone, Debug)]
enum Key {
    Rsa(Box<RsaPrivateKey>),
    Secret(Vec<u8>),
}

impl Signer {
    /// A fresh key with a random `kid`.
    pub(crate) fn generate(algorithm: &str) -> Result<Self, String> {
        if !ALGORITHMS.contains(&algorithm) {
            let known = ALGORITHMS.join(", ");
            return Err(format!(
                "`{algorithm}` keys cannot be made here: take one of {known}"
            ));
        }
        let key = RsaPrivateKey::new(&mut UnwrapErr(SysRng), 2048)
            .map_err(|error| format!("the key could not be made: {error}"))?;
        Ok(Self {
            kid: Some(random_kid()?),
            algorithm: algorithm.to_owned(),
            key: Key::Rsa(Box::new(key)),
        })
    }

    /// Another key under the same name: what it signs is forged.
    pub(crate) fn forger(&self) -> Result<Self, String> {
        let key = match &self.key {
            Key::Rsa(_) => Self::generate(&self.algorithm)?.key,
            Key::Secret(secret) => Key::Secret(secret.iter().map(|byte| !byte).collect()),
        };
        Ok(Self {
            kid: self.kid.clone(),
            algorithm: self.algorithm.clone(),
            key,
        })
    }

    /// From a private JWK: `RSA` (RFC 7518 §6.3) or `oct` (§6.4).
    pub(crate) fn from_jwk(jwk: &Value) -> Result<Self, String> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| {
            let encoded = text(name).ok_or_else(|| format!("the key has no `{name}`"))?;
            URL_SAFE_NO_PAD
                .decode(encoded)
                .map_err(|_| format!("`{name}` is not base64url"))
        };
        let algorithm = text("alg").ok_or("the key has no `alg`")?.to_owned();
        let key = match text("kty") {
            Some("RSA") => {
                let number = |name| {
                    bytes(name).map(|bytes| BoxedUint::from_be_slice_vartime(bytes.as_slice()))
                };
                let primes = vec![number("p")?, number("q")?];
                let key = RsaPrivateKey::from_components(
                    number("n")?,
                    number("e")?,
                    number("d")?,
                    primes,
                );
                Key::Rsa(Box::new(key.map_err(|_| "the RSA key is not consistent")?))
            }
            Some("oct") => Key::Secret(bytes("k")?),
            _ => return Err("the key is neither `RSA` nor `oct`".to_owned()),
        };
        Ok(Self {
            kid: text("kid").map(str::to_owned),
            algorithm,
            key,
        })
    }

    /// The private JWK.
    pub(crate) fn to_jwk(&self) -> Value {
        let mut jwk = self.public_members();
        match &self.key {
            Key::Rsa(key) => {
                jwk.insert("d".to_owned(), integer(key.d()));
                for (name, prime) in ["p", "q"].into_iter().zip(key.primes()) {
                    jwk.insert(name.to_owned(), integer(prime));
                }
            }
            Key::Secret(secret) => {
                jwk.insert("k".to_owned(), json!(URL_SAFE_NO_PAD.encode(secret)));
            }
        }
        Value::Object(jwk)
    }

    /// The public JWK; a secret has none.
    pub(crate) fn to_public_jwk(&self) -> Option<Value> {
        matches!(self.key, Key::Rsa(_)).then(|| Value::Object(self.public_members()))
    }

    fn public_members(&self) -> Map<String, Value> {
        let mut jwk = Map::new();
        match &self.key {
            Key::Rsa(key) => {
                jwk.insert("kty".to_owned(), json!("RSA"));
                jwk.insert("n".to_owned(), integer(key.n()));
                jwk.insert("e".to_owned(), integer(key.e()));
            }
            Key::Secret(_) => {
                jwk.insert("kty".to_owned(), json!("oct"));
            }
        }
        jwk.insert("alg".to_owned(), json!(self.algorithm));
        jwk.insert("use".to_owned(), json!("sig"));
        if let Some(kid) = &self.kid {
            jwk.insert("kid".to_owned(), json!(kid));
        }
        jwk
    }

    /// A compact JWS (RFC 7515 §3.1) over `claims`. `alg` and `kid` go into
    /// the header, unless `header` says otherwise.
    pub(crate) fn sign(
        &self,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, String> {
        let mut full = Map::new();
        full.insert("alg".to_owned(), json!(self.algorithm));
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
        macro_rules! rsa {
            ($key:expr, $hash:ty) => {
                SigningKey::<$hash>::new(RsaPrivateKey::clone($key))
                    .sign(input)
                    .to_vec()
            };
        }
        macro_rules! hmac {
            ($secret:expr, $hash:ty) => {{
                let mut mac = Hmac::<$hash>::new_from_slice($secret)
                    .map_err(|_| "the secret cannot be used".to_owned())?;
                mac.update(input);
                mac.finalize().into_bytes().to_vec()
            }};
        }
        Ok(match (&self.key, self.algorithm.as_str()) {
            (Key::Rsa(key), "RS256") => rsa!(key, Sha256),
            (Key::Rsa(key), "RS384") => rsa!(key, Sha384),
            (Key::Rsa(key), "RS512") => rsa!(key, Sha512),
            (Key::Secret(secret), "HS256") => hmac!(secret, Sha256),
            (Key::Secret(secret), "HS384") => hmac!(secret, Sha384),
            (Key::Secret(secret), "HS512") => hmac!(secret, Sha512),
            (_, other) => return Err(format!("this key cannot sign with `{other}`")),
        })
    }
}

/// Base64urlUInt: big-endian without leading zeros (RFC 7518 §2).
fn integer(number: &BoxedUint) -> Value {
    let bytes = number.to_be_bytes();
    let start = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    json!(URL_SAFE_NO_PAD.encode(&bytes[start..]))
}

fn random_kid() -> Result<String, String> {
    let number = getrandom::u32().map_err(|error| format!("no randomness: {error}"))?;
    Ok(format!("dev-{number:08x}"))
}

//! The tokens of the bench, signed with the test keys of the repository.

use std::{fs, path::Path, time::SystemTime};

use anyhow::{Context, Result, bail};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPairComponents, PublicKeyComponents},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256,
        RSA_PSS_SHA256, RsaKeyPair,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "platform";

/// This is longer than any run.
const LIFETIME_S: u64 = 12 * 3600;

/// The algorithms with their own rows, if the gate supports them.
pub(crate) fn algorithms() -> Vec<&'static str> {
    let rows = ["RS256", "PS256", "ES256", "EdDSA"].into_iter();
    rows.filter(|name| countersign::Algorithm::from_name(name).is_some())
        .collect()
}

/// A key and its algorithm.
pub(crate) struct Signer {
    pub(crate) algorithm: &'static str,
    kid: String,
    key: Key,
    jwk: Value,
}

enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Secret(Box<aws_lc_rs::hmac::Key>),
}

impl Signer {
    pub(crate) fn new(algorithm: &'static str) -> Result<Self> {
        let file = match algorithm {
            "RS256" | "PS256" => "rsa-2048-a",
            "ES256" => "ec-p256",
            "EdDSA" => "ed25519",
            "HS256" => "hmac-512",
            _ => bail!("no test key is for {algorithm}"),
        };
        let jwk = test_key(file)?;
        let part = |name: &str| part(&jwk, name);
        let key = match algorithm {
            "RS256" | "PS256" => Key::Rsa(RsaKeyPair::from_components(&KeyPairComponents {
                public_key: PublicKeyComponents {
                    n: part("n")?,
                    e: part("e")?,
                },
                d: part("d")?,
                p: part("p")?,
                q: part("q")?,
                dP: part("dp")?,
                dQ: part("dq")?,
                qInv: part("qi")?,
            })?),
            "ES256" => {
                let point = [vec![4], part("x")?, part("y")?].concat();
                let curve = &ECDSA_P256_SHA256_FIXED_SIGNING;
                Key::Ec(EcdsaKeyPair::from_private_key_and_public_key(
                    curve,
                    &part("d")?,
                    &point,
                )?)
            }
            "EdDSA" => Key::Ed(Ed25519KeyPair::from_seed_and_public_key(
                &part("d")?,
                &part("x")?,
            )?),
            _ => Key::Secret(Box::new(aws_lc_rs::hmac::Key::new(
                aws_lc_rs::hmac::HMAC_SHA256,
                &part("k")?,
            ))),
        };
        Ok(Self {
            algorithm,
            kid: file.into(),
            key,
            jwk,
        })
    }

    /// The JWK that an issuer publishes; for a secret, the JWK in a policy.
    pub(crate) fn public_jwk(&self) -> Value {
        public(self.jwk.clone(), self.algorithm)
    }

    /// Makes distinct tokens, of about 650 bytes with RSA.
    pub(crate) fn tokens(&self, count: usize) -> Result<Vec<String>> {
        (0..count)
            .map(|number| self.token(ISSUER, number))
            .collect()
    }

    /// Makes the token with this number.
    pub(crate) fn token(&self, issuer: &str, number: usize) -> Result<String> {
        let header = json!({ "alg": self.algorithm, "kid": self.kid, "typ": "JWT" });
        let now_s = now_ms() / 1000;
        let claims = json!({
            "iss": issuer,
            "aud": AUDIENCE,
            "sub": format!("user-{number:06}"),
            "jti": format!("{number:012x}"),
            "iat": now_s,
            "exp": now_s + LIFETIME_S,
            "typ": "pat",
            "tenant_id": "acme",
            "scope": "api:assets:read",
        });
        let input = [header, claims]
            .map(|part| BASE64URL.encode(part.to_string()))
            .join(".");
        let signature = BASE64URL.encode(self.sign(input.as_bytes())?);
        Ok([input, signature].join("."))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        Ok(match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let pss = self.algorithm.starts_with("PS");
                let padding = if pss {
                    &RSA_PSS_SHA256
                } else {
                    &RSA_PKCS1_SHA256
                };
                key.sign(padding, &random, message, &mut signature)?;
                signature
            }
            Key::Ec(key) => key.sign(&random, message)?.as_ref().into(),
            Key::Ed(key) => key.sign(message).as_ref().into(),
            Key::Secret(key) => aws_lc_rs::hmac::sign(key, message).as_ref().into(),
        })
    }
}

/// A second RSA key, as during a key rotation.
pub(crate) fn next_rsa_jwk() -> Result<Value> {
    let jwk = test_key("rsa-2048-b")?;
    Ok(
        json!({ "kty": jwk["kty"], "kid": jwk["kid"], "alg": "RS256", "n": jwk["n"], "e": jwk["e"] }),
    )
}

/// The P-521 test key, which takes the longest time to read.
pub(crate) fn p521_jwk() -> Result<Value> {
    Ok(public(test_key("ec-p521")?, "ES512"))
}

fn public(mut jwk: Value, algorithm: &str) -> Value {
    if let Some(members) = jwk.as_object_mut() {
        for private in ["d", "p", "q", "dp", "dq", "qi"] {
            members.remove(private);
        }
        members.insert("alg".into(), algorithm.into());
    }
    jwk
}

pub(crate) fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since_1970.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

fn test_key(name: &str) -> Result<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../keys")
        .join(name);
    let path = path.with_extension("json");
    let text = fs::read(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_slice(&text)?)
}

fn part(jwk: &Value, name: &str) -> Result<Vec<u8>> {
    let text = jwk[name]
        .as_str()
        .with_context(|| format!("the key has no `{name}`"))?;
    Ok(BASE64URL.decode(text)?)
}

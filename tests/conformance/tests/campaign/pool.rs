//! The keys of a campaign, the policy that has them, and signed tokens. Private
//! operations of RSA are slow, so that a campaign signs a little and changes much.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

use crate::{
    curves::{Curve, Ecdsa, Ed25519},
    random::Random,
    rsa::{self, Hash, Pkcs1, Pss},
};

/// Seconds since the epoch.
pub(crate) const NOW_S: u64 = 1_767_225_600;

const RSA: [&str; 6] = ["RS256", "PS256", "RS384", "PS384", "RS512", "PS512"];

/// Sizes and exponents: those that every host takes, and those of which a host is
/// never asked.
const MODULI: [(u64, &[u64]); 8] = [
    (
        2048,
        &[65_537, 3, 17, (1 << 31) - 1, (1 << 31) + 1, (1 << 32) - 1],
    ),
    (2049, &[65_537, 3]),
    (2050, &[65_537, (1 << 31) - 1]),
    (2056, &[65_537]),
    (2058, &[65_539]),
    (3071, &[65_537]),
    (3072, &[65_537, 17]),
    (4096, &[65_537]),
];

pub(crate) struct Key {
    /// Up to three keys have the same.
    pub(crate) kid: String,
    pub(crate) algorithm: &'static str,
    pub(crate) secret: Secret,
}

pub(crate) enum Secret {
    Rsa(Arc<rsa::Private>),
    Ecdsa(Ecdsa),
    Ed25519(Ed25519),
    Hmac(Vec<u8>),
}

/// A token whose header names one key.
pub(crate) struct Token {
    /// That key: an index.
    pub(crate) key: usize,
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) signature: Vec<u8>,
    /// Whether it is good as it stands, if that is known.
    pub(crate) is_good: Option<bool>,
}

pub(crate) struct Pool {
    pub(crate) keys: Vec<Key>,
    pub(crate) tokens: Vec<Token>,
}

impl Pool {
    pub(crate) fn new(random: &mut Random) -> Self {
        let keys = keys(random);
        let mut pool = Self {
            keys,
            tokens: Vec::new(),
        };
        for key in 0..pool.keys.len() {
            pool.sign(random, key);
        }
        pool
    }

    /// Chooses a token: every kind of algorithm alike, a third of them good.
    pub(crate) fn token(&self, random: &mut Random) -> &Token {
        let kind = *random.of(&["RS", "PS", "ES", "Ed", "HS"]);
        let wants_good = random.one_in(3);
        loop {
            let token = random.of(&self.tokens);
            let is_kind = self.keys[token.key].algorithm.starts_with(kind);
            if is_kind && (!wants_good || token.is_good == Some(true)) {
                return token;
            }
        }
    }

    /// The policy with all keys.
    pub(crate) fn policy(&self) -> String {
        let mut jwks = Vec::new();
        let mut secrets = Vec::new();
        for key in &self.keys {
            let mut jwk = match &key.secret {
                Secret::Rsa(key) => json!({ "kty": "RSA",
                    "n": B64.encode(key.n.to_bytes_be()), "e": B64.encode(key.e.to_bytes_be()) }),
                Secret::Ecdsa(key) => {
                    let point = key.public();
                    let (x, y) = point.split_at(key.curve.length());
                    let name = match key.curve {
                        Curve::P256 => "P-256",
                        Curve::P384 => "P-384",
                        Curve::P521 => "P-521",
                    };
                    json!({ "kty": "EC", "crv": name, "x": B64.encode(x), "y": B64.encode(y) })
                }
                Secret::Ed25519(key) => {
                    json!({ "kty": "OKP", "crv": "Ed25519", "x": B64.encode(key.public()) })
                }
                Secret::Hmac(secret) => json!({ "k": B64.encode(secret) }),
            };
            jwk["kid"] = key.kid.clone().into();
            jwk["alg"] = key.algorithm.into();
            match key.secret {
                Secret::Hmac(_) => secrets.push(jwk),
                _ => jwks.push(jwk),
            }
        }
        let (symmetric, public): (Vec<&str>, Vec<&str>) =
            algorithms().partition(|algorithm| algorithm.starts_with("HS"));
        json!({ "contract": "1", "remember": false,
            "issuers": [{ "name": "a", "issuer": "https://a.test", "audiences": "any",
                "algorithms": algorithms().collect::<Vec<_>>(),
                "keys": [{ "jwks": { "keys": jwks }, "algorithms": public },
                    { "secrets": secrets, "algorithms": symmetric }] }],
            "rules": [{ "path": "/**", "require": {} }] })
        .to_string()
    }

    /// Adds tokens of a key: good ones, ones with bad paddings, and ones whose
    /// header names another key or algorithm.
    fn sign(&mut self, random: &mut Random, key: usize) {
        for _ in 0..2 {
            self.add(random, key, key, Some(true), |key, random, input| {
                key.sign(random, input)
            });
        }
        // The next key can have the same number and another algorithm.
        for other in [(key + 1) % self.keys.len(), random.below(self.keys.len())] {
            let is_same = key == other;
            self.add(
                random,
                other,
                key,
                is_same.then_some(true),
                |key, random, input| key.sign(random, input),
            );
        }
        let algorithm = self.keys[key].algorithm;
        match &self.keys[key].secret {
            Secret::Rsa(_) if algorithm.starts_with("RS") => {
                for bad in Pkcs1::BAD {
                    self.add_rsa(random, key, Some(false), move |rsa, hash, input| {
                        rsa.pkcs1(hash, input, bad)
                    });
                }
            }
            Secret::Rsa(_) => {
                let hash = Hash::of(algorithm);
                for length in [0, 1, 20, hash.length() - 1, hash.length() + 1, 100] {
                    let salt = random.bytes(length);
                    self.add_rsa(random, key, Some(false), move |rsa, hash, input| {
                        rsa.pss(hash, input, &salt, Pss::Good)
                    });
                }
                for bad in Pss::BAD {
                    // Some sizes leave no bit unused.
                    let is_good = (bad != Pss::TopBit).then_some(false);
                    let salt = random.bytes(hash.length());
                    self.add_rsa(random, key, is_good, move |rsa, hash, input| {
                        rsa.pss(hash, input, &salt, bad)
                    });
                }
            }
            Secret::Ed25519(_) => {
                for torsion in 0..8 {
                    self.add(random, key, key, None, |key, random, input| {
                        let Secret::Ed25519(key) = &key.secret else {
                            unreachable!("it is matched above")
                        };
                        key.sign(random, input, torsion)
                    });
                }
            }
            Secret::Ecdsa(_) | Secret::Hmac(_) => {}
        }
    }

    fn add_rsa(
        &mut self,
        random: &mut Random,
        key: usize,
        is_good: Option<bool>,
        sign: impl Fn(&rsa::Private, Hash, &[u8]) -> Vec<u8>,
    ) {
        self.add(random, key, key, is_good, |key, _, input| {
            let Secret::Rsa(rsa) = &key.secret else {
                unreachable!("it is a key of RSA")
            };
            sign(rsa, Hash::of(key.algorithm), input)
        });
    }

    fn add(
        &mut self,
        random: &mut Random,
        named: usize,
        signs: usize,
        is_good: Option<bool>,
        sign: impl Fn(&Key, &mut Random, &[u8]) -> Vec<u8>,
    ) {
        let key = &self.keys[named];
        let header = json!({ "alg": key.algorithm, "kid": key.kid });
        let claims = json!({ "iss": "https://a.test", "exp": NOW_S + 600, "n": random.next() });
        let input = input(&header, &claims);
        // A key with a component of low order signs some messages only.
        let is_mixed = matches!(&self.keys[signs].secret, Secret::Ed25519(key) if key.is_mixed());
        self.tokens.push(Token {
            key: named,
            signature: sign(&self.keys[signs], random, input.as_bytes()),
            header,
            claims,
            is_good: is_good.filter(|_| !is_mixed),
        });
    }
}

/// What is signed.
pub(crate) fn input(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| B64.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn algorithms() -> impl Iterator<Item = &'static str> {
    let others = [
        "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512",
    ];
    RSA.into_iter().chain(others)
}

fn keys(random: &mut Random) -> Vec<Key> {
    let mut secrets: Vec<(&'static str, Secret)> = Vec::new();
    let mut turn = 0;
    for (bits, exponents) in MODULI {
        for private in rsa::keys(random, bits, exponents) {
            let private = Arc::new(private);
            // Two algorithms of the same numbers; each comes in its turn.
            for _ in 0..2 {
                let algorithm = RSA[turn % RSA.len()];
                secrets.push((algorithm, Secret::Rsa(Arc::clone(&private))));
                turn += 1;
            }
        }
    }
    for (curve, name, count) in [
        (Curve::P256, "ES256", 4),
        (Curve::P384, "ES384", 3),
        (Curve::P521, "ES512", 3),
    ] {
        for _ in 0..count {
            secrets.push((name, Secret::Ecdsa(Ecdsa::new(random, curve))));
        }
    }
    for torsion in [0, 0, 0, 1, 2, 4, 7] {
        secrets.push(("EdDSA", Secret::Ed25519(Ed25519::new(random, torsion))));
    }
    for (name, length) in [
        ("HS256", 32),
        ("HS256", 64),
        ("HS256", 65),
        ("HS384", 48),
        ("HS384", 129),
        ("HS512", 64),
        ("HS512", 200),
    ] {
        secrets.push((name, Secret::Hmac(random.bytes(length))));
    }
    let key = |(index, (algorithm, secret)): (usize, _)| Key {
        kid: format!("k{}", index / 3),
        algorithm,
        secret,
    };
    secrets.into_iter().enumerate().map(key).collect()
}

impl Key {
    fn sign(&self, random: &mut Random, input: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Rsa(key) if self.algorithm.starts_with("RS") => {
                key.pkcs1(Hash::of(self.algorithm), input, Pkcs1::Good)
            }
            Secret::Rsa(key) => {
                let hash = Hash::of(self.algorithm);
                key.pss(hash, input, &random.bytes(hash.length()), Pss::Good)
            }
            Secret::Ecdsa(key) => key.sign(input),
            Secret::Ed25519(key) => key.sign(random, input, 0),
            Secret::Hmac(secret) => match self.algorithm {
                "HS256" => mac::<Hmac<Sha256>>(secret, input),
                "HS384" => mac::<Hmac<Sha384>>(secret, input),
                _ => mac::<Hmac<Sha512>>(secret, input),
            },
        }
    }
}

fn mac<M: Mac + KeyInit>(secret: &[u8], input: &[u8]) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes any length");
    mac.chain_update(input).finalize().into_bytes().to_vec()
}

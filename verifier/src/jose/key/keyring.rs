//! The keys of one issuer (RFC 7517 §5).

use alloc::{format, string::String, sync::Arc, vec::Vec};

use super::{
    Key, jwk,
    set::{KeySet, Reading, parse_document},
};
use crate::{
    base::{Limits, Map, Problem},
    jose::{Algorithm, Jws},
    json::{Object, Value},
    refusal::Code,
};

/// The usable keys of one issuer.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: Vec<Arc<Key>>,
    /// Indices into `keys`.
    by_kid: Map<Vec<usize>>,
}

impl Keyring {
    /// Parses a JWK Set. It skips and reports keys that cannot be used. An
    /// empty set is valid and withdraws every key.
    ///
    /// # Errors
    /// The whole set is refused if it is not strict JSON, exceeds a limit,
    /// contains a symmetric key, or has keys but none that can be used.
    pub fn parse(
        jwks: &[u8],
        algorithms: &[Algorithm],
        limits: &Limits,
    ) -> Result<(Self, Vec<Problem>), Problem> {
        let nothing = Keyring::default();
        let mut reading = Reading::new(jwks.to_vec(), limits);
        loop {
            if let Some(keys) = reading.step(algorithms, &nothing)? {
                return Ok(keys);
            }
        }
    }

    /// Reads a parsed JWK Set. Pointers of problems start at `pointer`.
    pub(crate) fn from_value(
        jwks: &Value<'_>,
        algorithms: &[Algorithm],
        limits: &Limits,
        pointer: &str,
    ) -> Result<(Self, Vec<Problem>), Problem> {
        let keys = jwks
            .as_object()
            .and_then(|set| set.get("keys"))
            .and_then(Value::as_array);
        let mut set = KeySet::new(limits, pointer);
        for (index, key) in keys.ok_or_else(|| set.not_a_set())?.iter().enumerate() {
            set.add(index, key, algorithms, &Keyring::default())?;
        }
        set.finish()
    }

    /// Parses HMAC secrets in the form of a policy's `secrets`:
    /// `[{ "kid"?, "k", "alg"? }]`.
    ///
    /// # Errors
    /// Every problem of every secret.
    pub fn parse_secrets(
        secrets: &[u8],
        algorithms: &[Algorithm],
        limits: &Limits,
    ) -> Result<Self, Vec<Problem>> {
        let value = parse_document(secrets, limits).map_err(|problem| Vec::from([problem]))?;
        Self::from_secrets(&value, algorithms, "")
    }

    /// Reads `[{ "kid"?, "k", "alg"? }]`: HMAC secrets of at least the length
    /// of the hash. Returns all problems; no message contains a secret.
    pub(crate) fn from_secrets(
        secrets: &Value<'_>,
        algorithms: &[Algorithm],
        pointer: &str,
    ) -> Result<Self, Vec<Problem>> {
        let entries = secrets.as_array().unwrap_or_default();
        if entries.is_empty() {
            let message = "secrets are an array of objects with `k`, and there is at least one";
            return Err(Vec::from([Problem::error(
                pointer,
                "secrets_invalid",
                message,
            )]));
        }
        let mut ring = Self::default();
        let mut problems = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let parsed = match entry {
                Value::Object(entry) => match unknown_member(entry) {
                    Some(name) => Err(format!(
                        "it has no field `{name}`; a secret has `kid`, `k` and `alg`"
                    )),
                    None => jwk::secret(entry, algorithms),
                },
                _ => Err("it is not an object".into()),
            };
            if let Err(why) = parsed.and_then(|key| ring.add(Arc::new(key))) {
                let message = format!("this secret cannot be used: {why}");
                problems.push(Problem::error(
                    format!("{pointer}/{index}"),
                    "key_unusable",
                    message,
                ));
            }
        }
        if problems.is_empty() {
            Ok(ring)
        } else {
            Err(problems)
        }
    }

    /// Verifies the signature of a token. It checks no claim.
    ///
    /// # Errors
    /// [`Code::KeyUnknown`], [`Code::KeyUnsuitable`] or
    /// [`Code::SignatureInvalid`].
    pub fn verify(&self, jws: &Jws<'_>) -> Result<(), Code> {
        self.verify_bytes(
            jws.kid.as_deref(),
            jws.algorithm,
            jws.signing_input,
            &jws.signature,
        )
    }

    /// Verifies a signature over any bytes, for test suites with known answers.
    /// [`Self::verify`] does the same for a token.
    ///
    /// # Errors
    /// The same as those of [`Self::verify`].
    pub fn verify_bytes(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Code> {
        if self.find(kid, algorithm)?.verify(message, signature) {
            Ok(())
        } else {
            Err(Code::SignatureInvalid)
        }
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Finds the key with the token's `kid`. Without a `kid`, it finds the only
    /// key for the algorithm: the gate never tries several keys.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Arc<Key>, Code> {
        match kid {
            Some(kid) => {
                let named = self.named(kid);
                if named.is_empty() {
                    return Err(Code::KeyUnknown);
                }
                let mut named = named.iter().filter_map(|index| self.keys.get(*index));
                named
                    .find(|key| key.algorithm == algorithm)
                    .ok_or(Code::KeyUnsuitable)
            }
            None => {
                let mut fitting = self.keys.iter().filter(|key| key.algorithm == algorithm);
                match (fitting.next(), fitting.next()) {
                    (Some(key), None) => Ok(key),
                    _ => Err(Code::KeyUnknown),
                }
            }
        }
    }

    fn named(&self, kid: &str) -> &[usize] {
        self.by_kid.get(kid.as_bytes()).map_or(&[], Vec::as_slice)
    }

    /// Returns the equal key of this ring, if there is one.
    pub(super) fn find_equal(&self, key: &Key) -> Option<&Arc<Key>> {
        let is_same = |known: &&Arc<Key>| ***known == *key;
        match &key.kid {
            Some(kid) => {
                let mut named = self.named(kid).iter().filter_map(|i| self.keys.get(*i));
                named.find(is_same)
            }
            None => self.keys.iter().find(is_same),
        }
    }

    pub(super) fn add(&mut self, key: Arc<Key>) -> Result<(), String> {
        if let Some(kid) = &key.kid {
            let mut named = self.named(kid).iter().filter_map(|i| self.keys.get(*i));
            if named.any(|known| known.algorithm == key.algorithm) {
                return Err("another key before it has the same `kid` and algorithm".into());
            }
            let index = self.keys.len();
            if let Some(named) = self.by_kid.get_or_default(kid.as_bytes()) {
                named.push(index);
            }
        }
        self.keys.push(key);
        Ok(())
    }
}

fn unknown_member<'e>(entry: &'e Object<'_>) -> Option<&'e str> {
    entry
        .iter()
        .map(|(name, _)| name)
        .find(|name| !matches!(*name, "kid" | "k" | "alg"))
}

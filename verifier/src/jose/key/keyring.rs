//! The keys of one document (RFC 7517 §5).

use alloc::{format, string::String, sync::Arc, vec::Vec};

use super::{
    Accepted, Asked, Candidates, HostKey, Key,
    jwk::{self, Unusable},
    set::{KeySet, Reading, parse_document},
};
use crate::{
    base::{Limits, Map, Problem},
    jose::{Algorithm, Jws},
    json::Value,
    refusal::Code,
};

/// A host's own cryptography: whether a signature is that of a key over a message.
pub type HostVerifies<'h> = dyn FnMut(Algorithm, HostKey, &[u8], &[u8]) -> bool + 'h;

/// The usable keys of one document.
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
        let accepted = Accepted {
            algorithms: algorithms.into(),
            ..Accepted::default()
        };
        let mut reading = Reading::new(jwks.to_vec(), limits, false);
        loop {
            if let Some(keys) = reading.step(&accepted, &nothing)? {
                return Ok(keys);
            }
        }
    }

    /// Reads the JWK Set of a policy. Pointers of problems start at the set.
    pub(crate) fn from_value(
        jwks: &Value<'_>,
        accepted: &Accepted,
        limits: &Limits,
    ) -> Result<(Self, Vec<Problem>), Problem> {
        let keys = jwks
            .as_object()
            .and_then(|set| set.get("keys"))
            .and_then(Value::as_array);
        let mut set = KeySet::new(limits, "/keys".into());
        for (index, key) in keys.ok_or_else(|| set.not_a_set())?.iter().enumerate() {
            if key.as_object().is_some_and(jwk::is_private) {
                let place = format!("/keys/{index}");
                return Err(Problem::error(place, "key_unusable", jwk::PRIVATE_KEY));
            }
            set.add_jwk(index, key, accepted, &Keyring::default())?;
        }
        set.finish()
    }

    /// Reads a document of one key: `PEM`, for the `kid` of its address.
    pub(crate) fn from_pem(
        kid: &str,
        pem: &[u8],
        accepted: &Accepted,
        old: &Keyring,
    ) -> Result<Self, Problem> {
        let text = core::str::from_utf8(pem).unwrap_or_default();
        let key = jwk::pem_key(Some(kid), None, text, accepted)
            .map_err(|why| Problem::error("", "key_unusable", why))?;
        let mut ring = Self::default();
        // A new ring has no equal key.
        let _ = ring.add(old.shared(key));
        Ok(ring)
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
        let accepted = Accepted {
            algorithms: algorithms.into(),
            ..Accepted::default()
        };
        Self::from_entries(&value, "k", &accepted)
    }

    /// Reads keys that the policy lists: `[{ "kid"?, "k", "alg"? }]`, HMAC
    /// secrets of at least the length of the hash, or `[{ "kid"?, "pem",
    /// "alg"? }]`. Returns all problems; no message contains a secret.
    pub(crate) fn from_entries(
        entries: &Value<'_>,
        member: &str,
        accepted: &Accepted,
    ) -> Result<Self, Vec<Problem>> {
        let entries = entries.as_array().unwrap_or_default();
        if entries.is_empty() {
            let message = "secrets are an array of objects with `k`, and there is at least one";
            return Err(Vec::from([Problem::error("", "secrets_invalid", message)]));
        }
        let mut ring = Self::default();
        let mut problems = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            if let Err(why) =
                entry_key(entry, member, accepted).and_then(|key| ring.add(Arc::new(key)))
            {
                let message = format!("this key cannot be used: {why}");
                problems.push(Problem::error(format!("/{index}"), "key_unusable", message));
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
        let mut found = Candidates::default();
        let asked = Asked {
            kid,
            algorithm,
            serves: None,
        };
        self.candidates(&asked, &mut found);
        let key = found.verifying(message, signature);
        key.map(drop).ok_or_else(|| found.code())
    }

    /// The same as [`Self::verify`], where a host verifies: it is asked about each
    /// key of which a gate with [`Native`](crate::Native) cryptography would ask.
    ///
    /// # Errors
    /// The same as those of [`Self::verify`].
    pub fn verify_by(&self, host: &mut HostVerifies<'_>, jws: &Jws<'_>) -> Result<(), Code> {
        let (message, signature) = (jws.signing_input, &jws.signature);
        self.verify_bytes_by(host, jws.kid.as_deref(), jws.algorithm, message, signature)
    }

    /// The same as [`Self::verify_bytes`], where a host verifies.
    ///
    /// # Errors
    /// The same as those of [`Self::verify`].
    pub fn verify_bytes_by(
        &self,
        host: &mut HostVerifies<'_>,
        kid: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Code> {
        let mut found = Candidates::default();
        let asked = Asked {
            kid,
            algorithm,
            serves: None,
        };
        self.candidates(&asked, &mut found);
        let key = found.tried().find(|key| match key.is_approved() {
            true => key.admits(signature) && host(algorithm, key.for_host(), message, signature),
            false => key.verify(message, signature),
        });
        key.map(drop).ok_or_else(|| found.code())
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Adds the keys that fit: those of the token's `kid`, or any if it has
    /// none.
    pub(crate) fn candidates<'k>(&'k self, asked: &Asked<'_>, found: &mut Candidates<'k>) {
        if let Some(kid) = asked.kid {
            for key in self.named(kid) {
                found.named = found.named.saturating_add(1);
                if asked.fits(key) {
                    found.add(key);
                }
            }
            return;
        }
        for key in &self.keys {
            if asked.fits(key) {
                found.add(key);
            }
            if found.too_many() {
                break;
            }
        }
    }

    fn named(&self, kid: &str) -> impl Iterator<Item = &Arc<Key>> {
        let indices = self.by_kid.get(kid.as_bytes());
        let indices = indices.map_or(&[][..], Vec::as_slice);
        indices.iter().filter_map(|index| self.keys.get(*index))
    }

    /// Returns whether there is a key of this `kid`.
    pub(crate) fn has(&self, kid: &str) -> bool {
        self.named(kid).next().is_some()
    }

    fn find(&self, key: &Key, is_same: &dyn Fn(&Arc<Key>) -> bool) -> Option<&Arc<Key>> {
        match &key.kid {
            Some(kid) => self.named(kid).find(|known| is_same(known)),
            None => self.keys.iter().find(|known| is_same(known)),
        }
    }

    /// Returns whether this very key is in the ring.
    pub(crate) fn contains(&self, key: &Arc<Key>) -> bool {
        self.find(key, &|known| Arc::ptr_eq(known, key)).is_some()
    }

    /// Returns the equal key of this ring, so that a refresh without changes
    /// forgets no remembered token; otherwise the key itself.
    pub(super) fn shared(&self, key: Key) -> Arc<Key> {
        let equal = self.find(&key, &|known| **known == key);
        equal.cloned().unwrap_or_else(|| Arc::new(key))
    }

    pub(super) fn add(&mut self, key: Arc<Key>) -> Result<(), String> {
        if self.find(&key, &|known| **known == *key).is_some() {
            return Err("the same key is before it".into());
        }
        if let Some(kid) = &key.kid
            && let Some(named) = self.by_kid.get_or_default(kid.as_bytes())
        {
            named.push(self.keys.len());
        }
        self.keys.push(key);
        Ok(())
    }

    /// Returns the number of keys for this algorithm without a `kid`.
    pub(crate) fn nameless(&self, algorithm: Algorithm) -> usize {
        let keys = self.keys.iter();
        keys.filter(|key| key.kid.is_none() && key.algorithm == algorithm)
            .count()
    }
}

fn entry_key(entry: &Value<'_>, member: &str, accepted: &Accepted) -> Result<Key, Unusable> {
    let entry = entry.as_object().ok_or("it is not an object")?;
    let mut names = entry.iter().map(|(name, _)| name);
    if let Some(name) = names.find(|name| !["kid", "alg", member].contains(name)) {
        return Err(format!(
            "it has no field `{name}`; it has `kid`, `{member}` and `alg`"
        ));
    }
    match member {
        "pem" => jwk::pem_entry(entry, accepted),
        _ => jwk::secret(entry, accepted),
    }
}

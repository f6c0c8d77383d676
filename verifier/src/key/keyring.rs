//! The keys of one issuer (RFC 7517 §5).

use alloc::{format, sync::Arc, vec::Vec};

use super::{Key, jwk};
use crate::{
    Algorithm, Code, Jws, Limits, Problem,
    json::{self, FaultKind, Object, Value},
};

/// The usable keys of one issuer.
#[derive(Debug, Default, Clone)]
pub struct Keyring {
    keys: Vec<Arc<Key>>,
}

impl Keyring {
    /// Parses a JWK Set. Keys that cannot be used are skipped and reported;
    /// an empty set is valid, and withdraws every key.
    ///
    /// # Errors
    /// Why the whole set is refused: not strict JSON, over a limit, with a
    /// symmetric key in it, or with keys of which none can be used.
    pub fn parse(
        jwks: &[u8],
        algorithms: &[Algorithm],
        limits: &Limits,
    ) -> Result<(Self, Vec<Problem>), Problem> {
        let value = parse_document(jwks, limits)?;
        Self::from_value(&value, algorithms, limits, "")
    }

    /// The same from a parsed value; pointers of problems start at `pointer`.
    pub(crate) fn from_value(
        jwks: &Value<'_>,
        algorithms: &[Algorithm],
        limits: &Limits,
        pointer: &str,
    ) -> Result<(Self, Vec<Problem>), Problem> {
        let refuse =
            |code, message: &str| Err(Problem::error(format!("{pointer}/keys"), code, message));
        let keys = jwks
            .as_object()
            .and_then(|set| set.get("keys"))
            .and_then(Value::as_array);
        let Some(keys) = keys else {
            return refuse(
                "jwks_invalid",
                "a JWK Set is an object with an array `keys`",
            );
        };
        if keys.len() > limits.document_keys {
            return refuse(
                "too_many",
                &format!("at most {} keys are read", limits.document_keys),
            );
        }
        if keys.iter().any(is_symmetric) {
            return refuse(
                "jwks_symmetric",
                "a JWK Set with a symmetric key is refused: a secret was published, or kinds of keys are mixed",
            );
        }
        let mut ring = Self::default();
        let mut skipped = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let parsed = match key {
                Value::Object(key) => jwk::public_key(key, algorithms),
                _ => Err("it is not an object".into()),
            };
            let added = parsed.and_then(|key| ring.add(key));
            if let Err(why) = added {
                let message = format!("this key is skipped: {why}");
                skipped.push(Problem::warning(
                    format!("{pointer}/keys/{index}"),
                    "key_unusable",
                    message,
                ));
            }
        }
        if ring.keys.is_empty() && !keys.is_empty() {
            let first = skipped.first().map_or("", |problem| &problem.message);
            return refuse(
                "jwks_no_usable_key",
                &format!("no key of the set can be used; of the first: {first}"),
            );
        }
        Ok((ring, skipped))
    }

    /// Parses HMAC secrets, as a policy's `secrets`: `[{ "kid"?, "k", "alg"? }]`.
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

    /// From `[{ "kid"?, "k", "alg"? }]`: HMAC secrets of at least the hash's
    /// length. All problems; a secret is never quoted.
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
            if let Err(why) = parsed.and_then(|key| ring.add(key)) {
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

    /// Verifies a token's signature, and nothing else of it.
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

    /// Verifies a signature over any bytes, as [`Self::verify`] does over a
    /// token's: for suites of known answers.
    ///
    /// # Errors
    /// Those of [`Self::verify`].
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

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key that a token names; without a `kid`, the only one that fits
    /// its algorithm: to try several would let a token choose.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Arc<Key>, Code> {
        match kid {
            Some(kid) => {
                let mut named = self
                    .keys
                    .iter()
                    .filter(|key| key.kid.as_deref() == Some(kid))
                    .peekable();
                if named.peek().is_none() {
                    return Err(Code::KeyUnknown);
                }
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

    /// The keys that both have are the same objects afterwards, so that a
    /// refresh that changes nothing forgets nothing.
    pub(crate) fn adopt(&mut self, old: &Keyring) {
        for key in &mut self.keys {
            if let Some(known) = old.keys.iter().find(|known| *known == key) {
                *key = Arc::clone(known);
            }
        }
    }

    fn add(&mut self, key: Key) -> Result<(), alloc::string::String> {
        let same = |held: &Arc<Key>| held.kid == key.kid && held.algorithm == key.algorithm;
        if key.kid.is_some() && self.keys.iter().any(same) {
            return Err("another key before it has the same `kid` and algorithm".into());
        }
        self.keys.push(Arc::new(key));
        Ok(())
    }
}

/// Parses a fetched document, after its size.
pub(crate) fn parse_document<'a>(body: &'a [u8], limits: &Limits) -> Result<Value<'a>, Problem> {
    if body.len() > limits.document_bytes {
        let message = format!("the document has more than {} bytes", limits.document_bytes);
        return Err(Problem::error("", "document_too_large", message));
    }
    json::parse(body, limits.json_bounds()).map_err(|fault| {
        let message = match fault.kind {
            FaultKind::Syntax => "the document is not JSON",
            FaultKind::Duplicate => "the document has a member twice",
            FaultKind::Depth => "the document is nested too deeply",
            FaultKind::Members => "the document has too many members in an object",
        };
        Problem::error(fault.pointer, "document_syntax", message)
    })
}

fn is_symmetric(key: &Value<'_>) -> bool {
    let kty = key.as_object().and_then(|key| key.get("kty"));
    kty.and_then(Value::as_str) == Some("oct")
}

fn unknown_member<'e>(entry: &'e Object<'_>) -> Option<&'e str> {
    entry
        .iter()
        .map(|(name, _)| name)
        .find(|name| !matches!(*name, "kid" | "k" | "alg"))
}

//! What is secret in the database: sealed by a master key. And what is made of chance.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    digest, hmac,
    rand::{SecureRandom, SystemRandom},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use countersign_server::{ConfigError, Secret};

const NONCE_BYTES: usize = 12;

/// There is no randomness, or what was sealed cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealError;

/// The master keys. `{:?}` shows how many there are.
pub(crate) struct Sealer {
    keys: Vec<MasterKey>,
}

struct MasterKey {
    /// Names the key, and tells nothing else about it.
    label: String,
    seals: RandomizedNonceKey,
    /// For hashes that nobody can guess without the key.
    hashes: hmac::Key,
}

impl Sealer {
    /// Reads the master keys.
    ///
    /// # Errors
    /// Every one that is missing or has another form.
    pub(crate) fn open(secrets: &[Secret]) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut keys = Vec::new();
        for secret in secrets {
            let mut bytes = [0; 32];
            match secret.read() {
                Err(ConfigError(found)) => problems.extend(found),
                Ok(text) => match hex::decode_to_slice(&text, &mut bytes) {
                    Ok(()) => keys.push(MasterKey::new(&bytes)),
                    Err(_) => {
                        let name = match secret {
                            Secret::File(path) => path.display().to_string(),
                            Secret::Env(variable) => format!("the variable {variable}"),
                        };
                        let message = "a master key is 64 hex digits: `openssl rand -hex 32` \
                                       makes one";
                        let error = ConfigError::of_file(name, "secret_invalid", message);
                        problems.extend(error.0);
                    }
                },
            }
        }
        match problems.is_empty() && !keys.is_empty() {
            true => Ok(Self { keys }),
            false => Err(ConfigError(problems)),
        }
    }

    /// Seals a secret. What is sealed in one context does not open in another: a context
    /// is a use and whose it is, such as `signing key 5fJ…`.
    pub(crate) fn seal(&self, context: &str, secret: &[u8]) -> Result<String, SealError> {
        let key = self.keys.first().ok_or(SealError)?;
        let mut sealed = secret.to_vec();
        let nonce = key
            .seals
            .seal_in_place_append_tag(Aad::from(context), &mut sealed)
            .map_err(|_| SealError)?;
        let sealed = [nonce.as_ref().as_slice(), &sealed].concat();
        Ok(format!("1.{}.{}", key.label, BASE64.encode(sealed)))
    }

    /// Opens what [`Self::seal`] made, by whichever master key it was.
    pub(crate) fn unseal(&self, context: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let mut parts = sealed.split('.');
        let (Some("1"), Some(label), Some(bytes), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SealError);
        };
        let key = self.keys.iter().find(|key| key.label == label);
        let bytes = BASE64.decode(bytes).map_err(|_| SealError)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut sealed = sealed.to_vec();
        let opened = key
            .ok_or(SealError)?
            .seals
            .open_in_place(nonce, Aad::from(context), &mut sealed)
            .map_err(|_| SealError)?;
        Ok(opened.to_vec())
    }

    /// A hash that only those make who have the master key.
    pub(crate) fn keyed_hash(&self, context: &str, value: &[u8]) -> [u8; 32] {
        let mut hash = [0; 32];
        if let Some(key) = self.keys.first() {
            let text = [context.as_bytes(), &[0], value].concat();
            let tag = hmac::sign(&key.hashes, &text);
            hash.copy_from_slice(tag.as_ref());
        }
        hash
    }
}

impl MasterKey {
    fn new(bytes: &[u8; 32]) -> Self {
        // One key for each use, and the label: none tells of another.
        let master = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let derive = |name: &str| hmac::sign(&master, name.as_bytes());
        let label = hex::encode(&derive("countersign bridge label").as_ref()[..6]);
        let seals =
            RandomizedNonceKey::new(&AES_256_GCM, derive("countersign bridge seal").as_ref());
        Self {
            label,
            seals: seals.expect("a SHA-256 has the length of the key"),
            hashes: hmac::Key::new(
                hmac::HMAC_SHA256,
                derive("countersign bridge hash").as_ref(),
            ),
        }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("keys", &self.keys.len())
            .finish()
    }
}

/// SHA-256 in hex: how the database has what comes from a client.
pub(crate) fn hash(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes.as_ref()))
}

/// So many random bytes, in base64url.
pub(crate) fn random<const BYTES: usize>() -> Result<String, SealError> {
    let mut bytes = [0; BYTES];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map(|()| BASE64.encode(bytes)).map_err(|_| SealError)
}

impl From<SealError> for crate::refusal::Refusal {
    fn from(_: SealError) -> Self {
        tracing::error!("there is no randomness, or a sealed value does not open");
        Self::unavailable()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use countersign_server::Secret;

    use super::{SealError, Sealer};

    fn sealer(keys: &[&str]) -> Sealer {
        let folder = tempfile::tempdir().unwrap();
        let secret = |(index, key): (usize, &&str)| {
            let path = folder.path().join(index.to_string());
            fs::write(&path, key).unwrap();
            Secret::File(path)
        };
        let secrets: Vec<_> = keys.iter().enumerate().map(secret).collect();
        Sealer::open(&secrets).unwrap()
    }

    const OLD: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const NEW: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn what_is_sealed_opens_in_its_context_only() {
        let sealer = sealer(&[OLD]);
        let sealed = sealer.seal("signing key a", b"secret").unwrap();
        assert_eq!(sealer.unseal("signing key a", &sealed).unwrap(), b"secret");
        assert_eq!(sealer.unseal("signing key b", &sealed), Err(SealError));
        let again = sealer.seal("signing key a", b"secret").unwrap();
        assert_ne!(sealed, again);
    }

    #[test]
    fn a_changed_text_does_not_open() {
        let sealer = sealer(&[OLD]);
        let sealed = sealer.seal("x", b"secret").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(sealer.unseal("x", &changed), Err(SealError), "{index}");
        }
        for cut in ["", "1", "1.", "1..", "1.x.y", "2.a.b"] {
            assert_eq!(sealer.unseal("x", cut), Err(SealError), "{cut}");
        }
    }

    #[test]
    fn a_new_master_key_before_the_old_one_opens_what_that_has_sealed() {
        let sealed = sealer(&[OLD]).seal("x", b"secret").unwrap();
        assert_eq!(sealer(&[NEW, OLD]).unseal("x", &sealed).unwrap(), b"secret");
        assert_eq!(sealer(&[NEW]).unseal("x", &sealed), Err(SealError));
    }
}

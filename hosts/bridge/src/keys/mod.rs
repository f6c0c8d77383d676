//! Keys that sign tokens: `next`, then `current`, then `old`, then gone, by time alone.
//!
//! A new key is published for `publish_s` before it signs, and an old one for as long as
//! its tokens live. All replicas read the same table, and each rotation is one row that
//! one of them inserts.

mod pair;
mod ring;
mod withdraw;

use std::{
    fmt, mem,
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Map, Value, json};
use tokio::{sync::Mutex, task};

use crate::{
    clock::Clock,
    config::{ConfigError, KeySettings, REFRESH_S, Secret},
    seal::Sealer,
    store::{KeyRow, Store, StoreError},
};

use pair::KeyError;
pub(crate) use pair::Pair;
use ring::{Entry, Ring};

/// Keys of this process and what it knows of the others'.
#[derive(Debug)]
pub(crate) struct Keys {
    store: Store,
    sealer: Arc<Sealer>,
    clock: Arc<dyn Clock>,
    settings: KeySettings,
    /// Those of files.
    files: Vec<Arc<Pair>>,
    ring: RwLock<Arc<Ring>>,
    /// Held while the ring is made anew.
    turn: Mutex<()>,
}

/// What became of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// There is a new key, which signs from then on: milliseconds since 1970.
    Begun {
        /// Its name.
        kid: String,
        /// When it begins to sign.
        signs_from: i64,
    },
    /// A new key is published already; it begins to sign then.
    Pending {
        /// Its name.
        kid: String,
        /// When it begins to sign.
        signs_from: i64,
    },
}

/// Why there is no key, or none that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysError {
    /// The database does not answer.
    Database,
    /// A key cannot be made, opened or used; the text has no part of it.
    Key(&'static str),
}

impl Keys {
    /// Reads all keys, and makes the first one where there is none.
    ///
    /// # Errors
    /// The database does not answer, or the key that signs now is not here.
    pub(crate) async fn open(
        store: Store,
        sealer: Arc<Sealer>,
        clock: Arc<dyn Clock>,
        settings: KeySettings,
        files: Vec<Arc<Pair>>,
    ) -> Result<Self, ConfigError> {
        let keys = Self {
            store,
            sealer,
            clock,
            settings,
            files,
            ring: RwLock::default(),
            turn: Mutex::default(),
        };
        let opened = async {
            keys.refresh().await?;
            match keys.files.is_empty() {
                true => {
                    let ring = keys.ring();
                    if ring.entries.is_empty() {
                        keys.rotate_after(&ring).await?;
                    }
                }
                false => keys.add_files().await?,
            }
            let ring = keys.ring();
            let signer = ring.signer(keys.clock.now_ms());
            signer.map(drop).ok_or(KeysError::Key(
                "the private key that signs now is not here: the master key that has sealed it \
                 stays among `master_keys`, and a key file stays until a newer one signs",
            ))
        };
        opened.await.map_err(|error: KeysError| {
            ConfigError::of_file("the signing keys", "keys_unusable", error.to_string())
        })?;
        Ok(keys)
    }

    /// Looks which keys there are now.
    pub(crate) async fn refresh(&self) -> Result<(), KeysError> {
        let _turn = self.turn.lock().await;
        let now = self.clock.now_ms();
        let rows = self.store.keys().await?;
        let old = self.ring();
        let mut ring = Ring {
            entries: Vec::new(),
            loaded_at: now,
        };
        for row in rows {
            let known = old.entries.iter().find(|entry| entry.kid == row.kid);
            let pair = match known.and_then(|entry| entry.pair.clone()) {
                Some(pair) => Some(pair),
                None => self.private(&row),
            };
            ring.entries.push(Entry {
                jwk: serde_json::from_str(&row.public_jwk)
                    .map_err(|_| KeysError::Key("a public key in the database is damaged"))?,
                generation: row.generation,
                kid: row.kid,
                algorithm: row.algorithm,
                signs_from: row.signs_from,
                pair,
            });
        }
        let ring = Arc::new(ring);
        let place = self.ring.write();
        let old = mem::replace(&mut *place.unwrap_or_else(PoisonError::into_inner), ring);
        drop(old);
        Ok(())
    }

    /// What is to be done from time to time: looks, and rotates where it is time.
    pub(crate) async fn tick(&self) -> Result<(), KeysError> {
        self.refresh().await?;
        let (ring, now) = (self.ring(), self.clock.now_ms());
        let every = i64::from(self.settings.rotate_every_s) * 1000;
        let is_due = ring
            .signs_since(now)
            .is_some_and(|since| since + every - self.publish_ms() <= now);
        if self.files.is_empty() && is_due && ring.next(now).is_none() {
            self.rotate_after(&ring).await?;
        }
        let first = ring.first_needed(now);
        if ring
            .entries
            .first()
            .is_some_and(|key| key.generation < first)
        {
            self.store.remove_keys_before(first).await?;
            self.refresh().await?;
        }
        Ok(())
    }

    /// Publishes a new key, unless one is published that does not sign yet.
    ///
    /// # Errors
    /// The keys are files, the database does not answer, the key cannot be made.
    pub(crate) async fn rotate(&self) -> Result<Rotated, KeysError> {
        if !self.files.is_empty() {
            return Err(KeysError::Key(
                "the keys are files: add a new file after the others, and start again",
            ));
        }
        self.refresh().await?;
        self.rotate_after(&self.ring()).await
    }

    /// The same where these were all keys when it was decided.
    async fn rotate_after(&self, ring: &Ring) -> Result<Rotated, KeysError> {
        if let Some(next) = ring.next(self.clock.now_ms()) {
            return Ok(pending(next));
        }
        let algorithm = self.settings.algorithm;
        // RSA takes long.
        let pair = task::spawn_blocking(move || Pair::generate(algorithm)).await;
        let pair = pair.map_err(|_| KeysError::Key("a key could not be made"))??;
        let sealed = self.sealer.seal(&context(pair.kid()), &pair.to_pkcs8()?);
        let sealed = sealed.map_err(|_| KeysError::Key("a key could not be sealed"))?;
        self.add_after(ring.entries.last(), &pair, Some(sealed))
            .await
    }

    /// A JWS of these claims in compact form (RFC 7515 §3.1), and the name of its key.
    pub(crate) fn sign(
        &self,
        typ: &str,
        claims: &Map<String, Value>,
    ) -> Result<(String, String), KeysError> {
        let ring = self.ring();
        let pair = ring
            .signer(self.clock.now_ms())
            .ok_or(KeysError::Key("no key may sign now"))?;
        let header = json!({ "alg": pair.algorithm().as_str(), "kid": pair.kid(), "typ": typ });
        let claims = serde_json::to_vec(claims);
        let claims = claims.map_err(|_| KeysError::Key("claims are no JSON"))?;
        let header = BASE64.encode(header.to_string());
        let input = format!("{header}.{}", BASE64.encode(claims));
        let signature = BASE64.encode(pair.sign(input.as_bytes())?);
        Ok((format!("{input}.{signature}"), pair.kid().to_owned()))
    }

    /// The key set, and how long it may be kept: not at all where this replica could not
    /// look for so long that another may sign with a key that is not in it.
    pub(crate) fn jwks(&self) -> (Value, Option<u32>) {
        let (ring, now) = (self.ring(), self.clock.now_ms());
        let max_age_s = self.settings.max_age_s;
        let is_fresh = now + i64::from(max_age_s) * 1000 <= ring.loaded_at + self.publish_ms();
        (ring.jwks(now), is_fresh.then_some(max_age_s))
    }

    /// The algorithms of the published keys, and that of the next one.
    pub(crate) fn algorithms(&self) -> Vec<String> {
        let mut names = self.ring().algorithms();
        if self.files.is_empty() {
            names.push(self.settings.algorithm.as_str().to_owned());
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether tokens can be signed.
    pub(crate) fn is_ready(&self) -> bool {
        self.ring().signer(self.clock.now_ms()).is_some()
    }

    /// Publishes the files after the last one that is known. One before it that is not
    /// known any more is gone, and must not come back as the newest.
    async fn add_files(&self) -> Result<(), KeysError> {
        let is_known = |ring: &Ring, pair: &Pair| {
            let mut entries = ring.entries.iter();
            entries.any(|entry| entry.kid == pair.kid())
        };
        let ring = self.ring();
        let last = self.files.iter().rposition(|pair| is_known(&ring, pair));
        for pair in self.files.iter().skip(last.map_or(0, |last| last + 1)) {
            // The file of one that is revoked does not bring it back.
            if self.store.is_key_revoked(pair.kid()).await? {
                continue;
            }
            while !is_known(&self.ring(), pair) {
                let ring = self.ring();
                self.add_after(ring.entries.last(), pair, None).await?;
            }
        }
        Ok(())
    }

    /// Adds a key after what was the newest when it was decided. Of replicas that decide
    /// the same at once, one wins: the others see its key.
    async fn add_after(
        &self,
        newest: Option<&Entry>,
        pair: &Pair,
        sealed: Option<String>,
    ) -> Result<Rotated, KeysError> {
        let now = self.clock.now_ms();
        // Nobody has a key set without the first one. Files that come together sign one
        // after the other.
        let signs_from = newest.map_or(now, |newest| {
            (now + self.publish_ms()).max(newest.signs_from + 1)
        });
        let row = KeyRow {
            generation: newest.map_or(1, |newest| newest.generation + 1),
            kid: pair.kid().to_owned(),
            algorithm: pair.algorithm().as_str().to_owned(),
            public_jwk: pair.jwk().to_string(),
            sealed,
            created_at: now,
            signs_from,
        };
        let is_added = self.store.add_key(&row).await?;
        self.refresh().await?;
        if is_added {
            tracing::info!(kid = row.kid, "a new signing key is published");
            let kid = row.kid;
            return Ok(Rotated::Begun { kid, signs_from });
        }
        let ring = self.ring();
        let other = ring.entries.last().ok_or(KeysError::Database)?;
        Ok(pending(other))
    }

    /// The private key of a row, if this process has it.
    fn private(&self, row: &KeyRow) -> Option<Arc<Pair>> {
        let Some(sealed) = &row.sealed else {
            let file = self.files.iter().find(|pair| pair.kid() == row.kid);
            return file.cloned();
        };
        let der = self.sealer.unseal(&context(&row.kid), sealed).ok();
        let pair = der.and_then(|der| Pair::from_pkcs8(&der).ok());
        let pair = pair.filter(|pair| pair.kid() == row.kid);
        if pair.is_none() {
            tracing::error!(
                kid = row.kid,
                "a sealed key does not open by these master keys"
            );
        }
        pair.map(Arc::new)
    }

    fn ring(&self) -> Arc<Ring> {
        let ring = self.ring.read();
        ring.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish_ms(&self) -> i64 {
        i64::from(self.settings.publish_s) * 1000
    }
}

/// How often [`Keys::tick`] is to be called.
pub(crate) const TICK: std::time::Duration = std::time::Duration::from_secs(REFRESH_S as u64 / 2);

fn context(kid: &str) -> String {
    format!("signing key {kid}")
}

fn pending(entry: &Entry) -> Rotated {
    Rotated::Pending {
        kid: entry.kid.clone(),
        signs_from: entry.signs_from,
    }
}

/// The private keys of files.
///
/// # Errors
/// Every one that is missing or is none.
pub(crate) fn read_files(secrets: &[Secret]) -> Result<Vec<Arc<Pair>>, ConfigError> {
    let mut problems = Vec::new();
    let mut pairs = Vec::new();
    for secret in secrets {
        let name = match secret {
            Secret::File(path) => path.display().to_string(),
            Secret::Env(variable) => format!("the variable {variable}"),
        };
        match secret.read().map(|pem| Pair::from_pem(&pem)) {
            Err(ConfigError(found)) => problems.extend(found),
            Ok(Ok(pair)) => pairs.push(Arc::new(pair)),
            Ok(Err(KeyError(why))) => {
                problems.extend(ConfigError::of_file(name, "key_invalid", why).0);
            }
        }
    }
    match problems.is_empty() {
        true => Ok(pairs),
        false => Err(ConfigError(problems)),
    }
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Database => "the database does not answer",
            Self::Key(why) => why,
        })
    }
}

impl std::error::Error for KeysError {}

impl From<StoreError> for KeysError {
    fn from(_: StoreError) -> Self {
        Self::Database
    }
}

impl From<KeyError> for KeysError {
    fn from(KeyError(why): KeyError) -> Self {
        Self::Key(why)
    }
}

impl From<KeysError> for crate::refusal::Refusal {
    fn from(error: KeysError) -> Self {
        tracing::error!(%error, "no token can be signed");
        Self::unavailable()
    }
}

//! API keys that people make for programs: made, revoked, and published for gates as hashes.

mod document;
mod text;

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use aws_lc_rs::{digest, hmac};
use subtle::{Choice, ConstantTimeEq};
use tokio::{sync::Mutex, task};

use crate::{
    clock::Clock,
    config::{ApiKeySettings, ConfigError, Secret},
    refusal::Refusal,
    snapshot::Snapshot,
    store::{ApiKeyRow, KeysSummary, Most, Store, StoreError},
};

/// As for a gate.
const PEPPER_BYTES: usize = 16;

/// A secret of a reader is random: that nobody guesses it is a matter of its length alone.
const READER_BYTES: std::ops::RangeInclusive<usize> = 16..=256;

/// As for revocations.
const FRESH_MS: i64 = 1000;
const STALE_MS: i64 = 30_000;
const AGAIN_MS: i64 = 60_000;

/// The room.
#[derive(Debug)]
pub(crate) struct ApiKeys {
    pub(crate) settings: ApiKeySettings,
    store: Store,
    clock: Arc<dyn Clock>,
    pepper: hmac::Key,
    /// SHA-256 of what readers show.
    readers: Vec<[u8; 32]>,
    state: RwLock<State>,
    turn: Mutex<()>,
    is_dirty: AtomicBool,
}

#[derive(Clone, Debug, Default)]
struct State {
    snapshot: Option<Arc<Snapshot>>,
    summary: KeysSummary,
    made_at: i64,
    looked_at: i64,
}

/// A key to make. Who may have it was decided before.
#[derive(Clone, Debug)]
pub(crate) struct NewKey<'a> {
    pub(crate) name: String,
    pub(crate) person: &'a str,
    pub(crate) tenant: String,
    pub(crate) roles: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: i64,
}

/// A key that was made. `{:?}` does not show it.
pub(crate) struct Made {
    pub(crate) text: String,
    pub(crate) row: ApiKeyRow,
}

impl ApiKeys {
    /// Reads the secrets.
    ///
    /// # Errors
    /// Every one that is missing or too short.
    pub(crate) fn open(
        settings: &ApiKeySettings,
        store: Store,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut pepper = None;
        for each in &settings.peppers {
            match each.secret.read() {
                Err(ConfigError(found)) => problems.extend(found),
                Ok(secret) if secret.len() < PEPPER_BYTES => {
                    let message =
                        "a pepper has at least 16 bytes: `openssl rand -hex 32` makes one";
                    problems.extend(invalid(&each.secret, message).0);
                }
                // The first is for new keys; the others are the gates' alone.
                Ok(secret) => {
                    pepper.get_or_insert_with(|| hmac::Key::new(hmac::HMAC_SHA256, &secret));
                }
            }
        }
        let mut readers = Vec::new();
        for secret in &settings.readers {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
            match secret.read() {
                Err(ConfigError(found)) => problems.extend(found),
                Ok(text) if READER_BYTES.contains(&text.len()) && text.iter().all(plain) => {
                    readers.push(hashed(&text));
                }
                Ok(_) => {
                    let message = "a secret of a reader has 16 to 256 of A-Z, a-z, 0-9, `-`, `.` \
                                   and `_`: `openssl rand -hex 32` makes one";
                    problems.extend(invalid(secret, message).0);
                }
            }
        }
        match pepper {
            Some(pepper) if problems.is_empty() => Ok(Self {
                settings: settings.clone(),
                store,
                clock,
                pepper,
                readers,
                state: RwLock::default(),
                turn: Mutex::default(),
                is_dirty: AtomicBool::new(true),
            }),
            _ => Err(ConfigError(problems)),
        }
    }

    /// Makes a key, unless there are too many: then it is `None`.
    ///
    /// # Errors
    /// The database does not answer, or there is no place in the document.
    pub(crate) async fn make(&self, new: NewKey<'_>) -> Result<Option<Made>, Refusal> {
        self.document().await?;
        if !document::has_place(&self.state().summary) {
            tracing::error!("no API key can be made: the document is full");
            return Err(Refusal::unavailable());
        }
        let (id, text) = text::new(&self.settings.prefix)?;
        let pepper = self.settings.peppers.first().map(|pepper| &pepper.version);
        let row = ApiKeyRow {
            id,
            hash: hex::encode(hmac::sign(&self.pepper, text.as_bytes())),
            pepper: pepper.cloned().unwrap_or_default(),
            name: new.name,
            subject: new.person.to_owned(),
            tenant: new.tenant,
            roles: new.roles,
            scopes: new.scopes,
            created_by: new.person.to_owned(),
            created_at: self.clock.now_ms(),
            expires_at: new.expires_at,
            revoked_at: None,
        };
        let most = Most {
            of_person: self.settings.per_person.into(),
            of_tenant: self.settings.per_tenant.into(),
            in_all: document::MOST_ENTRIES,
        };
        let is_added = self.store.add_api_key(&row, most).await?;
        self.is_dirty.store(true, Ordering::SeqCst);
        Ok(is_added.then_some(Made { text, row }))
    }

    /// Revokes a key of a person. Whether there is one of this id.
    ///
    /// # Errors
    /// The database does not answer.
    pub(crate) async fn revoke(
        &self,
        id: &str,
        person: &str,
        tenant: Option<&str>,
    ) -> Result<bool, Refusal> {
        let now = self.clock.now_ms();
        let is_there = self.store.revoke_api_key(id, person, tenant, now).await?;
        self.is_dirty.store(true, Ordering::SeqCst);
        Ok(is_there)
    }

    /// Whether somebody may read the document, by the value of `authorization`.
    pub(crate) fn may_read(&self, authorization: &[u8]) -> bool {
        let shown = authorization.split_at_checked(7);
        let shown = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
        let shown = hashed(shown.map_or(b"", |(_, secret)| secret));
        let equal = self.readers.iter().map(|known| known.ct_eq(&shown));
        equal.fold(Choice::from(0), |any, equal| any | equal).into()
    }

    /// The document as it is now.
    ///
    /// # Errors
    /// Nobody can say which keys are good now, or it is more than a gate reads.
    pub(crate) async fn document(&self) -> Result<Arc<Snapshot>, Refusal> {
        let now = self.clock.now_ms();
        let looked_at = self.state().looked_at;
        let is_old = !(looked_at..looked_at + FRESH_MS).contains(&now);
        if (is_old || self.is_dirty.load(Ordering::SeqCst)) && self.refresh().await.is_err() {
            let looked_at = self.state().looked_at;
            if !(looked_at..looked_at + STALE_MS).contains(&now) {
                return Err(Refusal::unavailable());
            }
        }
        self.state().snapshot.ok_or(Refusal::unavailable())
    }

    /// Looks which keys there are, and makes the document anew where that has changed.
    ///
    /// # Errors
    /// The database does not answer.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        // Before the look: what comes during it is looked for again.
        let was_dirty = self.is_dirty.swap(false, Ordering::SeqCst);
        let refreshed = self.look().await;
        if refreshed.is_err() && was_dirty {
            self.is_dirty.store(true, Ordering::SeqCst);
        }
        refreshed
    }

    /// Whether gates can get the document.
    pub(crate) fn is_ready(&self) -> bool {
        let state = self.state();
        state.snapshot.is_some() || state.looked_at == 0
    }

    /// How many keys are good.
    pub(crate) fn entries(&self) -> i64 {
        self.state().summary.entries
    }

    async fn look(&self) -> Result<(), StoreError> {
        let (now, old) = (self.clock.now_ms(), self.state());
        let summary = self.store.api_keys_summary(now).await?;
        let is_known = old.snapshot.is_some()
            && summary == old.summary
            && (old.made_at..old.made_at + AGAIN_MS).contains(&now);
        let mut state = State {
            summary,
            looked_at: now,
            ..old
        };
        if !is_known {
            let rows = self.store.api_keys(now, document::ENTRIES + 1).await?;
            let written = task::spawn_blocking(move || document::write(&rows)).await;
            state.snapshot = written.map_err(|_| StoreError)?.map(Arc::new);
            state.made_at = now;
            if state.snapshot.is_none() {
                tracing::error!("there are more API keys than gates read: there is no document");
            }
        }
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        Ok(())
    }

    fn state(&self) -> State {
        let state = self.state.read();
        state.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn hashed(secret: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret).as_ref());
    hash
}

fn invalid(secret: &Secret, message: &str) -> ConfigError {
    let name = match secret {
        Secret::File(path) => path.display().to_string(),
        Secret::Env(variable) => format!("the variable {variable}"),
    };
    ConfigError::of_file(name, "secret_invalid", message)
}

//! What is revoked before its time: a token, a session's, a person's or a node's tokens, a
//! signing key. Gates read it as one document.
//!
//! An entry leaves when all that it revokes is expired. The document is always whole: what
//! has no place in it is not revoked, and whoever asked for it is told so. A bridge that
//! cannot revoke is not ready: it must not go on to issue.

mod document;
mod files;

use std::{
    path::PathBuf,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use tokio::{sync::Mutex, task};

use crate::{
    audit::{Audit, Entry},
    clock::Clock,
    config::{ConfigError, LONGEST_S, RevocationSettings},
    keys::Keys,
    refusal::Refusal,
    snapshot::Snapshot,
    store::{Kind, Revoked, Store, StoreError, Summary, Tokens},
};

/// A gate takes a token so long after its end (`leeway_s`), and clocks differ.
const AFTER_MS: i64 = 360_000;

/// A gate may use a key that is no longer published for a day of freshness and seven of
/// `stale_s`. With the key somebody else can make new tokens all that time.
const KEY_MS: i64 = 31 * 86_400_000;

/// A document that another replica has added to is not older than this.
const FRESH_MS: i64 = 1000;

/// While the database does not answer, the last document is sent for so long. After that a
/// gate is to see that there is no news.
const STALE_MS: i64 = 30_000;

/// Equal sums could hide a change, though hardly: it is made anew this often in any case.
const AGAIN_MS: i64 = 60_000;

/// What is to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoke {
    /// A token by its `jti`, and all that were made of it.
    Token(String),
    /// A person by the id: all tokens until now, all sessions, all API keys.
    Person(String),
    /// A node by its id: all tokens, and it cannot renew.
    Node(String),
    /// A signing key by its `kid`: all tokens that it has signed or will sign.
    Key(String),
}

/// The room.
#[derive(Debug)]
pub(crate) struct Revocations {
    store: Store,
    clock: Arc<dyn Clock>,
    audit: Arc<Audit>,
    keys: Arc<Keys>,
    folder: Option<PathBuf>,
    state: RwLock<State>,
    /// Held while the document is made anew.
    turn: Mutex<()>,
    /// This replica has added something since.
    is_dirty: AtomicBool,
    added: AtomicI64,
}

#[derive(Clone, Debug, Default)]
struct State {
    snapshot: Option<Arc<Snapshot>>,
    summary: Summary,
    made_at: i64,
    looked_at: i64,
    is_written: bool,
}

impl Revocations {
    /// Makes the first document.
    ///
    /// # Errors
    /// The database does not answer, or the folder cannot be written.
    pub(crate) async fn open(
        settings: &RevocationSettings,
        store: Store,
        clock: Arc<dyn Clock>,
        audit: Arc<Audit>,
        keys: Arc<Keys>,
    ) -> Result<Self, ConfigError> {
        let revocations = Self {
            store,
            clock,
            audit,
            keys,
            folder: settings.folder.clone(),
            state: RwLock::default(),
            turn: Mutex::default(),
            is_dirty: AtomicBool::new(true),
            added: AtomicI64::new(0),
        };
        let opened = revocations.refresh().await;
        opened.map_err(|error| {
            ConfigError::of_file("the revocations", "database_unusable", error.to_string())
        })?;
        match (&revocations.folder, revocations.state().is_written) {
            (Some(folder), false) => {
                let name = folder.display().to_string();
                let message = "the document of revocations cannot be written there";
                Err(ConfigError::of_file(name, "file_unwritable", message))
            }
            _ => Ok(revocations),
        }
    }

    /// Revokes, and says so in the audit. `by` is who asks.
    ///
    /// # Errors
    /// It is not revoked: the database does not answer, or there is no place.
    pub(crate) async fn revoke(
        &self,
        what: &Revoke,
        by: &str,
        reason: &'static str,
    ) -> Result<(), Refusal> {
        let value = match what {
            Revoke::Token(value)
            | Revoke::Person(value)
            | Revoke::Node(value)
            | Revoke::Key(value) => value,
        };
        if !document::is_value(value) {
            return Err(Refusal::request("that is no id"));
        }
        let now = self.clock.now_ms();
        let (event, kind) = match what {
            Revoke::Token(_) => ("token.revoked", Kind::Jti),
            Revoke::Person(_) => ("person.revoked", Kind::Sub),
            Revoke::Node(_) => ("node.revoked", Kind::Sub),
            Revoke::Key(_) => ("key.revoked", Kind::Kid),
        };
        // What ends in the database alone ends even where the document has no place.
        if let Revoke::Person(_) = what {
            self.store.end_sessions_of(value).await?;
            self.store.revoke_api_keys_of(value, None, now).await?;
        }
        let mut done = self.add(what, kind, value, reason, now).await;
        // A node last: one that is ended without its entry would not come here again.
        if let (Revoke::Node(_), Ok(())) = (what, done) {
            let ended = self.store.end_node(value, now).await;
            done = ended.map(drop).map_err(Refusal::from);
        }
        self.audit
            .record(&Entry {
                event,
                actor: Some(by),
                subject: (kind == Kind::Sub).then_some(value),
                jti: (kind == Kind::Jti).then_some(value),
                refused: done.err().map(|_| "temporarily_unavailable"),
                detail: [("kid", value.as_str())]
                    .into_iter()
                    .filter(|_| kind == Kind::Kid)
                    .chain([("reason", reason)])
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .collect(),
                ..Entry::default()
            })
            .await?;
        done
    }

    /// Revokes the tokens of a session, at its end.
    ///
    /// # Errors
    /// As [`Self::revoke`].
    pub(crate) async fn revoke_session(&self, hash: &str, reason: &str) -> Result<(), Refusal> {
        let tokens = Tokens::Session(hash);
        self.revoke_issued(tokens, reason).await.map(drop)
    }

    /// Revokes the tokens of the first sessions of a provider.
    ///
    /// # Errors
    /// As [`Self::revoke`].
    pub(crate) async fn revoke_sessions_of(&self, provider: &str) -> Result<(), Refusal> {
        let tokens = Tokens::Provider(provider);
        self.revoke_issued(tokens, "provider_disabled")
            .await
            .map(drop)
    }

    /// Revokes what a person has for an organisation: tokens and API keys.
    ///
    /// # Errors
    /// As [`Self::revoke`].
    pub(crate) async fn revoke_member(&self, person: &str, tenant: &str) -> Result<(), Refusal> {
        let now = self.clock.now_ms();
        let keys = self.store.revoke_api_keys_of(person, Some(tenant), now);
        keys.await?;
        let tokens = Tokens::Member { person, tenant };
        self.revoke_issued(tokens, "membership_lost")
            .await
            .map(drop)
    }

    /// The document as it is now.
    ///
    /// # Errors
    /// Nobody can say what is revoked now, or it is more than a gate reads.
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

    /// Looks what is revoked, and makes the document anew where that has changed.
    ///
    /// # Errors
    /// The database does not answer.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        // Before the look: what comes during it is looked for again.
        let was_dirty = self.is_dirty.swap(false, Ordering::SeqCst);
        let added = self.added.load(Ordering::SeqCst);
        let refreshed = self.look().await;
        match refreshed {
            Ok(()) => drop(self.added.fetch_sub(added, Ordering::SeqCst)),
            Err(_) if was_dirty => self.is_dirty.store(true, Ordering::SeqCst),
            Err(_) => {}
        }
        refreshed
    }

    /// Whether something can be revoked, and gates get to know it.
    pub(crate) fn is_ready(&self) -> bool {
        let state = self.state();
        state.snapshot.is_some()
            && document::has_place(Kind::Jti, &state.summary)
            && (self.folder.is_none() || state.is_written)
    }

    /// Entries and bytes of the document, at most.
    pub(crate) fn size(&self) -> (i64, i64) {
        let summary = self.state().summary;
        (summary.entries, document::most_bytes(&summary))
    }

    async fn add(
        &self,
        what: &Revoke,
        kind: Kind,
        value: &str,
        reason: &str,
        now: i64,
    ) -> Result<(), Refusal> {
        let place = self.require_place(kind).await;
        if let Revoke::Key(_) = what {
            if place.is_ok() {
                let entry = revoked(kind, value, None);
                self.store.revoke(&entry, reason, now, now + KEY_MS).await?;
                self.has_added(1);
            }
            // Whatever the document has become, it is taken out of the key set.
            self.keys.withdraw(value).await?;
            return place;
        }
        place?;
        let expires_at = now + i64::from(LONGEST_S) * 1000 + AFTER_MS;
        let store = &self.store;
        if let Revoke::Token(_) = what {
            if self.revoke_issued(Tokens::Jti(value), reason).await? > 0 {
                return Ok(());
            }
            // It is revoked already, or the database does not know it: it was restored,
            // perhaps.
            let entry = revoked(kind, value, None);
            store.revoke(&entry, reason, now, expires_at).await?;
        } else {
            let before = match what {
                // Also what is made at this moment: a node that is revoked gets no token
                // any more. One that is not known could be anybody's id.
                Revoke::Node(_) if store.node(value).await?.is_some() => None,
                // `iat` has whole seconds: those of this second are revoked too.
                _ => Some(now.div_euclid(1000) + 1),
            };
            let entry = revoked(kind, value, before);
            store.revoke(&entry, reason, now, expires_at).await?;
        }
        self.has_added(1);
        Ok(())
    }

    /// Revokes tokens that were issued, and those that were made of them. The result is how
    /// many are revoked now that were not before.
    async fn revoke_issued(&self, tokens: Tokens<'_>, reason: &str) -> Result<u64, Refusal> {
        self.require_place(Kind::Jti).await?;
        let now = self.clock.now_ms();
        let revoked = self.store.revoke_issued(tokens, reason, now, AFTER_MS);
        let revoked = revoked.await?;
        self.has_added(revoked);
        Ok(revoked)
    }

    /// Refuses where there is no place for one more, by a count that may be a second old.
    async fn require_place(&self, kind: Kind) -> Result<(), Refusal> {
        let now = self.clock.now_ms();
        let looked_at = self.state().looked_at;
        if !(looked_at..looked_at + FRESH_MS).contains(&now) {
            self.refresh().await?;
        }
        let mut summary = self.state().summary;
        summary.entries += self.added.load(Ordering::SeqCst);
        match document::has_place(kind, &summary) {
            true => Ok(()),
            false => {
                tracing::error!("nothing can be revoked: the document is full");
                Err(Refusal::unavailable())
            }
        }
    }

    fn has_added(&self, entries: u64) {
        let entries = i64::try_from(entries).unwrap_or(i64::MAX);
        self.added.fetch_add(entries, Ordering::SeqCst);
        self.is_dirty.store(true, Ordering::SeqCst);
    }

    async fn look(&self) -> Result<(), StoreError> {
        let (now, old) = (self.clock.now_ms(), self.state());
        let summary = self.store.summary(now).await?;
        let is_known = old.snapshot.is_some()
            && summary == old.summary
            && (old.made_at..old.made_at + AGAIN_MS).contains(&now);
        let mut state = State {
            summary,
            looked_at: now,
            ..old.clone()
        };
        if !is_known {
            let rows = self.store.revocations(now, document::ENTRIES + 1).await?;
            // Hundreds of thousands of rows would hold up others.
            let written = task::spawn_blocking(move || document::write(&rows)).await;
            state.snapshot = written.map_err(|_| StoreError)?.map(Arc::new);
            state.made_at = now;
            if state.snapshot.is_none() {
                tracing::error!("more is revoked than gates read: there is no document");
            }
        }
        let is_same = |snapshot: &Arc<Snapshot>| {
            old.snapshot
                .as_ref()
                .is_some_and(|old| old.body == snapshot.body)
        };
        if let (Some(folder), Some(snapshot)) = (&self.folder, &state.snapshot)
            && !(old.is_written && is_same(snapshot))
        {
            let (folder, body) = (folder.clone(), snapshot.body.clone());
            let written = task::spawn_blocking(move || files::write(&folder, &body)).await;
            state.is_written = matches!(written, Ok(Ok(())));
            if let Ok(Err(error)) = written {
                tracing::error!(%error, "the document of revocations was not written");
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

fn revoked(kind: Kind, value: &str, issued_before_s: Option<i64>) -> Revoked {
    Revoked {
        kind,
        value: value.to_owned(),
        issued_before_s,
    }
}

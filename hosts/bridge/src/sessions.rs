//! Sessions of people: a cookie that only this site reads, of which the database has a hash.

use std::{fmt, sync::Arc};

use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use http::{HeaderMap, HeaderValue, header};

use crate::{
    audit::{Audit, Entry},
    clock::Clock,
    config::Login,
    refusal::Refusal,
    revocation::Revocations,
    seal::{self, Sealer},
    store::{SessionRow, Store},
};

/// The cookie of a session. The prefix (RFC 6265bis §4.1.3.2) keeps other hosts of the
/// domain from setting it.
const COOKIE: &str = "__Host-countersign";

/// The end of a session in use is moved no more often than this.
const TOUCH_MS: i64 = 30_000;

/// The longest value of a cookie that is looked at.
const VALUE_BYTES: usize = 128;

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) store: Store,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Login,
}

/// A session that goes on: a person who is signed in.
#[derive(Clone)]
#[non_exhaustive]
pub struct Session {
    /// SHA-256 of the cookie, in hex: what tokens of the session are recorded with.
    pub(crate) hash: String,
    /// The person's id in the bridge: it begins with `p_`.
    pub person: String,
    pub(crate) provider: String,
    /// The organisation whose provider it was, which is the only one it is good for.
    pub tenant: Option<String>,
    pub(crate) auth_time: i64,
    /// When it ends, unless it is used. Milliseconds since 1970.
    pub(crate) expires_at: i64,
    /// What an unsafe request must bring: of this session alone, random, never in a URL.
    pub csrf: String,
    /// Sealed.
    id_token: Option<String>,
}

impl Session {
    /// One of somebody else than the bridge, without an end and without tokens of its own.
    pub fn new(person: impl Into<String>, csrf: impl Into<String>) -> Self {
        Self {
            hash: String::new(),
            person: person.into(),
            provider: String::new(),
            tenant: None,
            auth_time: 0,
            expires_at: i64::MAX,
            csrf: csrf.into(),
            id_token: None,
        }
    }
}

/// A session that is to begin.
#[derive(Clone, Copy)]
pub(crate) struct Beginning<'a> {
    pub(crate) person: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) id_token: &'a str,
    pub(crate) upstream_sid: Option<&'a str>,
    pub(crate) auth_time_s: Option<i64>,
}

impl Sessions {
    /// Begins a session, with a cookie that nobody had before. The result is `Set-Cookie`;
    /// `None` where the provider is not active any more.
    pub(crate) async fn begin(&self, of: Beginning<'_>) -> Result<Option<HeaderValue>, Refusal> {
        let now = self.clock.now_ms();
        let value = seal::random::<32>()?;
        let hash = seal::hash(&value);
        let id_token = self.sealer.seal(&context(&hash), of.id_token.as_bytes())?;
        let auth_time = of
            .auth_time_s
            .map_or(now, |seconds| seconds.saturating_mul(1000));
        let row = SessionRow {
            person: of.person.to_owned(),
            provider: of.provider.to_owned(),
            tenant: of.tenant.map(str::to_owned),
            id_token: Some(id_token),
            upstream_sid: of.upstream_sid.map(seal::hash),
            // A provider whose clock is ahead does not make it later than now.
            auth_time: auth_time.min(now),
            created_at: now,
            seen_at: now,
            expires_at: self.end(now, now),
            hash,
        };
        self.record("session.begun", of.person, of.tenant, of.provider)
            .await?;
        self.store.add_session(&row).await?;
        // Its provider may have been disabled since the login began.
        if self.store.session(&row.hash, now).await?.is_none() {
            self.store.remove_session(&row.hash).await?;
            return Ok(None);
        }
        let cookie = set_cookie(COOKIE, &value, self.settings.absolute_s.into());
        Ok(Some(cookie))
    }

    /// The session of a request; `None` where there is none that goes on.
    pub(crate) async fn of(&self, headers: &HeaderMap) -> Result<Option<Session>, Refusal> {
        let Some(value) = cookie(headers, COOKIE) else {
            return Ok(None);
        };
        let now = self.clock.now_ms();
        let Some(mut row) = self.store.session(&seal::hash(value), now).await? else {
            return Ok(None);
        };
        if row.seen_at + TOUCH_MS <= now {
            let end = self.end(row.created_at, now);
            self.store.touch_session(&row.hash, now, end).await?;
            row.expires_at = row.expires_at.max(end);
        }
        let csrf = self.sealer.keyed_hash("csrf", row.hash.as_bytes());
        Ok(Some(Session {
            csrf: BASE64.encode(csrf),
            hash: row.hash,
            person: row.person,
            provider: row.provider,
            tenant: row.tenant,
            auth_time: row.auth_time,
            expires_at: row.expires_at,
            id_token: row.id_token,
        }))
    }

    /// Ends a session and every token of it.
    pub(crate) async fn finish(&self, session: &Session, why: &str) -> Result<(), Refusal> {
        // First the tokens: where that fails, the session is still there to try again.
        self.revocations.revoke_session(&session.hash, why).await?;
        self.store.remove_session(&session.hash).await?;
        // One more may have been made meanwhile; from now on `goes_on` finds out.
        self.revocations.revoke_session(&session.hash, why).await?;
        let tenant = session.tenant.as_deref();
        self.record("session.ended", &session.person, tenant, &session.provider)
            .await
    }

    /// Ends what is left of the sessions of a provider that is not active any more, and every
    /// token of them, a portion at a time. The database says of each that it does not go on
    /// already: whoever made a token of it meanwhile finds that out ([`Self::goes_on`]). The
    /// result is how many sessions those were.
    pub(crate) async fn finish_all_of(&self, provider: &str) -> Result<u64, Refusal> {
        let mut finished = 0;
        loop {
            self.revocations.revoke_sessions_of(provider).await?;
            match self.store.remove_sessions_of(provider).await? {
                0 => return Ok(finished),
                more => finished += more,
            }
        }
    }

    /// Whether it still goes on; its tokens are revoked if not. Asked after a token was made:
    /// a logout may have come meanwhile.
    pub(crate) async fn goes_on(&self, session: &Session) -> Result<bool, Refusal> {
        let now = self.clock.now_ms();
        if self.store.session(&session.hash, now).await?.is_some() {
            return Ok(true);
        }
        let hash = &session.hash;
        self.revocations.revoke_session(hash, "logout").await?;
        Ok(false)
    }

    /// The ID token of the login, as the hint of a logout at the provider.
    pub(crate) fn id_token(&self, session: &Session) -> Option<String> {
        let sealed = session.id_token.as_deref()?;
        let opened = self.sealer.unseal(&context(&session.hash), sealed).ok()?;
        String::from_utf8(opened).ok()
    }

    fn end(&self, created_at: i64, now: i64) -> i64 {
        let idle = now + i64::from(self.settings.idle_s) * 1000;
        let absolute = created_at + i64::from(self.settings.absolute_s) * 1000;
        idle.min(absolute)
    }

    async fn record(
        &self,
        event: &'static str,
        person: &str,
        tenant: Option<&str>,
        provider: &str,
    ) -> Result<(), Refusal> {
        let mut entry = Entry {
            event,
            actor: Some(person),
            subject: Some(person),
            tenant,
            ..Entry::default()
        };
        entry.detail.insert("provider".to_owned(), provider.into());
        self.audit.record(&entry).await
    }
}

/// `Set-Cookie` that forgets the session.
pub(crate) fn forget() -> HeaderValue {
    set_cookie(COOKIE, "", 0)
}

/// `Set-Cookie` of a cookie for this host alone. Browsers take `Secure` at this machine's
/// own address by plain http too.
pub(crate) fn set_cookie(name: &str, value: &str, max_age_s: i64) -> HeaderValue {
    let mut cookie = Cookie::new(name, value);
    cookie.set_path("/");
    cookie.set_secure(true);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    let text = format!("{cookie}; Max-Age={max_age_s}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// The value of a cookie; one that comes twice is none.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let fields = headers.get_all(header::COOKIE).iter();
    let fields = fields.filter_map(|field| field.to_str().ok());
    let pairs = fields.flat_map(|field| field.split(';'));
    let mut named = pairs.filter_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        (known == name).then_some(value)
    });
    match (named.next(), named.next()) {
        (Some(value), None) if (1..=VALUE_BYTES).contains(&value.len()) => Some(value),
        _ => None,
    }
}

fn context(hash: &str) -> String {
    format!("id token {hash}")
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("person", &self.person)
            .finish_non_exhaustive()
    }
}

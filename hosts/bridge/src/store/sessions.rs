//! Attempts to sign in, and sessions. Of what a browser holds, only hashes are here.

use sqlx::Row;

use super::{Store, StoreError, won};

/// An attempt to sign in.
#[derive(Clone, Debug)]
pub(crate) struct AttemptRow {
    pub(crate) state_hash: String,
    pub(crate) browser_hash: String,
    pub(crate) provider: String,
    /// Sealed.
    pub(crate) secrets: String,
    pub(crate) return_to: String,
    pub(crate) purpose: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

/// A session.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    pub(crate) hash: String,
    pub(crate) person: String,
    pub(crate) provider: String,
    pub(crate) tenant: Option<String>,
    /// Sealed.
    pub(crate) id_token: Option<String>,
    pub(crate) upstream_sid: Option<String>,
    pub(crate) auth_time: i64,
    pub(crate) created_at: i64,
    pub(crate) seen_at: i64,
    pub(crate) expires_at: i64,
}

impl Store {
    /// Records an attempt.
    pub(crate) async fn add_attempt(&self, row: &AttemptRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO login_attempts (state_hash, browser_hash, provider, secrets, \
                   return_to, purpose, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        sqlx::query(sql)
            .bind(&row.state_hash)
            .bind(&row.browser_hash)
            .bind(&row.provider)
            .bind(&row.secrets)
            .bind(&row.return_to)
            .bind(&row.purpose)
            .bind(row.created_at)
            .bind(row.expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Uses an attempt, which one caller can, and only with the browser that began it.
    pub(crate) async fn use_attempt(
        &self,
        state_hash: &str,
        browser_hash: &str,
        now: i64,
    ) -> Result<Option<AttemptRow>, StoreError> {
        let sql = "UPDATE login_attempts SET used_at = $3 WHERE state_hash = $1 \
                   AND browser_hash = $2 AND used_at IS NULL AND expires_at > $3 \
                   RETURNING state_hash, browser_hash, provider, secrets, return_to, purpose, \
                   created_at, expires_at";
        let row = sqlx::query(sql)
            .bind(state_hash)
            .bind(browser_hash)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| {
            Ok(AttemptRow {
                state_hash: row.try_get("state_hash")?,
                browser_hash: row.try_get("browser_hash")?,
                provider: row.try_get("provider")?,
                secrets: row.try_get("secrets")?,
                return_to: row.try_get("return_to")?,
                purpose: row.try_get("purpose")?,
                created_at: row.try_get("created_at")?,
                expires_at: row.try_get("expires_at")?,
            })
        })
        .transpose()
    }

    /// Records a session.
    pub(crate) async fn add_session(&self, row: &SessionRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO sessions (hash, person, provider, tenant, claims, id_token, \
                   upstream_sid, auth_time, created_at, seen_at, expires_at) \
                   VALUES ($1, $2, $3, $4, '{}', $5, $6, $7, $8, $9, $10)";
        sqlx::query(sql)
            .bind(&row.hash)
            .bind(&row.person)
            .bind(&row.provider)
            .bind(&row.tenant)
            .bind(&row.id_token)
            .bind(&row.upstream_sid)
            .bind(row.auth_time)
            .bind(row.created_at)
            .bind(row.seen_at)
            .bind(row.expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// A session that has not ended, of a person who is not disabled. One of an
    /// organisation's provider goes on only while that is active.
    pub(crate) async fn session(
        &self,
        hash: &str,
        now: i64,
    ) -> Result<Option<SessionRow>, StoreError> {
        let sql = "SELECT s.hash, s.person, s.provider, s.tenant, s.id_token, s.upstream_sid, \
                   s.auth_time, s.created_at, s.seen_at, s.expires_at \
                   FROM sessions s JOIN people p ON p.id = s.person \
                   WHERE s.hash = $1 AND s.expires_at > $2 AND p.disabled_at IS NULL \
                   AND (s.tenant IS NULL OR EXISTS (SELECT 1 FROM providers \
                   WHERE id = s.provider AND tenant = s.tenant AND state = 'active'))";
        let row = sqlx::query(sql)
            .bind(hash)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| {
            Ok(SessionRow {
                hash: row.try_get("hash")?,
                person: row.try_get("person")?,
                provider: row.try_get("provider")?,
                tenant: row.try_get("tenant")?,
                id_token: row.try_get("id_token")?,
                upstream_sid: row.try_get("upstream_sid")?,
                auth_time: row.try_get("auth_time")?,
                created_at: row.try_get("created_at")?,
                seen_at: row.try_get("seen_at")?,
                expires_at: row.try_get("expires_at")?,
            })
        })
        .transpose()
    }

    /// Moves the end of a session that is in use. One that was ended meanwhile stays so.
    pub(crate) async fn touch_session(
        &self,
        hash: &str,
        seen_at: i64,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE sessions SET seen_at = $2, expires_at = $3 \
                   WHERE hash = $1 AND expires_at > $2 AND expires_at < $3";
        sqlx::query(sql)
            .bind(hash)
            .bind(seen_at)
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends a session. Whether it was there.
    pub(crate) async fn remove_session(&self, hash: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM sessions WHERE hash = $1";
        let removed = sqlx::query(sql).bind(hash).execute(&self.pool).await?;
        Ok(won(&removed))
    }

    /// Deletes the sessions of a provider whose tokens [`Tokens::Provider`](super::Tokens)
    /// names. The result is how many those were.
    pub(crate) async fn remove_sessions_of(&self, provider: &str) -> Result<u64, StoreError> {
        let sql = "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions \
                   WHERE provider = $1 ORDER BY hash LIMIT 500)";
        let removed = sqlx::query(sql).bind(provider).execute(&self.pool).await?;
        Ok(removed.rows_affected())
    }
}

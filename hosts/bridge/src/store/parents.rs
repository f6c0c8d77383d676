//! What a token was made from, and whether that still counts.

use sqlx::Row;

use super::{Store, StoreError};

/// A token that another is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) class: String,
    /// The session that both end with.
    pub(crate) session: Option<String>,
}

impl Store {
    /// A token that was issued here, unless it is revoked: by itself, by its subject or by
    /// the key that has signed it.
    pub(crate) async fn parent(&self, jti: &str, now: i64) -> Result<Option<Parent>, StoreError> {
        let sql = "SELECT class, session FROM issued WHERE jti = $1 AND NOT EXISTS \
                   (SELECT 1 FROM revocations WHERE expires_at > $2 AND \
                   ((kind = 'jti' AND value = issued.jti) \
                   OR (kind = 'kid' AND value = issued.kid) \
                   OR (kind = 'sub' AND value = issued.subject AND (issued_before_s IS NULL \
                   OR issued_before_s * 1000 > issued.issued_at))))";
        let row = sqlx::query(sql)
            .bind(jti)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| {
            Ok(Parent {
                class: row.try_get("class")?,
                session: row.try_get("session")?,
            })
        })
        .transpose()
    }

    /// Whether tokens of this subject from this moment count: it is not disabled, and what
    /// it had then is not revoked.
    pub(crate) async fn is_good_subject(
        &self,
        subject: &str,
        issued_at: i64,
        now: i64,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM people WHERE id = $1 AND disabled_at IS NOT NULL \
                   UNION ALL SELECT value FROM revocations WHERE kind = 'sub' AND value = $1 \
                   AND expires_at > $3 \
                   AND (issued_before_s IS NULL OR issued_before_s * 1000 > $2)";
        let row = sqlx::query(sql)
            .bind(subject)
            .bind(issued_at)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_none())
    }
}

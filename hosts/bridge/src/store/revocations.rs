//! What is revoked.

use super::{Store, StoreError};

impl Store {
    /// Revokes all tokens of a subject, also those that it gets later.
    pub(crate) async fn revoke_subject(
        &self,
        subject: &str,
        reason: &str,
        now: i64,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO revocations \
                   (kind, value, issued_before_s, reason, created_at, expires_at) \
                   VALUES ('sub', $1, NULL, $2, $3, $4) ON CONFLICT (kind, value) DO UPDATE SET \
                   issued_before_s = NULL, expires_at = excluded.expires_at";
        sqlx::query(sql)
            .bind(subject)
            .bind(reason)
            .bind(now)
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

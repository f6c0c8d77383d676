//! What may come once.

use super::{Store, StoreError, won};

impl Store {
    /// Whether this `jti` comes for the first time. `issuer` is a use and whose it is, such
    /// as `assertion orders`; the hash is SHA-256 in hex.
    pub(crate) async fn is_first_use(
        &self,
        issuer: &str,
        jti_hash: &str,
        expires_at: i64,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO used_jtis (issuer, jti_hash, expires_at) VALUES ($1, $2, $3) \
                   ON CONFLICT DO NOTHING";
        let added = sqlx::query(sql)
            .bind(issuer)
            .bind(jti_hash)
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(won(&added))
    }
}

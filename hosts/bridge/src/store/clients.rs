//! Clients that are not in the configuration.

use sqlx::Row;

use super::{Store, StoreError};

/// A client in the database.
#[derive(Clone, Debug)]
pub(crate) struct ClientRow {
    pub(crate) id: String,
    /// SHA-256 of its secret, in hex.
    pub(crate) secret_hash: Option<String>,
    /// JSON: as a client of the configuration, without credentials.
    pub(crate) settings: String,
}

impl Store {
    /// The client of this id, unless it is disabled.
    pub(crate) async fn client(&self, id: &str) -> Result<Option<ClientRow>, StoreError> {
        let sql = "SELECT id, secret_hash, settings FROM clients \
                   WHERE id = $1 AND disabled_at IS NULL";
        let row = sqlx::query(sql).bind(id).fetch_optional(&self.pool).await?;
        row.map(|row| {
            Ok(ClientRow {
                id: row.try_get("id")?,
                secret_hash: row.try_get("secret_hash")?,
                settings: row.try_get("settings")?,
            })
        })
        .transpose()
    }

    /// Adds a client, or replaces it.
    #[allow(dead_code, reason = "for the rooms that are being built")]
    pub(crate) async fn put_client(&self, row: &ClientRow, now: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO clients (id, secret_hash, settings, created_at, updated_at) \
                   VALUES ($1, $2, $3, $4, $4) ON CONFLICT (id) DO UPDATE SET \
                   secret_hash = excluded.secret_hash, settings = excluded.settings, \
                   updated_at = excluded.updated_at, disabled_at = NULL";
        sqlx::query(sql)
            .bind(&row.id)
            .bind(&row.secret_hash)
            .bind(&row.settings)
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

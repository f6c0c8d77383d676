//! Signing keys.

use sqlx::{Row, any::AnyRow};

use super::{Store, StoreError, won};

/// A key that signs tokens.
#[derive(Clone, Debug)]
pub(crate) struct KeyRow {
    /// Each key has the number after the one before it.
    pub(crate) generation: i64,
    pub(crate) kid: String,
    pub(crate) algorithm: String,
    pub(crate) public_jwk: String,
    /// The private key, sealed; absent where it is in a file.
    pub(crate) sealed: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) signs_from: i64,
}

impl Store {
    /// All keys, the oldest first.
    pub(crate) async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        let sql = "SELECT generation, kid, algorithm, public_jwk, sealed, created_at, signs_from \
                   FROM signing_keys ORDER BY generation";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        rows.iter().map(key).collect()
    }

    /// Adds a key. Whether it is in: another replica may have added one of this generation,
    /// or this very key.
    pub(crate) async fn add_key(&self, key: &KeyRow) -> Result<bool, StoreError> {
        let sql = "INSERT INTO signing_keys \
                   (generation, kid, algorithm, public_jwk, sealed, created_at, signs_from) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        let added = sqlx::query(sql)
            .bind(key.generation)
            .bind(&key.kid)
            .bind(&key.algorithm)
            .bind(&key.public_jwk)
            .bind(&key.sealed)
            .bind(key.created_at)
            .bind(key.signs_from)
            .execute(&self.pool)
            .await?;
        Ok(won(&added))
    }

    /// Removes a key. Whether there was one.
    pub(crate) async fn remove_key(&self, kid: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM signing_keys WHERE kid = $1";
        let removed = sqlx::query(sql).bind(kid).execute(&self.pool).await?;
        Ok(won(&removed))
    }

    /// Lets a key sign that did not yet.
    pub(crate) async fn let_sign(&self, generation: i64, now: i64) -> Result<(), StoreError> {
        let sql = "UPDATE signing_keys SET signs_from = $2 \
                   WHERE generation = $1 AND signs_from > $2";
        sqlx::query(sql)
            .bind(generation)
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Removes the keys before a generation.
    pub(crate) async fn remove_keys_before(&self, generation: i64) -> Result<(), StoreError> {
        let sql = "DELETE FROM signing_keys WHERE generation < $1";
        sqlx::query(sql)
            .bind(generation)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn key(row: &AnyRow) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        generation: row.try_get("generation")?,
        kid: row.try_get("kid")?,
        algorithm: row.try_get("algorithm")?,
        public_jwk: row.try_get("public_jwk")?,
        sealed: row.try_get("sealed")?,
        created_at: row.try_get("created_at")?,
        signs_from: row.try_get("signs_from")?,
    })
}
